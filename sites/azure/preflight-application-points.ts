/**
 * The checks on what application-consistent points cover: asked only where the policy takes such points.
 * Rule: looks only, and never refuses: without such a point the latest one still comes home.
 * The limits are those of Microsoft Learn, "Overview of Virtual Machine restore points" and its support matrix.
 */
import type { Disk, VirtualMachine } from '@azure/arm-compute';
import type { Check } from '../../model/check.ts';
import type { SourcePreflight, Work } from '../source.ts';
import { parseId, parsePath, sameId } from './arm-id.ts';
import { look, together } from './call.ts';
import { passed, seenAs } from './check-outcome.ts';
import type { AzureClients } from './client.ts';
import { diskPlaces, readDisk } from './machine.ts';

type Wish = NonNullable<SourcePreflight['applicationPoints']>;
const requirement = 'S001-13';

/** Restore points of one machine at a time, in all its collections. */
const mostPoints = 500;
/** Three creations an hour; the support matrix asks for three hours between two. */
const leastSeconds = 1_200;
const advisedSeconds = 10_800;

/** What the answers are found from. */
export interface Facts {
  readonly vm: VirtualMachine;
  /** Of each disk place what Azure shows; absent for a disk that is not a managed one. */
  readonly disks: readonly { readonly disk: string; readonly seen: Disk | undefined }[];
  /** How many restore points of the machine exist. */
  readonly points: number;
}

export async function applicationPointChecks(
  azure: AzureClients,
  path: string,
  vm: VirtualMachine,
  wish: Wish,
  work: Work,
): Promise<Check[]> {
  const disks = await together(
    diskPlaces(vm).map(async ({ disk, id }) => ({
      disk,
      seen: id === undefined ? undefined : await readDisk(azure, id, work),
    })),
  );
  return answers(path, { vm, disks, points: await pointsOf(azure, path, vm, work) }, wish);
}

/** Pure. */
export const answers = (path: string, { vm, disks, points }: Facts, wish: Wish): Check[] => [
  guestCheck(path, vm),
  rateCheck(path, wish),
  limitCheck(path, points, wish),
  oneMomentCheck(path, vm),
  hostCacheCheck(path, vm),
  ...disks.flatMap(({ disk, seen }) => [coverCheck(`${path} ${disk}`, seen), copyCheck(`${path} ${disk}`, seen)]),
];

function guestCheck(path: string, vm: VirtualMachine): Check {
  const id = 'application-point-guest';
  if (vm.storageProfile?.osDisk?.osType === 'Windows')
    return { ...passed(id, path, 'Windows: VSS holds its applications still'), requirement };
  return seenAs(id, 'warn', path, {
    requirement,
    seen: 'Linux: without pre- and post-scripts Azure holds its file systems still and not its applications, and such a point does not count',
    remedy:
      'Set up the scripts of the VM snapshot extension in the guest; the status tells whether a point was reached.',
  });
}

function rateCheck(path: string, { everySeconds }: Wish): Check {
  const id = 'application-point-rate';
  const seen = `one every ${everySeconds} s`;
  if (everySeconds >= advisedSeconds) return passed(id, path, seen);
  return seenAs(id, 'warn', path, {
    seen:
      everySeconds < leastSeconds
        ? `${seen}; Azure takes at most three an hour of a machine and refuses the others`
        : `${seen}; Azure’s support matrix asks for three hours between two`,
    remedy: `Set applicationPointEverySeconds of the policy to ${advisedSeconds} or more.`,
  });
}

