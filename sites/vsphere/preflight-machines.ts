/**
 * The checks that a look at the two machines answers: the target, its disks, the mover.
 * Rule: each check is small and names the object and the remedy; disks are compared in slot order, as they will be paired.
 */
import type { Check } from '../../model/check.ts';
import type { TargetDisk } from '../../model/machine.ts';
import type { TargetPreflight } from '../target.ts';
import { check } from './check-outcome.ts';
import { bySlot, freeSlots } from './devices.ts';
import { clashesOf, clashRemedy } from './disk-guards.ts';
import type { Machine } from './inventory.ts';
import { leftCheck } from './left-by-a-run.ts';
import { isOpen, type Mark } from './marks.ts';

const pathRemedy =
  'Check the path in the inventory (/<datacenter>/vm/<folders>/<machine>) and that the account may see the machine.';

/** The record of the run that is under way, on the machine that it brings home. */
const ownMark = ({ run }: Pick<TargetPreflight, 'run'>, target: Machine | undefined): Mark | undefined =>
  run !== undefined && target?.mark?.run === run ? target.mark : undefined;

/** The disks that this run has plugged into the mover already, when it asks again. */
function ownOnMover(mark: Mark | undefined, mover: Machine): number {
  if (!isOpen(mark)) return 0;
  const files = mark.way === 'in-place' ? mark.originals.map(({ file }) => file) : mark.staged;
  return mover.disks.filter(({ file }) => files.includes(file)).length;
}

function snapshotsWrong(machine: Machine): string | undefined {
  if (machine.snapshots > 0) return `${machine.name} has ${machine.snapshots} snapshot(s)`;
  return machine.consolidationNeeded ? `the disks of ${machine.name} need consolidation` : undefined;
}

export function targetChecks(request: TargetPreflight, target: Machine | undefined): Check[] {
  const subject = request.path;
  const found = check({
    id: 'target-found',
    subject,
    wrong: target ? undefined : `no machine stands at ${subject}`,
    right: 'the target machine exists',
    remedy: pathRemedy,
  });
  if (!target) return [found];
  const own = ownMark(request, target);
  return [
    found,
    own && request.beside ? ownPowerCheck(subject, target, own) : targetOffCheck(subject, target),
    targetSnapshotsCheck(subject, target),
    leftCheck(request, target),
  ];
}

/** Told to whoever asks beside the run: it gave the disks back sealed, and the machine may be live by its own doing. */
const ownPowerCheck = (subject: string, target: Machine, own: Mark): Check =>
  own.state === 'returned' && target.power === 'running'
    ? check({
        id: 'target-powered-off',
        requirement: 'S000-27',
        subject,
        right: `${target.name} is ${target.powerSeen}: run ${own.run}, which is under way, gave its disks back sealed and started it`,
        remedy: '',
      })
    : targetOffCheck(subject, target);

export const targetOffCheck = (subject: string, target: Machine): Check =>
  check({
    id: 'target-powered-off',
    requirement: 'S000-27',
    subject,
    wrong: target.power === 'stopped' ? undefined : `${target.name} is ${target.powerSeen}`,
    right: `${target.name} is ${target.powerSeen}`,
    remedy: 'Power the on-prem machine off and keep it off until the failback starts it.',
  });

export const targetSnapshotsCheck = (subject: string, target: Machine): Check =>
  check({
    id: 'target-no-snapshots',
    requirement: 'S000-4',
    subject,
    wrong: snapshotsWrong(target),
    right: 'no snapshots, nothing to consolidate',
    remedy:
      'Delete all snapshots of the machine in the vSphere Client (this merges them into the disks), then “Consolidate” if it asks for it.',
  });

export const moverSnapshotsCheck = (subject: string, mover: Machine): Check =>
  check({
    id: 'mover-no-snapshots',
    requirement: 'S000-4',
    subject,
    wrong: snapshotsWrong(mover),
    right: 'no snapshots, nothing to consolidate',
    remedy: 'Delete all snapshots of the mover, and exclude it from the backup that takes them.',
  });

