/**
 * What Homeward must be allowed to do on the machine's resource group, and what of it is missing.
 * Rule: asked from Azure's own list of effective permissions; nothing is tried out.
 */
import { z } from 'zod';
import type { Work } from '../source.ts';
import type { AzureClients } from './client.ts';
import { answerFailure } from './failure.ts';

const compute = 'Microsoft.Compute';

/** Everything sites/azure calls, as role actions. */
export const neededActions = [
  `${compute}/virtualMachines/read`,
  `${compute}/virtualMachines/deallocate/action`,
  `${compute}/virtualMachines/start/action`,
  `${compute}/virtualMachines/delete`,
  `${compute}/disks/read`,
  // Making a snapshot of a disk needs the right to read the disk's bytes, although no grant on the disk is made.
  `${compute}/disks/beginGetAccess/action`,
  // The mark on a disk of a machine that the commit deletes (retirement-mark.ts).
  `${compute}/disks/write`,
  `${compute}/disks/delete`,
  `${compute}/snapshots/read`,
  `${compute}/snapshots/write`,
  `${compute}/snapshots/delete`,
  `${compute}/snapshots/beginGetAccess/action`,
  `${compute}/snapshots/endGetAccess/action`,
  'Microsoft.Network/networkInterfaces/read',
  'Microsoft.Network/networkInterfaces/delete',
] as const;

const permission = z.looseObject({
  actions: z.array(z.string()).default([]),
  notActions: z.array(z.string()).default([]),
});
export type Permission = z.infer<typeof permission>;
const page = z.looseObject({ value: z.array(permission), nextLink: z.string().nullish() });

/** The permissions the identity has on the resource group, one entry for each role assignment that counts. */
export async function readPermissions(azure: AzureClients, resourceGroup: string, work: Work): Promise<Permission[]> {
  const what = { op: 'permissions.listForResourceGroup', subject: resourceGroup };
  const group = `/subscriptions/${azure.subscriptionId}/resourceGroups/${encodeURIComponent(resourceGroup)}`;
  const found: Permission[] = [];
  let path: string | undefined = `${group}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`;
  while (path !== undefined) {
    const read = page.safeParse(await azure.get(what, path, work));
    if (!read.success)
      throw answerFailure(what, { message: 'the list of permissions has another shape than documented' });
    found.push(...read.data.value);
    path = read.data.nextLink ?? undefined;
  }
  return found;
}

/** Those of `needed` that no entry grants. An entry grants what its actions name and its notActions do not. */
export const missingActions = (permissions: readonly Permission[], needed: readonly string[]): string[] =>
  needed.filter(
    (action) =>
      !permissions.some(
        ({ actions, notActions }) =>
          actions.some((one) => covers(one, action)) && !notActions.some((one) => covers(one, action)),
      ),
  );

/** Azure's wildcard: `*` stands for any text, case does not count. */
function covers(pattern: string, action: string): boolean {
  const [head = '', ...rest] = pattern.toLowerCase().split('*');
  const text = action.toLowerCase();
  if (rest.length === 0) return text === head;
  if (!text.startsWith(head)) return false;
  let at = head.length;
  const tail = rest.pop() ?? '';
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - tail.length >= at && text.endsWith(tail);
}
