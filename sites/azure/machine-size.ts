/**
 * A size of machine as a region offers it, with what it has.
 * Rule: asks the list of the region, because a machine tells only the name of its size. Changes nothing.
 */
import type { ResourceSku } from '@azure/arm-compute';
import type { Work } from '../source.ts';
import { ask } from './call.ts';
import type { AzureClients } from './client.ts';

/** The size as the region offers it; undefined when it does not. */
export function readSize(
  azure: AzureClients,
  location: string,
  size: string,
  work: Work,
): Promise<ResourceSku | undefined> {
  return ask({ op: 'resourceSkus.list', subject: location }, work, async (call) => {
    const filter = `location eq '${location}'`;
    for await (const sku of azure.compute.resourceSkus.list({ ...call, filter }))
      if (sku.resourceType === 'virtualMachines' && sku.name?.toLowerCase() === size.toLowerCase()) return sku;
    return undefined;
  });
}

/** A number that the size's list of capabilities holds, such as `vCPUs` and `MemoryGB`. */
export function capability(sku: ResourceSku | undefined, wanted: string): number | undefined {
  const value = Number(sku?.capabilities?.find(({ name }) => name === wanted)?.value ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}
