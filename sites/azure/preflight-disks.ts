/**
 * The checks on the machine's disks: what kind they are, whether their bytes can be brought home, room for snapshots.
 * Rule: looks only. One check for each disk and question, so that an operator sees which disk it is.
 */
import type { Disk, Snapshot, VirtualMachine } from '@azure/arm-compute';
import type { Check } from '../../model/check.ts';
import type { Work } from '../source.ts';
import { parsePath, sameId } from './arm-id.ts';
import { together } from './call.ts';
import { passed, seenAs } from './check-outcome.ts';
import type { AzureClients } from './client.ts';
import { type DiskPlace, diskPlaces, lastTaken, readDisk } from './machine.ts';
import { listSnapshots } from './snapshots.ts';

/** Azure's limit of incremental snapshots of one disk at a time, and how many a failback keeps beside each other. */
const mostSnapshots = 500;
const roomNeeded = 3;
const warnAbove = 450;

export interface SeenDisks {
  readonly checks: readonly Check[];
  /** As Azure shows them; none when some have no such resource. */
  readonly disks: readonly Disk[];
}

export async function diskChecks(
  azure: AzureClients,
  path: string,
  vm: VirtualMachine,
  work: Work,
): Promise<SeenDisks> {
  const places = diskPlaces(vm);
  const unmanaged = places.filter((place) => place.id === undefined || place.ephemeral);
  if (unmanaged.length > 0) return { checks: unmanaged.map((place) => unmanagedCheck(path, place)), disks: [] };
  const snapshots = await listSnapshots(azure, parsePath(path).resourceGroup, work);
  const perDisk = await together(
    places.map(async ({ disk, id = '' }) => {
      const seen = await readDisk(azure, id, work);
      const subject = `${path} ${disk}`;
      const checks = [
        sectorCheck(subject, seen),
        sharedCheck(subject, seen),
        kindCheck(subject, seen),
        encryptionCheck(subject, vm, seen),
        quotaCheck(subject, id, snapshots),
        witnessCheck(subject, lastTaken(vm, seen)),
      ];
      return { checks, seen };
    }),
  );
  const managed = passed('source-managed-disks', path, `${places.length} managed disks`, 'S002-4');
  return { checks: [managed, ...perDisk.flatMap((one) => one.checks)], disks: perDisk.map((one) => one.seen) };
}

const unmanagedCheck = (path: string, { disk, ephemeral }: DiskPlace): Check =>
  seenAs('source-managed-disks', 'refuse', `${path} ${disk}`, {
    requirement: 'S002-4',
    seen: `disk ${disk} is ${ephemeral ? 'ephemeral' : 'not a managed disk'}`,
    remedy: ephemeral
      ? 'Its content lives on the host and is lost with a deallocation: move the machine to a managed OS disk in Azure first.'
      : 'Convert it to a managed disk in Azure; only those have incremental snapshots.',
  });

function sectorCheck(subject: string, disk: Disk): Check {
  const bytes = disk.creationData?.logicalSectorSize ?? 512;
  if (bytes === 512) return passed('source-disk-sector-size', subject, '512-byte sectors');
  return seenAs('source-disk-sector-size', 'refuse', subject, {
    seen: `${disk.name ?? subject} has ${bytes}-byte sectors; Azure exports it as VHDX and a guest formatted so does not boot at home`,
    remedy: 'Copy its content to a disk with 512-byte sectors in Azure, attach that instead, and start again.',
  });
}

function sharedCheck(subject: string, disk: Disk): Check {
  const shares = disk.maxShares ?? 1;
  if (shares <= 1) return passed('source-disk-shared', subject, 'used by one machine');
  return seenAs('source-disk-shared', 'refuse', subject, {
    seen: `${disk.name ?? subject} may be shared by ${shares} machines; another one could write after this one stopped`,
    remedy: 'Set maxShares to 1 in Azure once the other machines have let go of it.',
  });
}

function kindCheck(subject: string, disk: Disk): Check {
  const sku = disk.sku?.name ?? 'unknown';
  if (sku !== 'UltraSSD_LRS' && sku !== 'PremiumV2_LRS') return passed('source-disk-kind', subject, sku);
  return seenAs('source-disk-kind', 'warn', subject, {
    seen: `${sku}: Azure copies each snapshot in the background before it can be read`,
    remedy: 'Expect longer rounds and a longer cutover; nothing needs to be done.',
  });
}

function encryptionCheck(subject: string, vm: VirtualMachine, disk: Disk): Check {
  const osSettings = vm.storageProfile?.osDisk?.encryptionSettings;
  const byDisk = disk.encryptionSettingsCollection?.enabled === true;
  const isOs = sameId(vm.storageProfile?.osDisk?.managedDisk?.id, disk.id);
  if (!byDisk && !(isOs && osSettings?.enabled === true))
    return passed('source-disk-encryption', subject, 'not encrypted inside the guest by Azure');
  return seenAs('source-disk-encryption', 'refuse', subject, {
    seen: `${disk.name ?? subject} uses Azure Disk Encryption; its key stays in Azure Key Vault and the guest would not boot at home`,
    remedy: 'Switch Azure Disk Encryption off and let the disk be decrypted; encryption at rest may stay.',
  });
}

/** Without this time nobody can see whether the machine ran again after its final recovery point. */
function witnessCheck(subject: string, taken: Date | undefined): Check {
  const id = 'source-disk-ownership-time';
  if (taken !== undefined)
    return passed(id, subject, `last attached, started or deallocated at ${taken.toISOString()}`);
  return seenAs(id, 'refuse', subject, {
    seen: 'Azure does not tell when the disk was last attached, started or deallocated',
    remedy:
      'Look for lastOwnershipUpdateTime of the disk in Azure; deallocating and starting the machine once sets it.',
  });
}

/** Counts in the machine's resource group only, where ours are made. */
function quotaCheck(subject: string, id: string, snapshots: readonly Snapshot[]): Check {
  const count = snapshots.filter((one) => one.incremental && sameId(one.creationData?.sourceResourceId, id)).length;
  const seen = `${count} of ${mostSnapshots} incremental snapshots exist`;
  if (count <= warnAbove) return passed('snapshot-quota', subject, seen);
  return seenAs('snapshot-quota', count + roomNeeded > mostSnapshots ? 'refuse' : 'warn', subject, {
    seen,
    remedy: 'Delete old incremental snapshots of this disk, or shorten the retention of its backups.',
  });
}
