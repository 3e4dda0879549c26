/**
 * The undo of opening and returning. In place the disks end on nothing and the record stays, because their bytes are
 * torn; staged the new disks go and the originals hang in their slots as before; created all that was made goes.
 * Rule: the machine is fenced from starting before anything is unplugged, and the marks go last (S4, S5). Success means
 * that no disk of this run hangs on the mover, whatever became of the record. Never touches another run's disks (S8).
 * What somebody moved is found by its UUID before the first change (disk-places.ts), so that nothing stops half-way.
 */
import { fenced } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { TargetRequest } from '../target.ts';
import { needHeldOnlyBy, needOwnMark, needQuietTarget } from './disk-guards.ts';
import { heldBy, lostUnlessFound, needNoClones, needUnmoved, placesOf } from './disk-places.ts';
import { findMachine, findMover, findRecorded, type Machine, type Vcenter } from './inventory.ts';
import { type Mark, originalOptions, stateOption, unmarkOptions } from './marks.ts';
import { ensureMachineGone, findCreated, settleFolder } from './new-machine.ts';
import { ensureOptions, ensurePlugged, ensureUnplugged } from './reconfigure.ts';
import {
  ensureStagedFileGone,
  filesThere,
  type KnownDisk,
  needOnlyStaged,
  writtenDisks,
  writtenFiles,
} from './staged-disks.ts';

/**
 * @returns what stays on purpose: in place, the files that hang on nothing until a later run repairs them; and a
 * sentence when the machine could not be put in order because it is gone or another run's.
 */
export async function ensureDisksAbandoned(at: Vcenter, request: TargetRequest, work: Work): Promise<string[]> {
  if (request.write === 'created') return abandonCreated(at, request, work);
  const found = await findMachine(at, request.path, work);
  const target = await findRecorded(at, request, found, work);
  const mark = target?.mark;
  if (!target || !mark) return abandonUnrecorded(at, request, found, work);
  const mover = await findMover(at, request.mover, work);
  if (mark.way === 'staged') {
    await abandonStaged(at, target, mover, mark, { written: writtenDisks(request), lost: lostOnTheWayBack }, work);
    return [];
  }
  return abandonInPlace(at, target, mover, mark, work);
}

/**
 * No machine carries a record of this run: it never touched a disk, has been undone already, another run has taken over,
 * or somebody removed the machine or its record. Only what hangs on the mover can still be ours.
 */
async function abandonUnrecorded(
  at: Vcenter,
  request: TargetRequest,
  target: Machine | undefined,
  work: Work,
): Promise<string[]> {
  const mover = await findMachine(at, request.mover, work);
  const foreign = target?.mark;
  const known = { on: [mover, target], lost: lostUnlessFound(`the mover, ${orSkip}`) };
  const places = await placesOf(at, writtenDisks(request), known, work);
  if (request.open && !foreign) needNoClones(places, known);
  const hanging = places.filter((place) => mover && heldBy(place, mover));
  const theirs = foreign?.way === 'in-place' ? foreign.originals.map((one) => one.file) : (foreign?.staged ?? []);
  const ours = hanging
    .filter(({ was, file }) => !theirs.includes(was) && !theirs.includes(file))
    .map(({ file }) => file);
  if (mover && ours.length > 0) {
    work.report(`unplugging ${ours.length} disk(s) from ${mover.name}`);
    await ensureUnplugged(at, mover, ours, [], work);
    await needHeldOnlyBy(at, ours, target ? [target] : [], work);
  }
  if (foreign && hanging.length > ours.length)
    throw fenced({
      op: 'ensureDisksAbandoned',
      subject: request.path,
      message: `the disks of ${target.name} hang on the mover under the record of run ${foreign.run}, not of ${request.run}`,
      hint: `Let run ${foreign.run} end, then retry. If that run is gone, unplug the disks from the mover in the vSphere Client (keep their files), then retry.`,
    });
  // A machine that lost its record, and maybe its name, may still hold what came home to it.
  const opened = request.open && !foreign ? places.map(({ file }) => file) : [];
  await needHeldOnlyBy(at, opened, [], work);
  if (foreign) return [...ours, `${target.name} carries the record of run ${foreign.run} and was left as it is`];
  if (target) return ours;
  const written = places.map(({ file }) => file).join(', ');
  const files = request.write === 'staged' ? ` (files that may be left beside its disks: ${written})` : '';
  return [
    ...ours,
    `no machine stands at ${request.path} any more: its disks are off the mover, nothing else could be done${files}`,
  ];
}

const orSkip = 'then resolve with retry. If it is lost for good, resolve with skip.';
const lostOnTheWayBack = lostUnlessFound(`the machine at home, keep that off, ${orSkip}`);

