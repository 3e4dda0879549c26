/**
 * Where in the subscription a machine is that is not where it is looked for.
 * Rule: it finds only what Homeward may see; not found there is not proof that it does not exist.
 */
import type { VirtualMachine } from '@azure/arm-compute';
import type { Work } from '../source.ts';
import { ask } from './call.ts';
import type { AzureClients } from './client.ts';

/** The resource id of the first machine that is the one looked for; undefined when none of those we may see is. */
export function findElsewhere(
  azure: AzureClients,
  isIt: (machine: VirtualMachine) => boolean,
  work: Work,
): Promise<string | undefined> {
  return ask({ op: 'virtualMachines.listAll', subject: azure.subscriptionId }, work, async (call) => {
    for await (const each of azure.compute.virtualMachines.listAll(call)) if (isIt(each)) return each.id;
    return undefined;
  });
}
