/**
 * The questions asked before a disk is moved: may this machine be touched, is the disk ours to take, who holds it.
 * Rule: each answers by returning or by a Refused/Fenced failure that names the object and the way out.
 * Changes nothing.
 */
import { fenced, refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { TargetRequest } from '../target.ts';
import type { AttachedDisk } from './devices.ts';
import { holdersOf, type Machine, type Vcenter } from './inventory.ts';
import type { Mark } from './marks.ts';

const no = (subject: string, message: string, hint: string): Error =>
  refused({ op: 'target disks', subject, message, hint });

/** A machine whose disks are to be taken or given: off, without snapshots, nothing left to merge. */
export function needQuietTarget(machine: Machine): void {
  needOff(machine);
  needNoSnapshots(machine);
}

export function needOff(machine: Machine): void {
  if (machine.power === 'stopped') return;
  throw no(
    machine.path,
    `${machine.name} is ${machine.powerSeen}`,
    'Power the on-prem machine off and keep it off until the failback starts it.',
  );
}

export function needNoSnapshots(machine: Machine): void {
  if (machine.snapshots > 0)
    throw no(
      machine.path,
      `${machine.name} has ${machine.snapshots} snapshot(s)`,
      'Delete its snapshots in the vSphere Client (their content is merged), then retry.',
    );
  if (machine.consolidationNeeded)
    throw no(
      machine.path,
      `the disks of ${machine.name} need consolidation`,
      'Run “Consolidate” on the machine in the vSphere Client, then retry.',
    );
}

export function needReadyMover(mover: Machine, target: Machine): void {
  if (mover.ref.value === target.ref.value)
    throw no(
      mover.path,
      'the mover and the target are the same machine',
      'Name another machine as the mover in the inventory.',
    );
  if (mover.power !== 'running')
    throw no(mover.path, `the mover ${mover.name} is ${mover.powerSeen}`, 'Power the mover on.');
  needNoSnapshots(mover);
}

/** S7, S8: a step of a run that is not the one on record has no business here any more. */
export function needOwnMark(machine: Machine, request: TargetRequest): Mark {
  const { mark } = machine;
  if (mark?.run === request.run) return mark;
  if (mark)
    throw fenced({
      op: 'target disks',
      subject: machine.path,
      message: `the disks of ${machine.name} belong to run ${mark.run}, not to ${request.run}`,
      hint: 'A newer run has taken over; this one ends by itself.',
    });
  throw no(
    machine.path,
    `${machine.name} carries no record of run ${request.run}`,
    'Somebody removed its homeward.* settings; nothing was changed by this step. Restore them, then resolve with retry. Or take the run back, leave out with skip what cannot be undone, and start a new one.',
  );
}

/** S8: a step of an arrival whose disks were taken off the machine again since has no business here any more either. */
export function needUsesNotAfter(machine: Machine, run: string, uses: number): void {
  const { mark } = machine;
  if (mark?.run !== run || mark.uses <= uses) return;
  throw fenced({
    op: 'target disks',
    subject: machine.path,
    message: `run ${run} has taken the disks off ${machine.name} ${mark.uses} time(s), this step knows of ${uses}`,
    hint: 'A late attempt; it ends by itself.',
  });
}

export function needSupported(disk: AttachedDisk): void {
  if (disk.unsupported !== undefined)
    throw no(
      disk.file,
      `${disk.file} cannot come home: ${disk.unsupported}`,
      'Replace it by an ordinary virtual disk, or leave this disk out of the inventory.',
    );
}

/** Two disks with one SCSI identity are one device name in the mover's guest: it could write into the wrong one (S000-9). */
export function clashesOf(
  mover: Machine,
  disks: readonly { readonly file: string; readonly uuid: string }[],
): string[] {
  const own = mover.disks.filter((disk) => !disks.some((one) => one.file === disk.file));
  const clashes = disks.flatMap((disk, at) =>
    [...own, ...disks.slice(0, at)]
      .filter((other) => other.uuid !== '' && other.uuid === disk.uuid)
      .map((other) => `${disk.file} and ${other.file}`),
  );
  return [...new Set(clashes)];
}

export const clashRemedy =
  'The disks were cloned from one template: give the mover’s disk a new UUID while it is off (vmkfstools -J setuuid), or use another mover.';

export function needNoClash(mover: Machine, disks: readonly { readonly file: string; readonly uuid: string }[]): void {
  const [clash] = clashesOf(mover, disks);
  if (clash !== undefined) throw no(mover.path, `${clash} have the same disk UUID`, clashRemedy);
}

/** S4: nobody but these machines may hold the files. Throws with the holder's name. */
export async function needHeldOnlyBy(
  at: Vcenter,
  files: readonly string[],
  allowed: readonly Machine[],
  work: Work,
): Promise<void> {
  for (const [file, holders] of await holdersOf(at, files, work)) {
    const stranger = holders.find(({ ref }) => !allowed.some((machine) => machine.ref.value === ref.value));
    if (stranger)
      throw no(
        file,
        `${file} is held by ${stranger.name}`,
        `Detach the disk from ${stranger.name} in the vSphere Client (keep its file), then retry.`,
      );
  }
}