export function moverChecks(
  request: Pick<TargetPreflight, 'mover' | 'diskSizesBytes' | 'run'>,
  mover: Machine | undefined,
  target: Machine | undefined,
): Check[] {
  const subject = request.mover;
  const found = check({
    id: 'mover-found',
    subject,
    wrong: mover ? undefined : `no machine stands at ${subject}`,
    right: 'the mover exists',
    remedy: pathRemedy,
  });
  if (!mover) return [found];
  const free = freeSlots(mover.devices).length;
  const own = ownMark(request, target);
  const held = ownOnMover(own, mover);
  // What was given back sealed comes to the mover again only when a person chooses another point.
  const given = own?.state === 'returned';
  const needed = request.diskSizesBytes.length - held;
  const why = given ? ` for another point (change-point) of run ${own.run}; its commit needs none` : '';
  const slots = `SCSI slots: ${free} free, ${needed} needed${why}`;
  const enabled = mover.extraConfig.some(
    ({ key, value }) => key?.toLowerCase() === 'disk.enableuuid' && String(value).toLowerCase() === 'true',
  );
  return [
    found,
    check({
      id: 'mover-powered-on',
      subject,
      wrong: mover.power === 'running' ? undefined : `the mover is ${mover.powerSeen}`,
      right: `the mover is ${mover.powerSeen}`,
      remedy: 'Power the mover on and wait until its worker is connected.',
    }),
    moverSnapshotsCheck(subject, mover),
    check({
      id: 'mover-not-target',
      subject,
      wrong: mover.ref.value === target?.ref.value ? 'the mover and the target are the same machine' : undefined,
      right: 'the mover is another machine than the target',
      remedy: 'Name another machine as the mover in the inventory.',
    }),
    check({
      id: 'mover-free-slots',
      subject,
      wrong: free >= needed ? undefined : slots,
      right: held > 0 ? `${slots}: run ${own?.run}, which is under way, has ${held} disk(s) on it` : slots,
      remedy:
        'Add SCSI controllers to the mover while it is off (four controllers take 60 disks), or release other disks.',
      ...(given ? { verdict: 'warn' as const } : {}),
    }),
    check({
      id: 'mover-disk-uuids-visible',
      subject,
      wrong: enabled ? undefined : 'disk.EnableUUID is not TRUE, so hot-added disks have no WWN in the mover’s guest',
      right: 'disk.EnableUUID is TRUE',
      remedy:
        'Set disk.EnableUUID = TRUE on the mover while it is off. Not needed where the mover mounts the datastore.',
      verdict: 'warn',
    }),
  ];
}

/** The disks as this run would find them: the record where a run left them detached. */
export function disksInOrder(target: Machine): TargetDisk[] {
  const recorded = isOpen(target.mark) ? target.mark.originals : [];
  const slots = new Set(recorded.map((one) => one.slot));
  return [...recorded, ...target.disks.filter((disk) => !slots.has(disk.slot))].sort(bySlot);
}

export function diskChecks(request: TargetPreflight, target: Machine, mover: Machine | undefined): Check[] {
  const subject = request.path;
  const disks = disksInOrder(target);
  const special = target.disks.filter((disk) => disk.unsupported !== undefined);
  const clashes = mover ? clashesOf(mover, disks) : [];
  return [
    check({
      id: 'target-disk-kinds',
      subject,
      wrong:
        special.length === 0
          ? undefined
          : special.map((disk) => `${disk.file || disk.slot}: ${disk.unsupported}`).join('; '),
      right: 'ordinary virtual disks only',
      remedy:
        'Raw device mappings, shared, encrypted and layered disks cannot come home: replace them by ordinary virtual disks.',
    }),
    check({
      id: 'target-disk-uuid-clash',
      requirement: 'S000-9',
      subject,
      wrong: clashes.length === 0 ? undefined : `same disk UUID: ${clashes.join('; ')}`,
      right: 'no disk shares its UUID with another one on the mover',
      remedy: clashRemedy,
    }),
  ];
}
