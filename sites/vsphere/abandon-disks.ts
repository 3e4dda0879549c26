/**
 * The undo of opening and returning. In place the disks end on nothing and the record stays, because their bytes are
 * torn; staged the new disks go and the originals hang in their slots as before.
 * Rule: the machine is fenced from starting before anything is unplugged, and the marks go last (S4, S5).
 */
import type { Work } from '../source.ts';
import type { TargetRequest } from '../target.ts';
import { needHeldOnlyBy, needQuietTarget } from './disk-guards.ts';
import { findMachine, type Machine, needMachine, type Vcenter } from './inventory.ts';
import { type Mark, stateOption, unmarkOptions } from './marks.ts';
import { ensureOptions, ensurePlugged, ensureUnplugged } from './reconfigure.ts';
import { ensureStagedFileGone } from './staged-disks.ts';

/** @returns what stays on purpose: in place, the files that hang on nothing until a later run repairs them. */
export async function ensureDisksAbandoned(at: Vcenter, request: TargetRequest, work: Work): Promise<string[]> {
  const target = await findMachine(at, request.path, work);
  const mark = target?.mark;
  // No record of this run: it never touched a disk, has been undone already, or a newer run has taken over.
  if (!target || mark?.run !== request.run) return [];
  const mover = await needMachine(at, request.mover, work);
  if (mark.way === 'staged') {
    await abandonStaged(at, target, mover, mark, work);
    return [];
  }
  return abandonInPlace(at, target, mover, mark, work);
}

async function abandonInPlace(at: Vcenter, target: Machine, mover: Machine, mark: Mark, work: Work): Promise<string[]> {
  if (mark.state === 'recorded') {
    await ensureOptions(at, target, unmarkOptions(mark), work);
    return [];
  }
  const files = mark.originals.map((one) => one.file);
  if (target.disks.some((disk) => files.includes(disk.file))) needQuietTarget(target);
  work.report(`unplugging the disks of ${target.name} everywhere`);
  await ensureUnplugged(at, target, files, [stateOption('open')], work);
  await ensureUnplugged(at, mover, files, [], work);
  await needHeldOnlyBy(at, files, [], work);
  return files;
}

/** Also used by a later run that finds the staging of an abandoned one. */
export async function abandonStaged(
  at: Vcenter,
  target: Machine,
  mover: Machine,
  mark: Mark,
  work: Work,
): Promise<void> {
  needQuietTarget(target);
  work.report(`unplugging what run ${mark.run} staged`);
  await ensureUnplugged(at, target, mark.staged, [stateOption('open')], work);
  await ensureUnplugged(at, mover, mark.staged, [], work);
  await needHeldOnlyBy(at, mark.staged, [], work);
  for (const file of mark.staged) {
    work.report(`deleting ${file}`);
    await ensureStagedFileGone(at, file, work);
  }
  const plugs = mark.originals.map(({ file, sizeBytes, diskMode, controllerKey, unit }) => ({
    file,
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
