/**
 * Sealed disks that the target had in use go back to the mover, to be taken to another point.
 * Rule: the record on the machine says `open`, and how often that was done, in the same change that takes the disks off, so
 * that no late start and no late attempt of an earlier time finds it otherwise (S4, S8). Only of a machine that is off.
 */
import { fenced, refused } from '../../model/failure.ts';
import type { OpenDisk } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { ReopenRequest } from '../target.ts';
import { type AttachedDisk, freeSlots } from './devices.ts';
import { needHeldOnlyBy, needNoClash, needNoSnapshots, needOff, needOwnMark, needReadyMover } from './disk-guards.ts';
import { type Machine, needMachine, type Vcenter } from './inventory.ts';
import { type Mark, stateOption, usesOption } from './marks.ts';
import { plugIntoMover } from './open-disks.ts';
import { ensureUnplugged } from './reconfigure.ts';
import { needTarget } from './return-disks.ts';
import { writtenFile, writtenFiles } from './staged-disks.ts';

/** Looks while the machine may still run: throws Refused for whatever would stop the reopening once it is off. */
export async function observeReopening(at: Vcenter, request: ReopenRequest, work: Work): Promise<void> {
  await needReopenable(at, request, work);
}

export async function ensureDisksReopened(at: Vcenter, request: ReopenRequest, work: Work): Promise<OpenDisk[]> {
  const { mover, target, files } = await needReopenable(at, request, work);
  needOff(target);
  work.report(`taking ${files.length} disk(s) off ${target.name}`);
  await ensureUnplugged(at, target, files, [stateOption('open'), usesOption(request.uses)], work);
  const disks = files.map((file, index) => ({ file, sizeBytes: request.pairs[index]?.source.sizeBytes ?? 0 }));
  return plugIntoMover(at, request, mover, disks, work);
}

/** All that has to be so, but that the machine is off: one list, so that the look before its stop cannot differ. */
async function needReopenable(at: Vcenter, request: ReopenRequest, work: Work) {
  const mover = await needMachine(at, request.mover, work);
  const target = await needTarget(at, request, work);
  const mark = needOwnMark(target, request);
  needInTime(mark, request);
  needNoSnapshots(target);
  needReadyMover(mover, target);
  const files = writtenFiles(request);
  await needHeldOnlyBy(at, files, [target, mover], work);
  // An attempt of before may have come so far that they hang on nothing, and so may a return that stopped half-way.
  if (mark.uses < request.uses && !request.halfWay) needAllThere(files, [target, mover]);
  const found = target.disks.filter(({ file }) => files.includes(file));
  needSameSizes(request, found);
  needSlots(mover, files);
  needNoClash(mover, found);
  return { mover, target, files };
}

/** S8: what was taken off and returned again since, or more than once, is nothing for an attempt of that time. */
function needInTime({ uses, state }: Mark, request: ReopenRequest): void {
  if (uses < request.uses || (uses === request.uses && state === 'open')) return;
  throw fenced({
    op: 'ensureDisksReopened',
    subject: request.path,
    message: `run ${request.run} has taken these disks off ${uses} time(s) already`,
    hint: 'A late attempt; it ends by itself.',
  });
}

/** Somebody may have moved the disks to another datastore, or exchanged them, while the machine ran. */
function needAllThere(files: readonly string[], machines: readonly Machine[]): void {
  const missing = files.filter((file) => !machines.some(({ disks }) => disks.some((disk) => disk.file === file)));
  if (missing.length === 0) return;
  const [target] = machines;
  throw refused({
    op: 'ensureDisksReopened',
    subject: target?.path ?? '',
    message: `${target?.name} does not hold ${missing.join(', ')} any more`,
    hint: 'Somebody moved or exchanged its disks after it was started. Move them back (Storage vMotion), then resolve with retry; or take the run back (cancel).',
  });
}

/** Somebody may have made a disk larger at home; no point of the source fits it then. */
function needSameSizes(request: ReopenRequest, found: readonly AttachedDisk[]): void {
  for (const { source, target } of request.pairs) {
    const file = writtenFile(request, target.file);
    const disk = found.find((one) => one.file === file);
    if (!disk || disk.sizeBytes === source.sizeBytes) continue;
    throw refused({
      op: 'ensureDisksReopened',
      subject: file,
      message: `${file} has ${disk.sizeBytes} bytes now, its source ${source.name} has ${source.sizeBytes}`,
      hint: 'Somebody changed its size at home, and no point of the source fits it any more: keep what runs (commit), or take the run back (homeward failback cancel --accept-loss).',
    });
  }
}

function needSlots(mover: Machine, files: readonly string[]): void {
  const free = freeSlots(mover.devices).length;
  const needed = files.filter((file) => !mover.disks.some((disk) => disk.file === file)).length;
  if (free >= needed) return;
  throw refused({
    op: 'ensureDisksReopened',
    subject: mover.path,
    message: `the mover ${mover.name} has ${free} free SCSI slot(s), ${needed} needed`,
    hint: 'Wait until another run has released its disks, or add SCSI controllers to the mover while it is off.',
  });
}
