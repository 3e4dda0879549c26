/**
 * The verbs on one snapshot: read, list, make, grant, revoke, delete; each safe twice.
 * Rule: a snapshot is revoked before it is deleted, and what is already gone is fine.
 * Never hands a grant's URL to anyone but the lease that asked for it.
 */
import type { Snapshot } from '@azure/arm-compute';
import { Failure } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { parseId, type ResourceName } from './arm-id.ts';
import { look } from './call.ts';
import type { AzureClients } from './client.ts';
import { goneIsDone, runOperation } from './long-running.ts';
import { markOf, sameMark } from './snapshot-mark.ts';

export function readSnapshot(azure: AzureClients, at: ResourceName, work: Work): Promise<Snapshot | undefined> {
  return look({ op: 'snapshots.get', subject: at.name }, work, (call) =>
    azure.compute.snapshots.get(at.resourceGroup, at.name, call),
  );
}

/** All snapshots of the resource group; none when the group is gone. */
export async function listSnapshots(azure: AzureClients, resourceGroup: string, work: Work): Promise<Snapshot[]> {
  const what = { op: 'snapshots.listByResourceGroup', subject: resourceGroup };
  const all = await look(what, work, async (call) => {
    const found: Snapshot[] = [];
    for await (const each of azure.compute.snapshots.listByResourceGroup(resourceGroup, call)) found.push(each);
    return found;
  });
  return all ?? [];
}

export function makeSnapshot(azure: AzureClients, at: ResourceName, wanted: Snapshot, work: Work): Promise<Snapshot> {
  const what = { op: 'snapshots.createOrUpdate', subject: at.name };
  return runOperation(
    what,
    work,
    (call) => azure.compute.snapshots.createOrUpdate(at.resourceGroup, at.name, wanted, call),
    async (failure) => {
      const found = await readSnapshot(azure, at, work);
      if (found === undefined) throw failure;
      return found;
    },
  );
}

export const hasGrant = (snapshot: Snapshot): boolean => snapshot.diskState?.startsWith('ActiveSAS') === true;

/** Takes every grant on the snapshot back. Fine when there is none, and when the snapshot is gone. */
export async function revokeGrant(azure: AzureClients, at: ResourceName, work: Work): Promise<void> {
  await runOperation(
    { op: 'snapshots.endGetAccess', subject: at.name },
    work,
    (call) => azure.compute.snapshots.revokeAccess(at.resourceGroup, at.name, call),
    goneIsDone,
  );
}

/**
 * Deletes a snapshot of ours that was listed before; a grant that is still open is revoked first. It is looked at once
 * more: one that was made anew, or lost our tags, since it was listed is not ours any more and stays (S2).
 */
export async function deleteSnapshot(azure: AzureClients, listed: Snapshot, work: Work): Promise<boolean> {
  const at = placeOf(listed);
  const seen = await readSnapshot(azure, at, work);
  if (seen === undefined) return true;
  if (!isSameSnapshot(listed, seen)) return false;
  if (hasGrant(seen)) await revokeGrant(azure, at, work);
  try {
    await deleteOnce(azure, at, work);
  } catch (error) {
    // Someone opened it since it was looked at, most likely a late attempt of ours.
    const again = await readSnapshot(azure, at, work);
    if (again === undefined) return true;
    if (!(error instanceof Failure) || !hasGrant(again) || !isSameSnapshot(listed, again)) throw error;
    await revokeGrant(azure, at, work);
    await deleteOnce(azure, at, work);
  }
  return true;
}

function isSameSnapshot(listed: Snapshot, seen: Snapshot): boolean {
  const [wanted, found] = [markOf(listed), markOf(seen)];
  return wanted !== undefined && found !== undefined && sameMark(wanted, found) && listed.uniqueId === seen.uniqueId;
}

async function deleteOnce(azure: AzureClients, { resourceGroup, name }: ResourceName, work: Work): Promise<void> {
  await runOperation(
    { op: 'snapshots.delete', subject: name },
    work,
    (call) => azure.compute.snapshots.delete(resourceGroup, name, call),
    goneIsDone,
  );
}

export const placeOf = (snapshot: Snapshot): ResourceName => parseId(snapshot.id ?? '');
