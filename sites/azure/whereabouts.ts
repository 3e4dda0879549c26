/**
 * Where a machine and its disks are now: at its path, moved, or gone.
 * Rule: a machine is known by its identity, and so is a disk; the network is not asked. Changes nothing.
 */
import type { Whereabouts, WhereaboutsRequest, Work } from '../source.ts';
import { parseId } from './arm-id.ts';
import { together } from './call.ts';
import type { AzureClients } from './client.ts';
import { findElsewhere } from './elsewhere.ts';
import { findDisk, observeState } from './machine.ts';

export async function observeWhereabouts(
  azure: AzureClients,
  { path, identity, disks }: WhereaboutsRequest,
  work: Work,
): Promise<Whereabouts> {
  const here = await observeState(azure, path, work);
  const isHere = here.power !== 'absent' && here.identity === identity;
  const id = isHere
    ? undefined
    : await findElsewhere(azure, ({ vmId }) => vmId !== undefined && vmId === identity, work);
  const movedTo = id === undefined ? undefined : pathOf(id);
  const machine = movedTo === undefined ? here : await observeState(azure, movedTo, work);
  const off = disks.filter((disk) => !machine.disks.some((one) => one.identity === disk.identity));
  const seen = await together(off.map((disk) => findDisk(azure, disk.id, work)));
  const detached = off.filter((disk, at) => seen[at]?.uniqueId === disk.identity).map(({ disk }) => disk);
  return { machine, ...(movedTo === undefined ? {} : { movedTo }), detached };
}

function pathOf(id: string): string {
  const { resourceGroup, name } = parseId(id);
  return `${resourceGroup}/${name}`;
}