/** Counts in the machine's resource group only, where ours are made. */
async function pointsOf(azure: AzureClients, path: string, vm: VirtualMachine, work: Work): Promise<number> {
  const { resourceGroup } = parsePath(path);
  const what = { op: 'restorePointCollections.list', subject: resourceGroup };
  const own = await look(what, work, async (call) => {
    const names: string[] = [];
    for await (const each of azure.compute.restorePointCollections.list(resourceGroup, call))
      if (sameId(each.source?.id, vm.id)) names.push(parseId(each.id ?? '').name);
    return names;
  });
  const counts = await together(
    (own ?? []).map((name) =>
      look({ op: 'restorePointCollections.get', subject: name }, work, (call) =>
        azure.compute.restorePointCollections.get(resourceGroup, name, { ...call, expand: 'restorePoints' }),
      ),
    ),
  );
  return counts.reduce((sum, one) => sum + (one?.restorePoints?.length ?? 0), 0);
}

function limitCheck(path: string, count: number, { keep }: Wish): Check {
  const id = 'application-point-limit';
  const seen = `${count} of ${mostPoints} restore points of the machine exist`;
  // One more than are kept: the next is made before the oldest goes.
  if (count + keep + 1 <= mostPoints) return passed(id, path, seen);
  return seenAs(id, 'warn', path, {
    seen,
    remedy: 'Delete old restore points of this machine, or shorten the retention of its backups.',
  });
}

/** Azure Boost sizes: Intel from v6, AMD from v7. Arm sizes are not named there. */
function isBoost(size: string): boolean {
  const [, features = '', version = ''] = /^[A-Za-z]+_[A-Z]+\d+(?:-\d+)?([a-z]*)(?:_.*)?_v(\d+)$/.exec(size) ?? [];
  if (features.includes('p')) return false;
  return Number(version) >= (features.includes('a') ? 7 : 6);
}

function oneMomentCheck(path: string, vm: VirtualMachine): Check {
  const id = 'application-point-one-moment';
  const size = vm.hardwareProfile?.vmSize ?? 'unknown size';
  const data = vm.storageProfile?.dataDisks?.length ?? 0;
  if (!isBoost(size) || data < 2) return passed(id, path, `${size} with ${data} data disks`);
  return seenAs(id, 'warn', path, {
    seen: `${size} with ${data} data disks: only while its applications are held still are its disks of one moment`,
    remedy: 'Choose the latest point, which is taken after the stop, unless an application-consistent one is there.',
  });
}

function hostCacheCheck(path: string, vm: VirtualMachine): Check {
  const id = 'application-point-host-cache';
  const { osDisk, dataDisks = [] } = vm.storageProfile ?? {};
  const cached = [osDisk, ...dataDisks].flatMap((disk) => (disk?.caching === 'ReadWrite' ? [disk.name ?? ''] : []));
  if (cached.length === 0) return passed(id, path, 'no disk caches writes on the host');
  return seenAs(id, 'warn', path, {
    seen: `the host caches writes of ${cached.join(', ')}: a point of the running machine holds only what was flushed`,
    remedy: 'Set host caching to ReadOnly or None, or choose the latest point: the stop flushes the cache first.',
  });
}

/** Restore points of these are copied in the background before they can be read, and a point is waited for 15 minutes. */
function copyCheck(subject: string, disk: Disk | undefined): Check {
  const id = 'application-point-copy';
  const sku = disk?.sku?.name ?? 'unknown';
  if (sku !== 'UltraSSD_LRS' && sku !== 'PremiumV2_LRS') return passed(id, subject, `${sku}: readable at once`);
  return seenAs(id, 'warn', subject, {
    seen: `${sku}: Azure copies its restore points in the background, and one that takes longer than 15 minutes is given up`,
    remedy: 'Look in the status whether such points are taken at all; the latest point needs none of it.',
  });
}

function coverCheck(subject: string, disk: Disk | undefined): Check {
  const id = 'application-point-cover';
  if (disk && (disk.maxShares ?? 1) <= 1) return passed(id, subject, 'covered by restore points');
  return seenAs(id, 'warn', subject, {
    seen: disk
      ? `${disk.name ?? subject} may be shared, and restore points leave shared disks out`
      : 'restore points leave ephemeral and unmanaged disks out',
    remedy: 'No application-consistent point can be taken with this disk: only the latest one comes home.',
  });
}
