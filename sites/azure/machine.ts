/**
 * Observes a machine in Azure: the VM, its instance view, its managed disks and its NICs.
 * Rule: an observation says what Azure said; only "deallocated" counts as stopped (S1).
 * Changes nothing.
 */
import { createHash } from 'node:crypto';
import type { Disk, VirtualMachine } from '@azure/arm-compute';
import type { NetworkInterface } from '@azure/arm-network';
import { Failure, refused } from '../../model/failure.ts';
import type {
  DiskKey,
  Power,
  SourceDisk,
  SourceHardware,
  SourceMachine,
  SourceNic,
  SourceState,
  SourceSystem,
} from '../../model/machine.ts';
import type { Work } from '../source.ts';
import { parseId, parsePath, sameId } from './arm-id.ts';
import { ask, look, together } from './call.ts';
import type { AzureClients } from './client.ts';
import type { NetworkClients } from './network-client.ts';
import { sectorBytesOf } from './sector-size.ts';

/** A disk as the VM names it; `id` is absent where it is no managed disk. */
export interface DiskPlace {
  readonly disk: DiskKey;
  readonly id: string | undefined;
  readonly ephemeral: boolean;
  /** Written through Write Accelerator. */
  readonly accelerated: boolean;
}

/** The VM with its power state, or undefined when it does not exist. `answeredAt`: told Azure’s own time, as its header has it. */
export function readVm(
  azure: AzureClients,
  path: string,
  work: Work,
  answeredAt: (date: string | undefined) => void = () => undefined,
): Promise<VirtualMachine | undefined> {
  const { resourceGroup, vm } = parsePath(path);
  return look({ op: 'virtualMachines.get', subject: path }, work, (call) =>
    azure.compute.virtualMachines.get(resourceGroup, vm, {
      ...call,
      expand: 'instanceView',
      onResponse: ({ headers }) => answeredAt(headers.get('date')),
    }),
  );
}

/** What the guest runs, as far as the disk and an agent inside tell. */
function systemOf({ storageProfile, instanceView }: VirtualMachine): SourceSystem | undefined {
  const family = storageProfile?.osDisk?.osType?.toLowerCase();
  if (family !== 'windows' && family !== 'linux') return undefined;
  const name = [instanceView?.osName, instanceView?.osVersion].filter((one) => one !== undefined).join(' ');
  return { family, ...(name === '' ? {} : { name }) };
}

/** Disk keys outlive both incarnations: `os`, and `data-<lun>`. */
export function diskPlaces(vm: VirtualMachine): DiskPlace[] {
  const os = vm.storageProfile?.osDisk;
  const data = vm.storageProfile?.dataDisks ?? [];
  return [
    ...(os === undefined
      ? []
      : [
          {
            disk: 'os',
            id: os.managedDisk?.id,
            ephemeral: os.diffDiskSettings !== undefined,
            accelerated: os.writeAcceleratorEnabled === true,
          },
        ]),
    ...data
      .toSorted((one, other) => one.lun - other.lun)
      .map((each) => ({
        disk: `data-${each.lun}`,
        id: each.managedDisk?.id,
        ephemeral: false,
        accelerated: each.writeAcceleratorEnabled === true,
      })),
  ];
}

export function readDisk(azure: AzureClients, id: string, work: Work): Promise<Disk> {
  const { resourceGroup, name } = parseId(id);
  return ask({ op: 'disks.get', subject: id }, work, (call) => azure.compute.disks.get(resourceGroup, name, call));
}

/** The same of one that may be gone. */
export const findDisk = (azure: AzureClients, id: string, work: Work): Promise<Disk | undefined> => {
  const { resourceGroup, name } = parseId(id);
  return look({ op: 'disks.get', subject: name }, work, (call) => azure.compute.disks.get(resourceGroup, name, call));
};

export const readNic = (azure: NetworkClients, id: string, work: Work): Promise<NetworkInterface | undefined> => {
  const { resourceGroup, name } = parseId(id);
  return look({ op: 'networkInterfaces.get', subject: name }, work, (call) =>
    azure.network.networkInterfaces.get(resourceGroup, name, call),
  );
};

