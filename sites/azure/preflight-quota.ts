/**
 * Whether the machine could fail over to Azure again once it is home: the region's vCPUs, in all and of its size's family (C9).
 * Rule: looks only and never refuses: the way home needs none of it. What Azure does not let us see is said to be unseen.
 */
import type { ResourceSku, Usage, VirtualMachine } from '@azure/arm-compute';
import type { Check } from '../../model/check.ts';
import { Failure } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { ask } from './call.ts';
import { passed, seenAs } from './check-outcome.ts';
import type { AzureClients } from './client.ts';
import { capability, readSize } from './machine-size.ts';

const id = 'azure-vcpu-quota';
const requirement = 'C9';

export async function returnQuotaCheck(azure: AzureClients, vm: VirtualMachine, work: Work): Promise<Check> {
  const { location } = vm;
  const size = vm.hardwareProfile?.vmSize ?? 'of an unknown size';
  try {
    const [usages, sku] = await Promise.all([readUsages(azure, location, work), readSize(azure, location, size, work)]);
    return judge(location, size, usages, sku);
  } catch (error) {
    work.signal.throwIfAborted();
    if (!(error instanceof Failure) || error.kind === 'Defect') throw error;
    return seenAs(id, 'warn', location, {
      requirement,
      seen: `Azure does not let us see the vCPU quota of ${location}: ${error.message}`,
      remedy:
        'To have it looked at, give Homeward’s identity Microsoft.Compute/locations/usages/read and Microsoft.Compute/skus/read on the subscription. The way home needs neither.',
    });
  }
}

function judge(location: string, size: string, usages: readonly Usage[], sku: ResourceSku | undefined): Check {
  const own = capability(sku, 'vCPUs');
  if (own === undefined)
    return seenAs(id, 'warn', location, {
      requirement,
      seen: `${location} does not offer the size ${size} any more, or not to this subscription`,
      remedy:
        'Before it is protected again, choose a size that there is; today’s machine keeps running until the commit.',
    });
  const ofFamily = (usage: Usage): boolean => usage.name.value?.toLowerCase() === sku?.family?.toLowerCase();
  const counted = usages.filter((usage) => usage.name.value === 'cores' || ofFamily(usage));
  const words = counted.map(
    ({ name, currentValue, limit }) => `${name.localizedValue ?? name.value}: ${currentValue} of ${limit} in use`,
  );
  const seen = `${size} has ${own} vCPUs; ${words.join(', ') || 'Azure names no quota for it'}`;
  const tight = counted.filter(({ currentValue, limit }) => limit - currentValue < own);
  if (counted.length > 0 && tight.length === 0) return passed(id, location, seen, requirement);
  return seenAs(id, 'warn', location, {
    requirement,
    seen: `${seen}. Its own vCPUs are free once the commit has deleted it, and there is no room beside them: whoever takes them makes a later failover fail`,
    remedy: `Ask for more ${tight.map(({ name }) => name.value).join(' and ') || 'vCPUs'} in ${location}, in the Azure portal under Quotas, before the machine is protected again.`,
  });
}

function readUsages(azure: AzureClients, location: string, work: Work): Promise<Usage[]> {
  return ask({ op: 'usage.list', subject: location }, work, async (call) => {
    const found: Usage[] = [];
    for await (const usage of azure.compute.usage.list(location, call)) found.push(usage);
    return found;
  });
}
