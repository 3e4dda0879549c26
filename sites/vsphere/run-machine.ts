/**
 * Finds the machine of a run, before and after it was given its disks.
 * Rule (S1): once it was given them, a machine that is not found is not off: it may run renamed, in a folder without rights,
 * under another vCenter or on a host that was taken out of this one. Only who holds the disks can stand for it then. And one
 * that is off with the record does not stand for the disks: somebody may have them run in another machine.
 */
import { type Failure, refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { TargetPower } from '../target.ts';
import { type DiskPlace, heldBy, needNoneLost, placesOf } from './disk-places.ts';
import { findAnywhere, findByPath, lookAt, type Machine, type Vcenter } from './inventory.ts';
import { findCreated } from './new-machine.ts';

export const findTarget = (at: Vcenter, request: TargetPower, work: Work): Promise<Machine | undefined> =>
  request.made ? findCreated(at, request, work) : findAnywhere(at, request.path, work, request.run);

/**
 * The machine that the disks were returned to: the one that is known as the run's, while it is not off; else any other than
 * the mover that holds a disk of it and is not off, because that one runs with it (S1); else the run's; else, when somebody
 * holds each of the disks, one of those. Refused otherwise, where what runs may be a mover that was renamed, and where the
 * run's has its disks but one is gone.
 */
export async function needReturned(at: Vcenter, request: TargetPower, work: Work): Promise<Machine> {
  const { path, run, made, mover, open = [] } = request;
  const found = await findTarget(at, request, work);
  const ours = found && (made || found.mark?.run === run) ? found : undefined;
  if (ours && ours.power !== 'stopped') return ours;
  const carrier = mover === undefined ? undefined : await findByPath(at, mover, work);
  const on = [ours, carrier && { ref: carrier }];
  const places = await placesOf(at, open, { on, together: true, lost: lostRemedy }, work);
  const refs = new Map(places.flatMap(({ holders }) => holders).map(({ ref }) => [ref.value, ref]));
  for (const known of [carrier, ours?.ref]) if (known) refs.delete(known.value);
  const holders: Machine[] = [];
  for (const ref of refs.values()) holders.push(await lookAt(at, ref, path, work));
  const runs = holders.find(({ power }) => power !== 'stopped');
  if (runs && mover !== undefined && !carrier) throw maybeMover(runs, mover, request);
  if (runs) return runs;
  if (ours && hadThem(ours, places)) await needNoneLost(at, places, lostRemedy, work);
  if (ours) return ours;
  const [holder] = holders;
  if (holder && places.every((place) => place.holders.length > 0)) return holder;
  const who = found ? `another machine stands at ${path}` : `no machine stands at ${path}`;
  throw refused({
    op: 'find machine',
    subject: path,
    message: `the machine of run ${run} is not found: ${who}, none carries its record, and nobody holds all of its disks; it may run all the same`,
    hint: 'Find it: it may stand in a folder where this account has no rights, under another vCenter, or on a host that was taken out of this one. Bring it back to where the account sees it, with its homeward.* settings, then resolve with retry. Or see yourself that it is off and stays off, and resolve with skip; the source is then yours to start.',
  });
}

/** Sealed with a disk attached: our own stop took it back. With none they were taken off, or not given back yet. */
const hadThem = (ours: Machine, places: readonly DiskPlace[]): boolean =>
  ours.mark?.state === 'returned' || (ours.mark?.state === 'sealed' && places.some((place) => heldBy(place, ours)));

const lostRemedy =
  'Somebody may have moved it while it hung on another machine, which may run with it; clones of one template have its UUID too. Find who holds it, see to it that this one is off, and attach the disk to the machine that the run gave it to; then resolve with retry. Or see yourself that nobody runs with it, and resolve with skip; the source is then yours to start.';

/** The mover holds the disks half way to another point, and copies for other machines too. */
const maybeMover = ({ name, powerSeen }: Machine, mover: string, { path, run }: TargetPower): Failure =>
  refused({
    op: 'find machine',
    subject: path,
    message: `no machine stands at ${mover}, where the mover was, and ${name} holds disks of run ${run} and is ${powerSeen}: it may be the mover under another name`,
    hint: `Do not stop ${name} before you know what it is. If it is the mover, which carries other machines too, give it its name back and put it where it stood. If it is the target and the source is gone, it may be the last copy: leave it as it is and resolve with skip. Else see to it that it is off and stays off. Then resolve with retry.`,
  });
