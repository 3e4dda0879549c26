/**
 * What Homeward must be allowed to do, in the machine's resource group and in those of its disks and NICs, and what of it
 * is missing.
 * Rule: asked from Azure's own list of effective permissions; nothing is tried out.
 */
import { z } from 'zod';
import type { Work } from '../source.ts';
import { parseId } from './arm-id.ts';
import type { AzureClients } from './client.ts';
import { answerFailure } from './failure.ts';

const compute = 'Microsoft.Compute';

interface Actions {
  readonly onTheWay: readonly string[];
  /** Needed by nothing but the deletion that a commit asks for. */
  readonly atCommit: readonly string[];
}

/** What sites/azure calls on the machine itself and on the snapshots, which are made in its resource group. */
const onMachine: Actions = {
  onTheWay: [
    `${compute}/virtualMachines/read`,
    `${compute}/virtualMachines/deallocate/action`,
    `${compute}/virtualMachines/start/action`,
    `${compute}/snapshots/read`,
    `${compute}/snapshots/write`,
    `${compute}/snapshots/delete`,
    `${compute}/snapshots/beginGetAccess/action`,
    `${compute}/snapshots/endGetAccess/action`,
  ],
  atCommit: [`${compute}/virtualMachines/delete`],
};

const onDisks: Actions = {
  onTheWay: [
    `${compute}/disks/read`,
    // Making a snapshot of a disk needs the right to read the disk's bytes, although no grant on the disk is made.
    `${compute}/disks/beginGetAccess/action`,
  ],
  // Writing: the mark on a disk of a machine that the commit deletes (retirement-mark.ts).
  atCommit: [`${compute}/disks/write`, `${compute}/disks/delete`],
};

const onNics: Actions = {
  onTheWay: ['Microsoft.Network/networkInterfaces/read'],
  atCommit: ['Microsoft.Network/networkInterfaces/delete'],
};

const points = `${compute}/restorePointCollections`;

/** And where the policy takes application-consistent points, which are made in the machine's resource group too. */
const onApplicationPoints: Actions = {
  onTheWay: [
    `${points}/read`,
    `${points}/write`,
    `${points}/delete`,
    `${points}/restorePoints/read`,
    `${points}/restorePoints/write`,
    `${points}/restorePoints/delete`,
    `${points}/restorePoints/diskRestorePoints/read`,
    `${points}/restorePoints/diskRestorePoints/beginGetAccess/action`,
    `${points}/restorePoints/diskRestorePoints/endGetAccess/action`,
  ],
  atCommit: [],
};

/** And where scripts are run in the guest. */
const onScripts: Actions = {
  onTheWay: ['read', 'write', 'delete'].map((verb) => `${compute}/virtualMachines/runCommands/${verb}`),
  atCommit: [],
};

/** Where the machine and its parts are, by resource id. */
export interface Whereabouts {
  readonly machineGroup: string;
  readonly disks: readonly string[];
  readonly nics: readonly string[];
  readonly applicationPoints?: boolean;
  readonly scripts?: boolean;
}

export interface GroupNeeds extends Actions {
  readonly resourceGroup: string;
}

/** What is needed in each resource group, the machine's first; disks and NICs may lie in others than it. */
export function neededIn({
  machineGroup,
  disks,
  nics,
  applicationPoints = false,
  scripts = false,
}: Whereabouts): GroupNeeds[] {
  const needs = new Map<string, { resourceGroup: string; parts: Set<Actions> }>();
  const need = (resourceGroup: string, actions: Actions): void => {
    const key = resourceGroup.toLowerCase();
    const known = needs.get(key) ?? { resourceGroup, parts: new Set<Actions>() };
    known.parts.add(actions);
    needs.set(key, known);
  };
  need(machineGroup, onMachine);
  if (applicationPoints) need(machineGroup, onApplicationPoints);
  if (scripts) need(machineGroup, onScripts);
  for (const id of disks) need(parseId(id).resourceGroup, onDisks);
  for (const id of nics) need(parseId(id).resourceGroup, onNics);
  return [...needs.values()].map(({ resourceGroup, parts }) => ({
    resourceGroup,
    onTheWay: [...parts].flatMap((part) => part.onTheWay),
    atCommit: [...parts].flatMap((part) => part.atCommit),
  }));
}

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
