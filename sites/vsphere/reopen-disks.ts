/**
 * Sealed disks that the target had in use go back to the mover, to be taken to another point.
 * Rule: the record on the machine says `open`, and how often that was done, in the same change that takes the disks off, so
 * that no late start and no late attempt of an earlier time finds it otherwise (S4, S8). Only of a machine that is off.
 */
import { fenced, refused } from '../../model/failure.ts';
import type { OpenDisk } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { ReopenRequest } from '../target.ts';
import { needHeldOnlyBy, needOwnMark, needQuietTarget, needReadyMover } from './disk-guards.ts';
import { type Machine, needMachine, type Vcenter } from './inventory.ts';
import { type Mark, stateOption, usesOption } from './marks.ts';
import { plugIntoMover } from './open-disks.ts';
import { ensureUnplugged } from './reconfigure.ts';
import { needTarget } from './return-disks.ts';
import { writtenFiles } from './staged-disks.ts';

export async function ensureDisksReopened(at: Vcenter, request: ReopenRequest, work: Work): Promise<OpenDisk[]> {
  const mover = await needMachine(at, request.mover, work);
  const target = await needTarget(at, request, work);
  const mark = needOwnMark(target, request);
  needInTime(mark, request);
  needQuietTarget(target);
  needReadyMover(mover, target);
  const files = writtenFiles(request);
  await needHeldOnlyBy(at, files, [target, mover], work);
  // An attempt of before may have come so far that they hang on nothing, and so may a return that stopped half-way.
  if (mark.uses < request.uses && !request.halfWay) needAllThere(files, [target, mover]);
  work.report(`taking ${files.length} disk(s) off ${target.name}`);
  await ensureUnplugged(at, target, files, [stateOption('open'), usesOption(request.uses)], work);
  const disks = files.map((file, index) => ({ file, sizeBytes: request.pairs[index]?.source.sizeBytes ?? 0 }));
  return plugIntoMover(at, request, mover, disks, work);
}

/** S8: what was taken off and returned again since, or more than once, is nothing for an attempt of that time. */
function needInTime({ uses, state }: Mark, request: ReopenRequest): void {
  if (uses < request.uses || (uses === request.uses && state !== 'returned')) return;
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
