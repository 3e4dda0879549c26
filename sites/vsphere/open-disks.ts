/**
 * Opens the target disks: record them on the machine, take them off it (in place) or make new ones (staged, created), plug
 * them into the mover.
 * Rule: the record is written before anything is unplugged; a disk is answered as open only when it was seen on the mover
 * and on nothing else (S4). A run finds and repairs what an abandoned run left in place. Deletes no file but
 * those that an earlier run staged, once a person named that run (S5).
 */

import { keptByItsRun } from '../../model/check.ts';
import { fenced, refused } from '../../model/failure.ts';
import type { DiskPair, OpenDisk } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { TargetRequest } from '../target.ts';
import { abandonStaged } from './abandon-disks.ts';
import {
  needHeldOnlyBy,
  needNoClash,
  needOwnMark,
  needQuietTarget,
  needReadyMover,
  needSupported,
} from './disk-guards.ts';
import { lostOnTheWay, lostUnlessFound, needNoClones, needNoneLost, needUnmoved, placesOf } from './disk-places.ts';
import { lookAt, type Machine, needMachine, type Vcenter } from './inventory.ts';
import { inPlaceRemedy, needGivenUp } from './left-by-a-run.ts';
import { isOpen, markOptions, type NewMark, type Original, stateOption } from './marks.ts';
import { ensureMachineMade } from './new-machine.ts';
import { putBack } from './put-back.ts';
import { ensureOptions, ensurePlugged, ensureUnplugged, type Plug } from './reconfigure.ts';
import { needTarget } from './return-disks.ts';
import { ensureStagedFile, stagedFiles, writtenFiles } from './staged-disks.ts';

/** The mode in which disks hang on the mover: its own snapshots must never include them. */
const moverDiskMode = 'independent_persistent';

export async function ensureDisksOpen(at: Vcenter, request: TargetRequest, work: Work): Promise<OpenDisk[]> {
  const mover = await needMachine(at, request.mover, work);
  const found =
    request.write === 'created' ? await ensureMachineMade(at, request, work) : await needFound(at, request, work);
  needQuietTarget(found);
  needReadyMover(mover, found);
  const { mark } = found;
  if (mark?.run === request.run && (mark.state === 'sealed' || mark.state === 'returned'))
    throw fenced({
      op: 'ensureDisksOpen',
      subject: request.path,
      message: `run ${request.run} has gone on with these disks already (${mark.state})`,
      hint: 'A late attempt; it ends by itself.',
    });
  // S9, S11: a file that is gone would be made anew, and the moved one would stay on the mover for good.
  if (request.open) await needStillOpened(at, request.open, [mover, found], work);
  needGivenUp(request, found);
  // S3, S11: before the modes of its disks are recorded, and before the record of the run that left it so is overwritten.
  const target = await putBack(at, found, work);
  if (request.write === 'created') return openCreated(at, request, target, mover, work);
  return request.write === 'staged'
    ? openStaged(at, request, target, mover, work)
    : openInPlace(at, request, target, mover, work);
}

/** Where the inventory says; once its disks were opened it carries the record, wherever somebody moved it. */
const needFound = (at: Vcenter, request: TargetRequest, work: Work): Promise<Machine> =>
  request.open ? needTarget(at, request, work) : needMachine(at, request.path, work);

const openedElsewhere =
  'Move it back to where it was (Storage vMotion of this disk alone), exclude the mover from Storage DRS, then resolve with retry: it is copied in full again. Or take the run back.';

/** Of the machine that an earlier run had; this one has touched nothing yet. */
const lostOriginal = lostUnlessFound(
  'the machine at home, keep that off, then resolve with retry. If it is lost for good, take the run back.',
);

const openedNowhere =
  'Was it moved and detached, find its file (look at the tasks of vCenter), attach it to the mover, then resolve with retry. If it is lost for good, take the run back.';