const movedRemedy =
  'Homeward deletes no file under a name that it did not give. Detach the moved disk in the vSphere Client from the machine that holds it, delete its file yourself (nobody needs what this run wrote any more), then resolve with retry.';

/**
 * Everything the run made for an alternate location goes: its disks first, then the machine, which can still be found by
 * its record while a disk is left. Disks that nobody remembers any more are known by the run's ending of their names.
 */
async function abandonCreated(at: Vcenter, request: TargetRequest, work: Work): Promise<string[]> {
  await settleFolder(at, request.path, work);
  const target = await findCreated(at, request, work);
  const mover = await findMover(at, request.mover, work);
  const { run, path } = request;
  const unmarked: Mark = {
    run,
    path,
    state: 'open',
    way: 'created',
    originals: [],
    staged: writtenFiles(request),
    uses: 0,
    keys: [],
  };
  const mark = target ? needOwnMark(target, request) : unmarked;
  const written = await placesOf(at, writtenDisks(request), { on: [target, mover], lost: lostOnTheWayBack }, work);
  needUnmoved(written, movedRemedy);
  if (target) {
    needQuietTarget(target);
    needOnlyStaged(mark, target);
    work.report(`unplugging what run ${run} made`);
    await ensureUnplugged(at, target, mark.staged, [stateOption('open')], work);
  }
  if (mover) await ensureUnplugged(at, mover, mark.staged, [], work);
  await needHeldOnlyBy(at, mark.staged, [], work);
  // Disks without a machine: somebody removed it from the inventory, which leaves its own settings on the datastore.
  const orphans = target ? [] : await filesThere(at, mark.staged, work);
  const left = orphans.map((file) => `the folder of ${file}, whose machine somebody removed from vCenter`).slice(0, 1);
  for (const file of mark.staged) {
    work.report(`deleting ${file}`);
    await ensureStagedFileGone(at, mark, file, work);
  }
  if (target) await ensureMachineGone(at, request, work);
  return left;
}

async function abandonInPlace(
  at: Vcenter,
  target: Machine,
  mover: Machine | undefined,
  mark: Mark,
  work: Work,
): Promise<string[]> {
  if (mark.state === 'recorded') {
    await ensureOptions(at, target, unmarkOptions(mark), work);
    return [];
  }
  const known = { on: [target, mover], lost: lostOnTheWayBack };
  const places = await placesOf(at, mark.originals, known, work);
  needNoClones(places, known);
  if (places.some((place) => heldBy(place, target))) needQuietTarget(target);
  const files = places.map(({ file }) => file);
  // Where they lie now, so that a later run finds them: in the same change, because afterwards nobody could tell.
  const isMoved = places.some(({ was, file }) => was !== file);
  const originals = isMoved ? mark.originals.map((one, index) => ({ ...one, file: files[index] ?? one.file })) : [];
  work.report(`unplugging the disks of ${target.name} everywhere`);
  await ensureUnplugged(at, target, files, [stateOption('open'), ...originalOptions(originals)], work);
  if (mover) await ensureUnplugged(at, mover, files, [], work);
  await needHeldOnlyBy(at, files, [], work);
  return files;
}

/**
 * Also used by a later run that finds the staging of an abandoned one. `written`: the staged disks as they were opened; `lost`:
 * what to do about an original that is gone.
 */
export async function abandonStaged(
  at: Vcenter,
  target: Machine,
  mover: Machine | undefined,
  mark: Mark,
  { written, lost }: { readonly written: readonly KnownDisk[]; readonly lost: string },
  work: Work,
): Promise<void> {
  needQuietTarget(target);
  needOnlyStaged(mark, target);
  const known = { on: [target, mover], lost };
  needUnmoved(await placesOf(at, written, known, work), movedRemedy);
  const originals = await placesOf(at, mark.originals, known, work);
  needNoClones(originals, known);
  work.report(`unplugging what run ${mark.run} staged`);
  await ensureUnplugged(at, target, mark.staged, [stateOption('open')], work);
  if (mover) await ensureUnplugged(at, mover, mark.staged, [], work);
  await needHeldOnlyBy(at, mark.staged, [], work);
  for (const file of mark.staged) {
    work.report(`deleting ${file}`);
    await ensureStagedFileGone(at, mark, file, work);
  }
  // One that was moved meanwhile still hangs in its slot.
  const plugs = mark.originals.map(({ file, sizeBytes, diskMode, controllerKey, unit }, index) => ({
    file: originals[index]?.file ?? file,
    sizeBytes,
    diskMode,
    slot: { controllerKey, unit },
  }));
  await needHeldOnlyBy(
    at,
    plugs.map((plug) => plug.file),
    [target],
    work,
  );
  await ensurePlugged(at, target, plugs, work);
  await ensureOptions(at, target, unmarkOptions(mark), work);
}
