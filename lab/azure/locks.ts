/**
 * Resource locks of the subscription: which there are, and what they forbid.
 * Rule: a lock on a group holds for all that lies in it; one against deletion forbids nothing else.
 */
import { sameName } from './arm-entry.ts';
import { Refusal } from './refusal.ts';
import type { World } from './world.ts';

interface Lock {
  /** The resource id of what it is on. */
  readonly id: string;
  readonly name: string;
  readonly level: 'CanNotDelete' | 'ReadOnly';
}

export function locksIn({ file, settings }: World, group: string): Lock[] {
  return settings.locks
    .filter((lock) => sameName(lock.group, group))
    .map(({ resource, name, level }) => {
      const at = `/subscriptions/${file.subscriptionId}/resourceGroups/${group}`;
      return { id: resource === undefined ? at : `${at}/providers/Microsoft.Compute/${resource}`, name, level };
    });
}

/** Refuses as the service does what a lock forbids; `resource`: the id of what is changed. */
export function assertUnlocked(world: World, method: string, resource: string): void {
  if (method === 'GET' || method === 'HEAD') return;
  const [, group = ''] = /\/resourceGroups\/([^/]+)/i.exec(resource) ?? [];
  const lock = locksIn(world, group).find(
    ({ id, level }) =>
      `${resource}/`.toLowerCase().startsWith(`${id}/`.toLowerCase()) && (level === 'ReadOnly' || method === 'DELETE'),
  );
  if (lock === undefined) return;
  throw new Refusal(
    409,
    'ScopeLocked',
    `The scope '${resource}' cannot perform delete operation because following scope(s) are locked: '${lock.id}'. Please remove the lock and try again.`,
  );
}