async function observeNic(azure: NetworkClients, path: string, id: string, work: Work): Promise<SourceNic> {
  const identity = (await readNic(azure, id, work))?.resourceGuid;
  if (identity !== undefined) return { id, identity };
  throw refused({
    op: 'observe the machine',
    subject: id,
    message: `Azure does not tell the identity of network interface ${parseId(id).name} of ${path}`,
    hint: 'Look at the network interface in the Azure portal; after the commit only one that is known by it is deleted.',
  });
}

export const nicIds = (vm: VirtualMachine): string[] =>
  (vm.networkProfile?.networkInterfaces ?? []).flatMap((nic) => (nic.id === undefined ? [] : [nic.id]));

/** Azure's own word for the power state. */
export function powerSeen(vm: VirtualMachine): string {
  if (vm.provisioningState === 'Deleting') return 'Deleting';
  const codes = vm.instanceView?.statuses?.flatMap(({ code }) => (code?.startsWith('PowerState/') ? [code] : [])) ?? [];
  return codes.at(-1) ?? 'PowerState/unknown';
}

/**
 * `PowerState/stopped` is not stopped for us: the guest is off, but the machine still holds its host, its disks are
 * still reserved for it, and a mere start brings it back in seconds. Only after deallocation has the platform let go
 * of the disks. An unknown state counts as running, because then it may write (S1).
 */
export function powerOf(seen: string): Power {
  if (seen === 'PowerState/deallocated') return 'stopped';
  const moving = ['PowerState/starting', 'PowerState/stopping', 'PowerState/deallocating', 'Deleting'];
  return moving.includes(seen) ? 'changing' : 'running';
}

/** Off, or on its way there, inside a machine that Azure has not taken its hardware from. */
const guestOff: readonly string[] = ['PowerState/stopped', 'PowerState/stopping', 'PowerState/deallocating'];

export async function observeMachine(azure: NetworkClients, path: string, work: Work): Promise<SourceMachine> {
  const vm = await readVm(azure, path, work);
  const whole = vm && (await unlessDeleted(azure, path, work, () => observeWhole(azure, path, vm, work)));
  return whole ?? { ...stateOf(azure, path, undefined), disks: [], nics: [] };
}

/**
 * Reads what belongs to a machine that was there. Undefined where something of it could not be read because the machine was
 * deleted meanwhile: who deletes one often deletes its disks with it, and may do so between two calls.
 */
export async function unlessDeleted<T>(
  azure: AzureClients,
  path: string,
  work: Work,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'Refused') throw error;
    if ((await readVm(azure, path, work)) !== undefined) throw error;
    return undefined;
  }
}

async function observeWhole(
  azure: NetworkClients,
  path: string,
  vm: VirtualMachine,
  work: Work,
): Promise<SourceMachine> {
  const state = stateOf(azure, path, vm);
  const disks = await together(diskPlaces(vm).map((place) => observeDisk(azure, path, place, work)));
  const seen = disks.map((one) => one.seen);
  const since = state.power === 'stopped' ? stoppedSince(vm, seen) : undefined;
  const nics = await together(nicIds(vm).map((id) => observeNic(azure, path, id, work)));
  return {
    ...state,
    ...(since === undefined ? {} : { stoppedSince: since }),
    disks: disks.map((one) => one.disk),
    nics,
    hardware: hardwareOf(vm, seen),
  };
}

/** The generation stands on the OS disk, and on the instance view where the machine runs. */
export function hardwareOf(vm: VirtualMachine, disks: readonly Disk[]): SourceHardware {
  const os = vm.storageProfile?.osDisk;
  const disk = disks.find(({ id }) => sameId(id, os?.managedDisk?.id));
  const generation = disk?.hyperVGeneration ?? vm.instanceView?.hyperVGeneration;
  const secureBoot = vm.securityProfile?.uefiSettings?.secureBootEnabled;
  const size = vm.hardwareProfile?.vmSize;
  return {
    ...(generation === 'V1' ? { generation: 1 } : generation === 'V2' ? { generation: 2 } : {}),
    ...(secureBoot === undefined ? {} : { secureBoot }),
    ...(size === undefined ? {} : { size }),
  };
}

