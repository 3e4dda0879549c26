/**
 * The checks of what the machines stand on: their hosts, encryption, the modes of the disks, and vCenter's clock.
 * Rule: only what would stop or spoil a failback is refused. Changes nothing.
 */
import type { Check } from '../../model/check.ts';
import { clockCheck } from '../../model/clock-check.ts';
import type { Work } from '../source.ts';
import { check } from './check-outcome.ts';
import type { Machine, Vcenter } from './inventory.ts';
import type { Host, Shape } from './machine-shape.ts';
import { isOpen } from './marks.ts';
import { asPutBack } from './put-back.ts';
import { isA, type Ref } from './wire/shapes.ts';

/** `whose`: `target` or `mover`. A host in maintenance starts nothing, one that is away does nothing we ask. */
export function hostCheck(whose: 'target' | 'mover', { path }: Machine, host: Host | undefined): Check {
  const wrong = !host
    ? 'vCenter has it on no host'
    : host.connection !== 'connected'
      ? `its host ${host.name} is ${host.connection}`
      : host.maintenance
        ? `its host ${host.name} is in maintenance mode`
        : undefined;
  return check({
    id: `${whose}-host`,
    subject: path,
    wrong,
    right: `its host ${host?.name} is connected`,
    remedy: 'Bring the host back (connect it, leave maintenance mode), or move the machine to another host.',
  });
}

/** The key of an encrypted machine may be needed at its start, and its disks are not what the mover would write. */
export const encryptionCheck = (target: Machine, shape: Shape): Check =>
  check({
    id: 'target-not-encrypted',
    subject: target.path,
    wrong: shape.encrypted ? `${target.name} is encrypted by vSphere` : undefined,
    right: 'it is not encrypted by vSphere',
    remedy:
      'Decrypt the machine in the vSphere Client (VM Policies, Edit VM Storage Policies; remove its virtual TPM first).',
  });

const plainMode = 'persistent';
const outsideSnapshots = 'independent_persistent';

/** What is written in another mode is thrown away when the machine is switched off. */
export function diskModesCheck(target: Machine): Check {
  const recorded = isOpen(target.mark) ? target.mark.originals : [];
  // What a proof set and nobody put back yet is put back before a disk is taken.
  const disks = [...recorded, ...asPutBack(target)];
  const modes = (fits: (mode: string) => boolean) =>
    disks.filter(({ diskMode }) => fits(diskMode)).map(({ file, diskMode }) => `${file} is ${diskMode}`);
  const fleeting = modes((mode) => mode !== '' && mode !== plainMode && mode !== outsideSnapshots);
  const apart = modes((mode) => mode === outsideSnapshots);
  const wrong = [...fleeting, ...apart].join('; ');
  return check({
    id: 'target-disk-modes',
    subject: target.path,
    wrong: wrong === '' ? undefined : wrong,
    right: 'all disks are persistent',
    remedy:
      fleeting.length > 0
        ? 'Set the disk mode to Dependent in the vSphere Client: what is written to such a disk is gone after the machine is switched off.'
        : 'Set the disk mode to Dependent in the vSphere Client, or know that snapshots and most backups pass this disk over.',
    verdict: fleeting.length > 0 ? 'refuse' : 'warn',
  });
}

/** A bus that several machines share lets another one write to the disks behind it. */
export function sharedBusCheck(target: Machine): Check {
  const shared = target.devices.filter(
    (one) => isA(one, 'VirtualSCSIController') && one.sharedBus !== undefined && one.sharedBus !== 'noSharing',
  );
  return check({
    id: 'target-bus-not-shared',
    subject: target.path,
    wrong: shared.length > 0 ? `SCSI controller ${shared.map(({ key }) => key).join(', ')} shares its bus` : undefined,
    right: 'no controller shares its bus',
    remedy: 'Set SCSI Bus Sharing of the controller to None in the vSphere Client: a cluster cannot come home so.',
  });
}

const serviceInstance: Ref = { type: 'ServiceInstance', value: 'ServiceInstance' };

export async function vcenterClockCheck(at: Vcenter, work: Work): Promise<Check> {
  const askedAt = Date.now();
  const theirs = await at.session.call('CurrentTime', serviceInstance, {}, work);
  return clockCheck('vcenter-clock', at.site, { theirs, askedAt, answeredAt: Date.now() });
}
