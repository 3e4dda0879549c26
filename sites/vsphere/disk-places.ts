/**
 * Where the disks of a run hang now, and what their files are called. Storage vMotion, by a person or a balancer, makes
 * another file of a disk while it hangs on a machine, and leaves it its UUID.
 * Rule: a disk is known by its file as long as anybody holds that, or it is there; only then by its UUID. That the disks
 * cloned from one template may share, so that of several the one on the run's own machines is it. Changes nothing.
 */
import { type Failure, refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { AttachedDisk } from './devices.ts';
import { attachedDisks, type Holder, holdsFile, type Vcenter } from './inventory.ts';
import { filesThere, type KnownDisk } from './staged-disks.ts';
import type { Ref } from './wire/shapes.ts';

export interface DiskPlace {
  /** The file it was opened as. */
  readonly was: string;
  /** The file it is now; the same as `was` unless it was moved. */
  readonly file: string;
  /** All that hold it, also as the base of a snapshot or clone. */
  readonly holders: readonly Holder[];
  /** All that have its UUID while nobody holds the file it was opened as: itself, moved, or a clone's. */
  readonly alike: readonly Holder[];
}

/** Below a machine's snapshots. */
const baseOf = ({ file, parents }: AttachedDisk): string => parents.at(-1) ?? file;

interface Knowing {
  /** The machines that a disk of the run hangs on unless somebody took it off: its own and the mover. */
  readonly on: readonly ({ readonly ref: Ref } | undefined)[];
  /** On any other a UUID counts only where all of the disks hang, by file or UUID: no clone of a template stands for them. */
  readonly together?: boolean;
  /** What to do about one whose file is gone while others alone hang disks of its UUID. */
  readonly lost: string;
}

/** `attach`: where to attach it, and what then. */
export const lostUnlessFound = (attach: string): string =>
  `A disk with its UUID may be the one of a clone of the same template: do not detach that. Find the file of the moved disk (look at the tasks of vCenter) and attach it to ${attach}`;

/** Before anything was started at home. */
export const lostOnTheWay = lostUnlessFound(
  'the mover, then resolve with retry. If it is lost for good, take the run back.',
);

/** One place a disk, in their order. Refused when several moved disks could be the one. */
export async function placesOf(
  at: Vcenter,
  disks: readonly KnownDisk[],
  { on, together = false, lost: hint }: Knowing,
  work: Work,
): Promise<DiskPlace[]> {
  const attached = await attachedDisks(at, work);
  const isHere = ({ ref }: Holder): boolean => on.some((machine) => machine?.ref.value === ref.value);
  const hasAll = ({ ref }: Holder): boolean =>
    disks.every((one) =>
      attached.some((held) => held.ref.value === ref.value && (holdsFile(held, one.file) || isAlike(held, one))),
    );
  const places: DiskPlace[] = [];
  for (const known of disks) {
    const { file } = known;
    const holders = attached.filter((holder) => holdsFile(holder, file));
    const alike = holders.length > 0 ? [] : attached.filter((holder) => isAlike(holder, known));
    const here = alike.filter(isHere);
    const meant = here.length > 0 || !together ? alike : alike.filter(hasAll);
    const isMoved = meant.length > 0 && (await filesThere(at, [file], work)).length === 0;
    places.push(isMoved ? movedTo(file, meant, here, hint) : { was: file, file, holders, alike });
  }
  return places;
}

const isAlike = ({ disk }: Holder, { uuid }: KnownDisk): boolean => uuid !== '' && disk.uuid === uuid;

/** `here`: those of them that hang on the run's own machines; then it is one of these. */
function movedTo(was: string, alike: readonly Holder[], here: readonly Holder[], hint: string): DiskPlace {
  const files = [...new Set((here.length > 0 ? here : alike).map(({ disk }) => baseOf(disk)))];
  const [file] = files;
  if (file !== undefined && files.length === 1)
    return { was, file, holders: alike.filter(({ disk }) => baseOf(disk) === file), alike };
  if (here.length === 0) throw lost({ was, alike }, hint);
  throw refused({
    op: 'find disk',
    subject: was,
    message: `${was} was moved, and several disks have its UUID: ${alike.map(({ name, disk }) => `${disk.file} on ${name}`).join(', ')}`,
    hint: 'Detach the copies in the vSphere Client (keep their files), then retry.',
  });
}

const lost = ({ was, alike }: Pick<DiskPlace, 'was' | 'alike'>, hint: string): Failure => {
  const hanging = alike.map(({ name, disk }) => `${disk.file} on ${name}`).join(', ');
  const seen = hanging === '' ? 'nobody is seen to hold a disk with its UUID' : `disks with its UUID hang: ${hanging}`;
  return refused({
    op: 'find disk',
    subject: was,
    message: `${was} is gone, and no machine of this run holds it under another name; ${seen}`,
    hint,
  });
};

/** Refused when the file of one is gone and its UUID hangs on others than these alone: what they hold may be a clone's. */
export function needNoClones(places: readonly DiskPlace[], { on, lost: hint }: Knowing): void {
  for (const place of places)
    if (place.file !== place.was && !on.some((machine) => machine && heldBy(place, machine))) throw lost(place, hint);
}

/** Refused when one hangs nowhere known and its file is gone: it may run, moved, in a machine that has not the others. */
export async function needNoneLost(at: Vcenter, places: readonly DiskPlace[], hint: string, work: Work): Promise<void> {
  for (const place of places)
    if (place.holders.length === 0 && (await filesThere(at, [place.file], work)).length === 0) throw lost(place, hint);
}

export const heldBy = ({ holders }: DiskPlace, machine: { readonly ref: { readonly value: string } }): boolean =>
  holders.some(({ ref }) => ref.value === machine.ref.value);

/** Refused, with their names, when some are other files by now. `hint`: what to do with each of them. */
export function needUnmoved(places: readonly DiskPlace[], hint: string): void {
  const moved = places.filter(({ was, file }) => was !== file);
  const [first] = moved;
  if (!first) return;
  const words = moved.map(
    ({ was, file, holders }) => `${was} is ${file} now, on ${holders.map(({ name }) => name).join(', ')}`,
  );
  throw refused({
    op: 'target disks',
    subject: first.was,
    message: `${words.join('; ')}: somebody moved it (Storage vMotion); nothing was unplugged or deleted`,
    hint,
  });
}
