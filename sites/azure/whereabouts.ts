/**
 * Where a machine and its disks are now: at its path, moved, or gone.
 * Rule: a machine is known by its identity, and so is a disk; the network is not asked, and a disk that is none of the recorded
 * ones only where a recorded one is not found at its id: moved with its machine it has another one. Changes nothing.
 */
import type { VirtualMachine } from '@azure/arm-compute';
import type { DiskKey, SourceDisk } from '../../model/machine.ts';
import type { Whereabouts, WhereaboutsRequest, Work } from '../source.ts';
import { parseId, sameId, sameIds } from './arm-id.ts';
import { together } from './call.ts';
import type { AzureClients } from './client.ts';
import { findElsewhere } from './elsewhere.ts';
import { diskPlaces, findDisk, readVm, stateOf } from './machine.ts';

export async function observeWhereabouts(
  azure: AzureClients,
  { path, identity, disks }: WhereaboutsRequest,
  work: Work,
): Promise<Whereabouts> {
  const here = await readVm(azure, path, work);
  const isHere = here !== undefined && here.vmId === identity;
  const id = isHere
    ? undefined
    : await findElsewhere(azure, ({ vmId }) => vmId !== undefined && vmId === identity, work);
  const movedTo = id === undefined ? undefined : pathOf(id);
  const vm = movedTo === undefined ? here : await readVm(azure, movedTo, work);
  return {
    machine: stateOf(azure, movedTo ?? path, vm),
    ...(movedTo === undefined ? {} : { movedTo }),
    ...(await disksNow(azure, disks, vm, work)),
  };
}

async function disksNow(
  azure: AzureClients,
  disks: readonly SourceDisk[],
  vm: VirtualMachine | undefined,
  work: Work,
): Promise<{ detached: DiskKey[]; lost: DiskKey[] }> {
  const attached = vm === undefined ? [] : diskPlaces(vm).flatMap(({ id }) => id ?? []);
  const seen = await together(disks.map(({ id }) => findDisk(azure, id, work)));
  const missed = disks.filter(({ identity }, at) => seen[at]?.uniqueId !== identity);
  const strange = attached.filter((id) => !disks.some((disk) => sameId(disk.id, id)));
  const others = missed.length === 0 ? [] : await together(strange.map((id) => findDisk(azure, id, work)));
  const lost = missed.filter(({ identity }) => !others.some((other) => other?.uniqueId === identity));
  const off = disks.filter((disk) => !missed.includes(disk) && !sameIds(attached, disk.id));
  return { detached: off.map(({ disk }) => disk), lost: lost.map(({ disk }) => disk) };
}

function pathOf(id: string): string {
  const { resourceGroup, name } = parseId(id);
  return `${resourceGroup}/${name}`;
}
