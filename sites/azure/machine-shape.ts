/**
 * What a machine in Azure is made of beside its disks, for a machine that is to be made like it elsewhere.
 * Rule: what Azure does not tell, or does not let us ask, is absent; the plan of the new machine then asks a person for it.
 * Changes nothing.
 */
import type { ResourceSku, VirtualMachine } from '@azure/arm-compute';
import type { NetworkInterface } from '@azure/arm-network';
import type { SourceShape } from '../../model/creation.ts';
import { Failure, refused } from '../../model/failure.ts';
import type { ShapeNic } from '../../model/nic-plan.ts';
import type { Work } from '../source.ts';
import { parseId } from './arm-id.ts';
import { together } from './call.ts';
import { diskPlaces, hardwareOf, nicIds, readDisk, readNic, readVm } from './machine.ts';
import { capability, readSize } from './machine-size.ts';
import type { NetworkClients } from './network-client.ts';

export async function observeShape(azure: NetworkClients, path: string, work: Work): Promise<SourceShape> {
  const vm = await readVm(azure, path, work);
  if (vm === undefined)
    throw refused({
      op: 'observe the machine',
      subject: path,
      message: `${path} does not exist in Azure`,
      hint: 'Correct the path of the source in the inventory: <resource group>/<machine>.',
    });
  const osDisk = diskPlaces(vm).find(({ disk }) => disk === 'os')?.id;
  const [disks, sku, nics] = await Promise.all([
    together(osDisk === undefined ? [] : [readDisk(azure, osDisk, work)]),
    sizeOf(azure, vm, work),
    together(primaryFirst(vm).map(async (id) => nicOf(id, await readNic(azure, id, work)))),
  ]);
  const { generation, size = 'unknown' } = hardwareOf(vm, disks);
  const cpus = capability(sku, 'vCPUs');
  const memoryGb = capability(sku, 'MemoryGB');
  const system = vm.storageProfile?.osDisk?.osType?.toLowerCase();
  return {
    size,
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryGb === undefined ? {} : { memoryMiB: Math.round(memoryGb * 1024) }),
    ...(generation === undefined ? {} : { firmware: generation === 1 ? 'bios' : 'efi' }),
    ...(system === 'linux' || system === 'windows' ? { system } : {}),
    nics,
  };
}

/** The list of sizes is a right of its own, on the whole subscription; who may not ask writes the figures down. */
async function sizeOf(azure: NetworkClients, vm: VirtualMachine, work: Work): Promise<ResourceSku | undefined> {
  try {
    return await readSize(azure, vm.location, vm.hardwareProfile?.vmSize ?? '', work);
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Refused') return undefined;
    throw error;
  }
}

function primaryFirst(vm: VirtualMachine): string[] {
  const primary = vm.networkProfile?.networkInterfaces?.find((nic) => nic.primary === true)?.id;
  const ids = nicIds(vm);
  return primary === undefined ? ids : [primary, ...ids.filter((id) => id !== primary)];
}

/** Azure writes a MAC as 00-0D-3A-1B-C7-21, and knows none before the machine ran for the first time. */
function nicOf(id: string, nic: NetworkInterface | undefined): ShapeNic {
  const addresses = nic?.ipConfigurations ?? [];
  const address = addresses.find(({ primary }) => primary === true) ?? addresses[0];
  const subnet = address?.subnet?.id?.split('/').at(-1);
  const mac = nic?.macAddress?.replaceAll('-', ':').toLowerCase();
  const ip = address?.privateIPAddress;
  return {
    name: parseId(id).name,
    ...(mac ? { mac } : {}),
    ...(subnet ? { subnet } : {}),
    ...(ip ? { ip } : {}),
  };
}
