/**
 * The verbs on VM restore points and their collections: read, make, open, delete; each safe twice.
 * Rule: a collection is ours by its tags; restore points themselves carry none and are ours by the collection they are in.
 * Never asks for a consistency mode: only CrashConsistent may be named, and without one Azure holds the guest's applications
 * still (swagger of RestorePoint.consistencyMode; Microsoft Learn, "Overview of Virtual Machine restore points").
 */
import type { AccessUri, DiskRestorePoint, RestorePoint, RestorePointCollection } from '@azure/arm-compute';
import { type Failure, refused } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import type { ResourceName } from './arm-id.ts';
import { ask, look } from './call.ts';
import type { AzureClients } from './client.ts';
import { onBehalfOf } from './last-look.ts';
import { goneIsDone, runOperation } from './long-running.ts';
import { markOfCollection, type PointOwner } from './snapshot-mark.ts';

export interface RestorePointName extends ResourceName {
  readonly collection: string;
}

/** A disk of a restore point. */
export interface DiskPointName extends RestorePointName {
  readonly point: string;
}

const diskPointId =
  /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/restorePointCollections\/([^/]+)\/restorePoints\/([^/]+)\/diskRestorePoints\/([^/]+)$/i;

/** Undefined when the id is that of something else. */
export function parseDiskPointId(id: string): DiskPointName | undefined {
  const [, resourceGroup, collection, point, name] = diskPointId.exec(id) ?? [];
  return resourceGroup && collection && point && name ? { resourceGroup, collection, point, name } : undefined;
}

/** The collection, if it is ours; with its restore points. */
export async function readCollection(
  azure: AzureClients,
  at: ResourceName,
  owner: PointOwner,
  work: Work,
): Promise<RestorePointCollection | undefined> {
  const found = await look({ op: 'restorePointCollections.get', subject: at.name }, work, (call) =>
    azure.compute.restorePointCollections.get(at.resourceGroup, at.name, { ...call, expand: 'restorePoints' }),
  );
  if (found === undefined) return undefined;
  const mark = markOfCollection(found);
  if (mark?.run === owner.run && mark.machine === owner.machine) return found;
  throw refused({
    op: 'restorePointCollections.get',
    subject: at.name,
    message: `a restore point collection named ${at.name} exists that is not of this run`,
    hint: 'Look who made it in the Azure portal; delete it if nobody needs it, then retry.',
  });
}

/** Not broken off once it was sent: an answer we did not wait for may still have its effect (S11). */
export const makeCollection = (
  azure: AzureClients,
  at: ResourceName,
  wanted: RestorePointCollection,
  work: Work,
): Promise<RestorePointCollection> =>
  ask({ op: 'restorePointCollections.createOrUpdate', subject: at.name }, work, () =>
    onBehalfOf(work, () => azure.compute.restorePointCollections.createOrUpdate(at.resourceGroup, at.name, wanted)),
  );

/** With all restore points in it. */
export const deleteCollection = (azure: AzureClients, at: ResourceName, work: Work): Promise<void> =>
  runOperation(
    { op: 'restorePointCollections.delete', subject: at.name },
    work,
    (call) => azure.compute.restorePointCollections.delete(at.resourceGroup, at.name, call),
    goneIsDone,
  );

export const readRestorePoint = (
  azure: AzureClients,
  { resourceGroup, collection, name }: RestorePointName,
  work: Work,
): Promise<RestorePoint | undefined> =>
  look({ op: 'restorePoints.get', subject: name }, work, (call) =>
    azure.compute.restorePoints.get(resourceGroup, collection, name, call),
  );

export const makeRestorePoint = (azure: AzureClients, at: RestorePointName, work: Work): Promise<RestorePoint> =>
  runOperation(
    { op: 'restorePoints.create', subject: at.name },
    work,
    (call) => azure.compute.restorePoints.create(at.resourceGroup, at.collection, at.name, {}, call),
    async (failure) => {
      const found = await readRestorePoint(azure, at, work);
      if (found === undefined) throw failure;
      return found;
    },
  );

/** What is still open on its disks is closed first: an open one cannot be deleted. */
export async function deleteRestorePoint(azure: AzureClients, at: RestorePointName, work: Work): Promise<void> {
  const seen = await readRestorePoint(azure, at, work);
  if (seen === undefined) return;
  for (const disk of diskPointsOf(seen)) await revokeOnDiskPoint(azure, disk, work);
  await runOperation(
    { op: 'restorePoints.delete', subject: at.name },
    work,
    (call) => azure.compute.restorePoints.delete(at.resourceGroup, at.collection, at.name, call),
    goneIsDone,
  );
}

/** The disks of a restore point, by their own names. */
export function diskPointsOf({ sourceMetadata }: RestorePoint): DiskPointName[] {
  const { osDisk, dataDisks = [] } = sourceMetadata?.storageProfile ?? {};
  return [osDisk, ...dataDisks].flatMap((disk) => parseDiskPointId(disk?.diskRestorePoint?.id ?? '') ?? []);
}

export const readDiskPoint = (
  azure: AzureClients,
  { resourceGroup, collection, point, name }: DiskPointName,
  work: Work,
): Promise<DiskRestorePoint | undefined> =>
  look({ op: 'diskRestorePoint.get', subject: name }, work, (call) =>
    azure.compute.diskRestorePoint.get(resourceGroup, collection, point, name, call),
  );

export const revokeOnDiskPoint = (
  azure: AzureClients,
  { resourceGroup, collection, point, name }: DiskPointName,
  work: Work,
): Promise<void> =>
  runOperation(
    { op: 'diskRestorePoint.endGetAccess', subject: name },
    work,
    (call) => azure.compute.diskRestorePoint.revokeAccess(resourceGroup, collection, point, name, call),
    goneIsDone,
  );

export const grantOnDiskPoint = (
  azure: AzureClients,
  { resourceGroup, collection, point, name }: DiskPointName,
  seconds: number,
  work: Work,
  gone: () => Failure,
): Promise<AccessUri> => {
  const wanted = { access: 'Read', durationInSeconds: seconds };
  return runOperation(
    { op: 'diskRestorePoint.beginGetAccess', subject: name },
    work,
    (call) => azure.compute.diskRestorePoint.grantAccess(resourceGroup, collection, point, name, wanted, call),
    async () => {
      throw gone();
    },
  );
};
