/**
 * The way back: record the disks as sealed, unplug them from the mover, plug them into the machine's own slots, and clear the
 * record after commit.
 * Rule: `homeward.state = returned`, which alone lets the machine start, is written only after the disks were seen in
 * their slots and on no other machine (S4). Never deletes a file: replaced originals stay.
 */
import { type Failure, refused } from '../../model/failure.ts';
import type { TargetMachine } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { ReturnRequest, TargetRequest } from '../target.ts';
import { parseSlot, type Slot } from './devices.ts';
import { needHeldOnlyBy, needNoSnapshots, needOwnMark, needQuietTarget, needUsesNotAfter } from './disk-guards.ts';
import { heldBy, lostOnTheWay, needUnmoved, placesOf } from './disk-places.ts';
import {
  asTarget,
  findByPath,
  findMover,
  type Holder,
  holdersOf,
  lookAt,
  type Machine,
  machineMissing,
  type Vcenter,
} from './inventory.ts';
import { type Mark, type Original, stateOption, unmarkOptions } from './marks.ts';
import { ensureOptions, ensurePlugged, ensureStateLeft, ensureUnplugged, type Plug } from './reconfigure.ts';
import { findTarget } from './run-machine.ts';
import { writtenDisks, writtenFile, writtenFiles } from './staged-disks.ts';
import { isA, type Ref } from './wire/shapes.ts';

async function unplugFromMover(at: Vcenter, request: TargetRequest, movedHint: string, work: Work): Promise<void> {
  const mover = await findMover(at, request.mover, work);
  if (!mover) return;
  const disks = writtenDisks(request);
  const files = disks.map(({ file }) => file);
  const missing = disks.filter(({ file }) => !mover.disks.some((disk) => disk.file === file));
  const astray = missing.length === 0 ? [] : await placesOf(at, missing, { on: [mover], lost: lostOnTheWay }, work);
  needUnmoved(
    astray.filter((place) => heldBy(place, mover)),
    movedHint,
  );
  // vCenter would refuse the change in words of its own; this says what to do about it.
  if (mover.disks.some((disk) => files.includes(disk.file))) needNoSnapshots(mover);
  work.report(`unplugging ${files.length} disk(s) from ${mover.name}`);
  await ensureUnplugged(at, mover, files, [], work);
}

const movedOnMover =
  'Exclude the mover from Storage DRS. Detach the disk from it (keep the file), move the file back to its old name in the datastore browser, then resolve with retry. Or take the run back.';

/** S9: it was moved after the last look before the seal, so that nothing tells whether the file it is now holds all that was proven. */
const movedSealed =
  'It was moved while or after it was sealed, so nobody has proven the file that it is now. Take the run back (cancel): the target was not started, so nothing more is lost. Exclude the mover from Storage DRS before the next run.';

export async function ensureMoverLeft(at: Vcenter, request: TargetRequest, work: Work): Promise<void> {
  const files = writtenFiles(request);
  await unplugFromMover(at, request, movedOnMover, work);
  // Where they were not yet opened they hang on their own machine.
  const target = await targetOf(at, request, work);
  // A machine that the run makes may not be made yet.
  if (!target && request.write !== 'created') throw machineMissing(request.path);
  await needHeldOnlyBy(at, files, target ? [target] : [], work);
}

/** The machine that the disks belong to. Known by its record: somebody may have renamed or moved it meanwhile. */
const targetOf = (at: Vcenter, { path, run, write }: TargetRequest, work: Work): Promise<Machine | undefined> =>
  findTarget(at, { path, run, made: write === 'created' }, work);

export async function needTarget(at: Vcenter, request: TargetRequest, work: Work): Promise<Machine> {
  const target = await targetOf(at, request, work);
  if (target) return target;
  throw machineMissing(request.path);
}

/** @see TargetSite.ensureSealedRecorded */
export async function ensureSealedRecorded(at: Vcenter, request: ReturnRequest, work: Work): Promise<void> {
  const { run, path, write } = request;
  const target = await targetOf(at, request, work);
  // S8: a late attempt of a use before this one knows nothing of how the disks are now.
  const isMeant = (mark: Mark): boolean =>
    mark.run === run && mark.state === 'open' && (request.uses === undefined || mark.uses <= request.uses);
  if (target?.mark?.run === run) await ensureStateLeft(at, target, isMeant, 'sealed', work);
  // Another run has taken over; or new disks, which nobody writes over, were given up with the record.
  else if (target?.mark === undefined && write === 'in-place') throw sealedUnrecorded(path, run);
}

const sealedUnrecorded = (path: string, run: string): Failure =>
  refused({
    op: 'find machine',
    subject: path,
    message: `no machine carries the record of run ${run}, which began to seal the disks of ${path}: they may be the last copy of it, and nothing says so`,
    hint: 'Find the machine: it may stand in a folder where this account has no rights, under another vCenter, or without its homeward.* settings. Bring it back with them to where the account sees it, then resolve with retry. If you go on without it, set homeward.state to sealed on it once it is found: while that says open, a later run writes over these disks without asking.',
  });

