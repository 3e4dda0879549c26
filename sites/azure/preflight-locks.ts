/**
 * The check on resource locks: one that forbids deletion keeps recovery points from being let go, and the commit from its end.
 * Rule: looks only. A lock on somebody else's resource in the same group is none of our business.
 */
import { z } from 'zod';
import type { Check } from '../../model/check.ts';
import { Failure } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { passed, seenAs } from './check-outcome.ts';
import type { AzureClients } from './client.ts';
import { answerFailure } from './failure.ts';

const id = 'azure-locks';

const page = z.looseObject({
  value: z.array(z.looseObject({ id: z.string(), name: z.string(), properties: z.looseObject({ level: z.string() }) })),
  nextLink: z.string().nullish(),
});
type Lock = z.infer<typeof page>['value'][number];

/** `ours`: resource ids of the machine and its parts that lie in the group. Snapshots are made and deleted in `resourceGroup`. */
export async function locksCheck(
  azure: AzureClients,
  resourceGroup: string,
  ours: readonly string[],
  work: Work,
): Promise<Check> {
  let locks: Lock[];
  try {
    locks = await readLocks(azure, resourceGroup, work);
  } catch (error) {
    work.signal.throwIfAborted();
    if (!(error instanceof Failure) || error.kind !== 'Refused') throw error;
    return seenAs(id, 'warn', resourceGroup, {
      seen: `whether ${resourceGroup} has resource locks may not be looked at: ${error.message}`,
      remedy:
        'Give Homeward’s identity Microsoft.Authorization/locks/read there, or look yourself under Locks in the Azure portal: a lock against deletion stops a run.',
    });
  }
  const inTheWay = locks.filter((lock) => isOn(lock, resourceGroup, ours));
  if (inTheWay.length === 0) return passed(id, resourceGroup, 'no resource lock is in the way');
  return seenAs(id, 'refuse', resourceGroup, {
    seen: `${inTheWay.map(({ name, properties }) => `lock ${name} (${properties.level})`).join(', ')} on ${resourceGroup} or on what is to come home: recovery points could not be let go, and the commit could not delete the machine`,
    remedy: `Remove it for the time of the failback, in the Azure portal under Locks of ${resourceGroup}.`,
  });
}

/** A lock's id is that of what it is on, and then its own; on the group itself, or on a resource of ours. */
function isOn(lock: Lock, resourceGroup: string, ours: readonly string[]): boolean {
  const [scope = ''] = lock.id.toLowerCase().split('/providers/microsoft.authorization/locks/');
  return (
    scope.endsWith(`/resourcegroups/${resourceGroup.toLowerCase()}`) || ours.some((one) => one.toLowerCase() === scope)
  );
}

async function readLocks(azure: AzureClients, resourceGroup: string, work: Work): Promise<Lock[]> {
  const what = { op: 'managementLocks.listAtResourceGroupLevel', subject: resourceGroup };
  const group = `/subscriptions/${azure.subscriptionId}/resourceGroups/${encodeURIComponent(resourceGroup)}`;
  const found: Lock[] = [];
  let path: string | undefined = `${group}/providers/Microsoft.Authorization/locks?api-version=2020-05-01`;
  while (path !== undefined) {
    const read = page.safeParse(await azure.get(what, path, work));
    if (!read.success) throw answerFailure(what, { message: 'the list of locks has another shape than documented' });
    found.push(...read.data.value);
    path = read.data.nextLink ?? undefined;
  }
  return found;
}
