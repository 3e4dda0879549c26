/**
 * Reads the names out of Azure resource ids and of the inventory's machine paths.
 * Rule: ids compare without regard to case, as Azure itself does. Never guesses: what does not parse is refused.
 */
import { refused } from '../../model/failure.ts';

export interface MachinePath {
  readonly resourceGroup: string;
  readonly vm: string;
}

/** `resourceGroup/vm`, as the inventory writes it. */
export function parsePath(path: string): MachinePath {
  const [resourceGroup, vm, ...rest] = path.split('/');
  if (resourceGroup && vm && rest.length === 0) return { resourceGroup, vm };
  throw refused({
    op: 'read the machine’s path',
    subject: path,
    message: `“${path}” is not of the form resourceGroup/vm`,
    hint: 'Write the source’s path as resourceGroup/vm in the inventory.',
  });
}

export interface ResourceName {
  readonly resourceGroup: string;
  readonly name: string;
}

/** Resource group and last name of `/subscriptions/…/resourceGroups/<group>/providers/<type>/<name>`. */
export function parseId(id: string): ResourceName {
  const found = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/[^/]+\/[^/]+\/([^/]+)$/i.exec(id);
  const [, resourceGroup, name] = found ?? [];
  if (resourceGroup && name) return { resourceGroup, name };
  throw refused({
    op: 'read a resource id',
    subject: id,
    message: `“${id}” is not an Azure resource id`,
    hint: 'This comes from Azure or from a record of an earlier run: report it.',
  });
}

export const sameId = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one.toLowerCase() === other.toLowerCase();

export const sameIds = (ids: readonly string[], id: string | undefined): boolean =>
  ids.some((each) => sameId(each, id));