async function needStillOpened(
  at: Vcenter,
  open: readonly OpenDisk[],
  on: readonly Machine[],
  work: Work,
): Promise<void> {
  const known = { on, lost: lostOnTheWay };
  const places = await placesOf(at, open, known, work);
  needNoClones(places, known);
  needUnmoved(places, openedElsewhere);
  // S11: else it would be made anew, and nobody would ever delete the one that was moved and detached.
  await needNoneLost(at, places, openedNowhere, work);
}

/** The machine has been made with the record in it; what is new now is its disks. */
async function openCreated(
  at: Vcenter,
  request: TargetRequest,
  target: Machine,
  mover: Machine,
  work: Work,
): Promise<OpenDisk[]> {
  needOwnMark(target, request);
  const files = writtenFiles(request);
  return plugNewDisks(at, request, mover, files, work);
}

/** Makes the files that are not there yet, each of its source's size, and plugs all of them into the mover. */
async function plugNewDisks(
  at: Vcenter,
  request: TargetRequest,
  mover: Machine,
  files: readonly string[],
  work: Work,
): Promise<OpenDisk[]> {
  const disks = files.map((file, index) => ({ file, sizeBytes: request.pairs[index]?.source.sizeBytes ?? 0 }));
  for (const disk of disks) {
    if (mover.disks.some((one) => one.file === disk.file)) continue;
    work.report(`making ${disk.file}`);
    await ensureStagedFile(at, disk.file, disk.sizeBytes, work);
  }
  await needHeldOnlyBy(at, files, [mover], work);
  return plugIntoMover(at, request, mover, disks, work);
}

/** The original behind a pair: from the record while one is open, else as attached now. */
function originalOf(target: Machine, pair: DiskPair): Original {
  const recorded = isOpen(target.mark) ? target.mark.originals.find((one) => one.file === pair.target.file) : undefined;
  const attached = target.disks.find((one) => one.file === pair.target.file);
  if (attached) needSupported(attached);
  const found = recorded ?? attached;
  if (!found)
    throw refused({
      op: 'ensureDisksOpen',
      subject: pair.target.file,
      message: `${target.name} neither holds ${pair.target.file} nor remembers it`,
      hint: `Correct the disks of this machine in the inventory. ${keptByItsRun} Or attach the disk to the machine again, then resolve with retry.`,
    });
  if (found.sizeBytes !== pair.source.sizeBytes)
    throw refused({
      op: 'ensureDisksOpen',
      subject: pair.target.file,
      message: `${pair.target.file} has ${found.sizeBytes} bytes, its source ${pair.source.name} has ${pair.source.sizeBytes}`,
      hint: `Start with --write staged, which makes disks of the right size. ${keptByItsRun} Or make both sizes equal, then resolve with retry.`,
    });
  const { slot, file, sizeBytes, uuid, diskMode, controllerKey, unit } = found;
  return { slot, file, sizeBytes, uuid, diskMode, controllerKey, unit };
}

/** Staged disks are new, so an original of another size does not matter: it is only recorded. */
function recordedOriginal(target: Machine, pair: DiskPair): Original {
  const found = target.disks.find((one) => one.file === pair.target.file);
  if (found) return originalOf(target, { ...pair, source: { ...pair.source, sizeBytes: found.sizeBytes } });
  return originalOf(target, pair);
}