export async function ensureDisksReleased(at: Vcenter, request: ReturnRequest, work: Work): Promise<void> {
  const files = writtenFiles(request);
  const target = await needTarget(at, request, work);
  needOwnMark(target, request);
  needUsesNotAfter(target, request.run, request.uses ?? 0);
  await unplugFromMover(at, request, movedSealed, work);
  // Plugging and marking are two changes, and whoever does them may die in between or after them. So the disks may hang
  // on their own machine already, whatever its mark of this run says; they are sealed by now, and nobody writes there.
  await needHeldOnlyBy(at, files, [target], work);
}

/** The disk that belongs into each slot: of the originals, or as planned for a machine we made. */
function plugsOf(request: TargetRequest, target: Machine, mark: Mark): Plug[] {
  if (request.write === 'created')
    return request.pairs.map((pair) => ({
      file: writtenFile(request, pair.target.file),
      sizeBytes: pair.source.sizeBytes,
      diskMode: 'persistent',
      slot: plannedSlot(target, pair.target.slot),
    }));
  return request.pairs.map((pair) => {
    const original = mark.originals.find((one) => one.file === pair.target.file);
    if (!original)
      throw refused({
        op: 'ensureDisksReturned',
        subject: pair.target.file,
        message: `${request.path} has no record of ${pair.target.file}`,
        hint: 'Somebody removed the homeward.* settings of the machine: attach the disk by hand in its old slot.',
      });
    return plugFor(request, original, pair.source.sizeBytes);
  });
}

/** A plan counts controllers as vCenter numbers them, 1000 + bus; what counts is the bus, whatever key it was given. */
function plannedSlot(target: Machine, planned: string): Slot {
  const { controllerKey, unit } = parseSlot(planned) ?? { controllerKey: 1000, unit: 0 };
  const controller = target.devices.find(
    (device) => isA(device, 'VirtualSCSIController') && device.busNumber === controllerKey - 1000,
  );
  return { controllerKey: controller?.key ?? controllerKey, unit };
}

function plugFor(request: TargetRequest, original: Original, sizeBytes: number): Plug {
  const { controllerKey, unit, diskMode } = original;
  const file = writtenFile(request, original.file);
  return { file, sizeBytes, diskMode, slot: { controllerKey, unit } };
}

const inPlaceAlready = (machine: Machine, plugs: readonly Plug[]): boolean =>
  plugs.every(({ file, slot }) =>
    machine.disks.some(
      (disk) => disk.file === file && disk.controllerKey === slot?.controllerKey && disk.unit === slot.unit,
    ),
  );

export async function ensureDisksReturned(at: Vcenter, request: ReturnRequest, work: Work): Promise<TargetMachine> {
  const target = await needTarget(at, request, work);
  const mark = needOwnMark(target, request);
  needUsesNotAfter(target, request.run, request.uses ?? 0);
  const plugs = plugsOf(request, target, mark);
  if (mark.state === 'returned' && inPlaceAlready(target, plugs)) return asTarget(at, target);
  needQuietTarget(target);
  const files = plugs.map((plug) => plug.file);
  await needHeldOnlyBy(at, files, [target], work);
  if (request.write === 'staged') {
    work.report(`taking the original disks off ${target.name} (their files stay)`);
    await ensureUnplugged(
      at,
      target,
      request.pairs.map((pair) => pair.target.file),
      [],
      work,
    );
  }
  work.report(`plugging ${files.length} sealed disk(s) into ${target.name}`);
  await ensurePlugged(at, target, plugs, work);
  await needHeldOnlyBy(at, files, [target], work);
  await ensureOptions(at, target, [stateOption('returned')], work);
  return asTarget(at, await lookAt(at, target.ref, request.path, work));
}

/** @returns what stays on purpose: staged, the files of the originals. The same answer the second time. */
export async function ensureFinished(at: Vcenter, request: TargetRequest, work: Work): Promise<string[]> {
  const target = await targetOf(at, request, work);
  // Of a machine that the run made nothing is left that could carry our marks.
  if (!target && request.write !== 'created' && !(await hasLostItsMarks(at, request, work)))
    throw machineMissing(request.path);
  if (target?.mark) {
    const mark = needOwnMark(target, request);
    if (mark.state !== 'returned')
      throw refused({
        op: 'ensureFinished',
        subject: request.path,
        message: `the disks of ${target.name} are not returned (${mark.state})`,
        hint: 'Commit comes after the disks were sealed and returned: look at the run’s status.',
      });
    await ensureOptions(at, target, unmarkOptions(mark), work);
  }
  return request.write === 'staged' ? request.pairs.map((pair) => pair.target.file) : [];
}

/**
 * Whether one machine, which is not the mover, holds all that came home, where none that is seen carries the record: renamed or
 * moved, it is not known any more once a try that nobody heard of has taken its marks off.
 */
async function hasLostItsMarks(at: Vcenter, request: TargetRequest, work: Work): Promise<boolean> {
  const mover = await findByPath(at, request.mover, work);
  const [first = [], ...others] = (await holdersOf(at, writtenFiles(request), work)).values();
  const holds = (holders: readonly Holder[], { value }: Ref): boolean => holders.some(({ ref }) => ref.value === value);
  return first.some(({ ref }) => ref.value !== mover?.value && others.every((holders) => holds(holders, ref)));
}
