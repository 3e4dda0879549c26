/**
 * Whether all still stands at home as it was opened: what a person or a balancer of the data center may change meanwhile.
 * Rule: it looks anew each time and changes nothing. A disk that is another file than it was opened as is never taken for
 * the same: a write on its way while it was moved may be lost (S9).
 */
import type { Check } from '../../model/check.ts';
import { movedDiskCheck } from '../../model/opened.ts';
import type { Work } from '../source.ts';
import type { OpenedRequest } from '../target.ts';
import { check } from './check-outcome.ts';
import { findAnywhere, findMover, type Machine, type Vcenter } from './inventory.ts';
import { isOpen } from './marks.ts';
import { findCreated } from './new-machine.ts';
import { moverSnapshotsCheck, targetOffCheck, targetSnapshotsCheck } from './preflight-machines.ts';

/** `found`: false for a machine that stands nowhere any more. */
const stands = (id: string, subject: string, found: boolean): Check =>
  check({
    id,
    subject,
    wrong: found ? undefined : `no machine stands at ${subject} any more`,
    right: 'it is where it was',
    remedy: 'Register it again in the vSphere Client where it was, or take the run back.',
  });

/** Without its record the disks could not be given back to it, and anybody could start it (S4). */
export function recordCheck({ path, run }: OpenedRequest, { mark, name }: Machine): Check {
  const ours = isOpen(mark) && mark.run === run;
  return check({
    id: 'target-record-stays',
    subject: path,
    wrong: ours
      ? undefined
      : mark
        ? `${name} carries the record of run ${mark.run} (${mark.state})`
        : `the record of this run was removed from ${name}`,
    right: 'it carries the record of this run',
    remedy:
      'Somebody removed or changed the homeward.* settings of the machine. Find out who; then take the run back and start a new one.',
  });
}

/** In place they hang on nothing else; staged the originals stay where they were, for the way back, until the machine gets the new disks. */
export function originalsCheck({ path }: OpenedRequest, { mark, disks, name }: Machine): Check {
  const kept = isOpen(mark) && mark.way === 'staged' && mark.uses === 0 ? mark.originals : [];
  const gone = kept.filter(({ file }) => !disks.some((disk) => disk.file === file)).map(({ file }) => file);
  return check({
    id: 'original-disks-stay',
    subject: path,
    wrong: gone.length > 0 ? `${name} does not hold ${gone.join(', ')} any more` : undefined,
    right: 'its own disks are as they were',
    remedy:
      'They were moved (Storage vMotion) or unplugged. Put them back where they were, then resolve with retry; or take the run back.',
  });
}

/** Each disk as the file it was opened as, on the mover. */
export function openDisksCheck({ open, mover: path }: OpenedRequest, mover: Machine): Check {
  const moved: string[] = [];
  for (const { file, uuid } of open) {
    if (mover.disks.some((disk) => disk.file === file)) continue;
    const elsewhere = mover.disks.find((disk) => uuid !== '' && disk.uuid === uuid);
    moved.push(elsewhere ? `${file} is ${elsewhere.file} now` : `${file} does not hang on it any more`);
  }
  return check({
    id: movedDiskCheck,
    subject: path,
    wrong: moved.length > 0 ? moved.join('; ') : undefined,
    right: `${open.length} open disk(s) hang on it as they were opened`,
    remedy:
      'Storage vMotion moved the mover, or somebody unplugged its disks. Exclude the mover from Storage DRS, move the disks back where they were and plug them in, then resolve with retry: they are copied in full again. Or take the run back.',
  });
}

export async function observeOpened(at: Vcenter, request: OpenedRequest, work: Work): Promise<Check[]> {
  const { path, run } = request;
  const target =
    request.write === 'created' ? await findCreated(at, request, work) : await findAnywhere(at, path, work, run);
  const mover = await findMover(at, request.mover, work);
  return [
    stands('target-stays', path, target !== undefined),
    ...(target
      ? [
          targetOffCheck(path, target),
          targetSnapshotsCheck(path, target),
          recordCheck(request, target),
          originalsCheck(request, target),
        ]
      : []),
    stands('mover-stays', request.mover, mover !== undefined),
    ...(mover ? [moverSnapshotsCheck(request.mover, mover), openDisksCheck(request, mover)] : []),
  ];
}
