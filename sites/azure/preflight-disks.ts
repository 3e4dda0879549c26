/**
 * The checks on the machine's disks: what kind they are, and whether their bytes can be brought home.
 * Rule: looks only. One check for each disk and question, so that an operator sees which disk it is.
 */
import type { Disk, VirtualMachine } from '@azure/arm-compute';
import type { Check } from '../../model/check.ts';
import type { Work } from '../source.ts';
import { parsePath } from './arm-id.ts';
import { together } from './call.ts';
import { passed, seenAs } from './check-outcome.ts';
import type { AzureClients } from './client.ts';
import { type DiskPlace, diskPlaces, lastTaken, readDisk } from './machine.ts';
import { encryptionKeyCheck, guestEncryptionCheck } from './preflight-encryption.ts';
import { snapshotChecks } from './preflight-snapshots.ts';
import { sectorBytesOf } from './sector-size.ts';
import { listSnapshots } from './snapshots.ts';

export interface SeenDisks {
  readonly checks: readonly Check[];
  /** As Azure shows them; none when some have no such resource. */
  readonly disks: readonly Disk[];
}

/** `now`: Azure's clock, epoch milliseconds. */
export async function diskChecks(
  azure: AzureClients,
  path: string,
  vm: VirtualMachine,
  now: number,
  work: Work,
): Promise<SeenDisks> {
  const places = diskPlaces(vm);
  const unmanaged = places.filter((place) => place.id === undefined || place.ephemeral);
  if (unmanaged.length > 0) return { checks: unmanaged.map((place) => unmanagedCheck(path, place)), disks: [] };
  const snapshots = await listSnapshots(azure, parsePath(path).resourceGroup, work);
  const perDisk = await together(
    places.map(async (place) => {
      const { disk, id = '' } = place;
      const seen = await readDisk(azure, id, work);
      const subject = `${path} ${disk}`;
      const checks = [
        sectorCheck(subject, seen),
        sharedCheck(subject, seen),
        kindCheck(subject, seen),
        makerCheck(subject, seen),
        acceleratorCheck(subject, place, seen),
        filledCheck(subject, seen, now),
        guestEncryptionCheck(subject, vm, seen),
        await encryptionKeyCheck(azure, subject, seen, work),
        ...snapshotChecks(subject, id, snapshots, now),
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
  const said = disk.creationData?.logicalSectorSize;
  const bytes = sectorBytesOf(said, disk.sku?.name);
  if (bytes === 512) return passed('source-disk-sector-size', subject, '512-byte sectors');
  return seenAs('source-disk-sector-size', 'refuse', subject, {
    seen: `${disk.name ?? subject} has ${bytes}-byte sectors${said === undefined ? ', the default of its kind' : ''}; Azure exports it as VHDX and a guest formatted so does not boot at home`,
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

/** The accelerator holds writes on the host; Microsoft's own documents disagree on whether a snapshot has them. */
function acceleratorCheck(subject: string, { accelerated }: DiskPlace, disk: Disk): Check {
  const id = 'source-disk-write-accelerator';
  if (!accelerated) return passed(id, subject, 'written without Write Accelerator');
  return seenAs(id, 'refuse', subject, {
    seen: `${disk.name ?? subject} is written through Write Accelerator; a snapshot may lack what the accelerator still holds`,
    remedy:
      'Switch it off: az vm update -g <group> -n <machine> --write-accelerator <lun>=false, with the machine deallocated.',
  });
}

/** Documented: filling a disk that was made from a snapshot may take a day. */
const longestFillMs = 24 * 3_600_000;

/** A disk that Azure still fills in the background from what it was made of has no snapshots yet. */
function filledCheck(subject: string, { completionPercent, timeCreated, name = subject }: Disk, now: number): Check {
  const id = 'source-disk-filled';
  if (completionPercent === undefined || completionPercent >= 100) return passed(id, subject, 'filled completely');
  const since = timeCreated?.getTime() ?? now;
  const until = new Date(since + longestFillMs).toISOString();
  const words = {
    seen: `Azure has filled ${completionPercent} % of ${name} from the snapshot it was made of`,
    remedy:
      'A run asks again by itself until it is filled. If it makes no progress, look at the disk in the Azure portal.',
  };
  if (now >= since + longestFillMs) return seenAs(id, 'refuse', subject, words);
  const wait = { for: `Azure to fill ${name} (${completionPercent} %)`, since: new Date(since).toISOString(), until };
  return { ...seenAs(id, 'wait', subject, words), wait };
}

/** Tags that Azure Site Recovery and Azure Migrate leave on disks they make; they tell who made it and nothing of why. */
const makerTags = ['AzHydration-ManagedDisk-CreatedBy', 'ASR-ReplicaDisk'];

/** Evidence only: a failover, a test and a migration leave the same tags, so nothing is refused for them. */
function makerCheck(subject: string, { tags = {} }: Disk): Check {
  const found = makerTags.flatMap((tag) => (tags[tag] === undefined ? [] : [`${tag}: ${tags[tag]}`]));
  return passed('source-disk-maker', subject, found.length > 0 ? found.join(', ') : 'no tag tells who made it');
}