async function openInPlace(
  at: Vcenter,
  request: TargetRequest,
  before: Machine,
  mover: Machine,
  work: Work,
): Promise<OpenDisk[]> {
  const target = await withoutStrangersStaging(at, request, before, mover, work);
  const originals = request.pairs.map((pair) => originalOf(target, pair));
  const files = originals.map((one) => one.file);
  needNoClash(mover, originals);
  await needHeldOnlyBy(at, files, [target, mover], work);
  const open = isOpen(target.mark) ? target.mark : undefined;
  const others = open?.originals.filter((one) => !files.includes(one.file)) ?? [];
  const mark: NewMark = {
    run: request.run,
    path: request.path,
    // What an abandoned run left open stays open: its bytes are torn until this run has sealed them.
    state: open && open.state !== 'recorded' ? 'open' : 'recorded',
    way: 'in-place',
    originals: [...originals, ...others],
    staged: [],
  };
  work.report(`recording the disks of ${target.name} on the machine`);
  await ensureOptions(at, target, markOptions(mark, target.mark), work);
  work.report(`taking ${files.length} disk(s) off ${target.name}`);
  await ensureUnplugged(at, target, files, [stateOption('open')], work);
  return plugIntoMover(at, request, mover, originals, work);
}

async function openStaged(
  at: Vcenter,
  request: TargetRequest,
  before: Machine,
  mover: Machine,
  work: Work,
): Promise<OpenDisk[]> {
  if (isOpen(before.mark) && before.mark.way === 'in-place' && before.mark.state !== 'recorded')
    throw refused({
      op: 'ensureDisksOpen',
      subject: request.path,
      message: `run ${before.mark.run} ${before.mark.state === 'open' ? `left the original disks of ${before.name} half written` : `began to seal the original disks of ${before.name} and never came to its end`}`,
      hint: inPlaceRemedy,
    });
  const target = await withoutStrangersStaging(at, request, before, mover, work);
  const originals = request.pairs.map((pair) => recordedOriginal(target, pair));
  const staged = stagedFiles(
    originals.map((one) => one.file),
    request.run,
  );
  const { run, path } = request;
  const mark: NewMark = { run, path, state: 'open', way: 'staged', originals, staged };
  await ensureOptions(at, target, markOptions(mark, target.mark), work);
  return plugNewDisks(at, request, mover, staged, work);
}

/** Takes away what another run staged and left, if a person said so (S5); the machine is then as before that run. */
async function withoutStrangersStaging(
  at: Vcenter,
  request: TargetRequest,
  target: Machine,
  mover: Machine,
  work: Work,
): Promise<Machine> {
  const { mark } = target;
  const same = mark?.run === request.run && mark.way === request.write;
  if (!isOpen(mark) || mark.way !== 'staged' || same) return target;
  work.report(`removing what run ${mark.run} staged`);
  const written = mark.staged.map((file) => ({ file, uuid: '' }));
  await abandonStaged(at, target, mover, mark, { written, lost: lostOriginal }, work);
  return lookAt(at, target.ref, target.path, work);
}

export async function plugIntoMover(
  at: Vcenter,
  request: TargetRequest,
  mover: Machine,
  disks: readonly { readonly file: string; readonly sizeBytes: number }[],
  work: Work,
): Promise<OpenDisk[]> {
  work.report(`plugging ${disks.length} disk(s) into ${mover.name}`);
  const plugs = disks.map(({ file, sizeBytes }): Plug => ({ file, sizeBytes, diskMode: moverDiskMode }));
  const seen = await ensurePlugged(at, mover, plugs, work);
  const files = disks.map((disk) => disk.file);
  await needHeldOnlyBy(at, files, [mover], work);
  needNoClash(
    seen,
    seen.disks.filter((disk) => files.includes(disk.file)),
  );
  return request.pairs.map((pair, at) => {
    const wanted = disks[at];
    const disk = seen.disks.find((one) => one.file === wanted?.file);
    if (disk?.sizeBytes === pair.source.sizeBytes)
      return { disk: pair.disk, slot: disk.slot, file: disk.file, sizeBytes: disk.sizeBytes, uuid: disk.uuid };
    throw refused({
      op: 'ensureDisksOpen',
      subject: wanted?.file ?? pair.target.file,
      message: `the mover sees a disk of ${disk?.sizeBytes ?? 0} bytes where ${pair.source.sizeBytes} are needed`,
      hint: 'Another file of this name is in the way: look at it in the datastore browser.',
    });
  });
}