/** What the machine alone tells: what a power command goes by hangs on no disk, whose ever it is, and on no network (S5). */
export const observeState = async (azure: AzureClients, path: string, work: Work): Promise<SourceState> =>
  stateOf(azure, path, await readVm(azure, path, work));

export function stateOf({ site }: AzureClients, path: string, vm: VirtualMachine | undefined): SourceState {
  const address = { site, path };
  if (vm === undefined) return { address, power: 'absent', powerSeen: 'absent' };
  const word = powerSeen(vm);
  const os = systemOf(vm);
  return {
    address,
    power: powerOf(word),
    powerSeen: word,
    ...(guestOff.includes(word) ? { guestOff: true } : {}),
    ...(word === 'Deleting' ? { beingDeleted: true } : {}),
    ...(os === undefined ? {} : { os }),
    ...(vm.vmId === undefined ? {} : { identity: vm.vmId }),
  };
}

/**
 * Since when a deallocated machine is stopped: the latest time at which one of its disks was taken or let go, and a hash
 * over all of them. Whoever starts the machine changes it, also when it was stopped again. The time of the machine's own
 * last change serves where a disk tells none. Undefined while Azure has not let go of the disks, or tells no time.
 */
export function stoppedSince(vm: VirtualMachine, disks: readonly Disk[]): string | undefined {
  if (disks.length === 0 || disks.some((disk) => disk.diskState === 'Attached')) return undefined;
  const known = disks.flatMap((disk) => lastTaken(vm, disk) ?? []);
  if (known.length < disks.length) return undefined;
  const latest = new Date(Math.max(...known.map((time) => time.getTime())));
  const each = disks.map((disk, at) => `${disk.uniqueId} ${known[at]?.toISOString()}`).toSorted();
  return `${latest.toISOString()}/${createHash('sha256').update(each.join('\n')).digest('hex').slice(0, 16)}`;
}

/** When the disk was taken or let go for the last time, or later; undefined when Azure does not tell. */
export function lastTaken(vm: VirtualMachine, { lastOwnershipUpdateTime }: Disk): Date | undefined {
  const changed = vm.instanceView?.statuses?.find(({ code }) => code?.startsWith('ProvisioningState/'))?.time;
  const time = lastOwnershipUpdateTime ?? changed;
  return time === undefined || Number.isNaN(time.getTime()) ? undefined : time;
}

interface SeenDisk {
  readonly disk: SourceDisk;
  readonly seen: Disk;
}

async function observeDisk(azure: AzureClients, path: string, place: DiskPlace, work: Work): Promise<SeenDisk> {
  const { disk, id } = place;
  if (id === undefined || place.ephemeral)
    throw refused({
      op: 'observe the machine',
      subject: path,
      message: `disk ${disk} of ${path} is ${place.ephemeral ? 'ephemeral' : 'not a managed disk'}`,
      hint: 'Only managed disks have incremental snapshots: convert the disk in Azure first.',
    });
  const seen = await readDisk(azure, id, work);
  const { uniqueId, diskSizeBytes } = seen;
  if (uniqueId === undefined || diskSizeBytes === undefined)
    throw refused({
      op: 'observe the machine',
      subject: id,
      message: `Azure does not tell the identity and the size of disk ${disk} of ${path}`,
      hint: 'Look at the disk in the Azure portal; its creation may have failed.',
    });
  const recorded: SourceDisk = {
    disk,
    id,
    name: seen.name ?? parseId(id).name,
    sizeBytes: diskSizeBytes,
    sectorBytes: sectorBytesOf(seen.creationData?.logicalSectorSize, seen.sku?.name),
    identity: uniqueId,
    sku: seen.sku?.name ?? 'unknown',
  };
  return { disk: recorded, seen };
}
