/**
 * Makes application-consistent recovery points: VM restore points, for which Azure asks the guest's agent to hold the
 * applications still (VSS on Windows, pre- and post-scripts on Linux).
 * Rule: what counts is the mode that Azure says it reached; a point of a lesser one is deleted again and said to be none.
 * A restore point is found by its name in the run's own collection and believed by the identity of each disk (S9).
 */
import type { RestorePoint } from '@azure/arm-compute';
import { corrupt, type Failure, refused } from '../../model/failure.ts';
import type { DiskPoint, RecoveryPoint, SourceDisk } from '../../model/machine.ts';
import type { ApplicationPointRequest, ReleaseRequest, Work } from '../source.ts';
import { parsePath, type ResourceName, sameId } from './arm-id.ts';
import { together } from './call.ts';
import type { AzureClients } from './client.ts';
import { lookUntil } from './long-running.ts';
import { readVm } from './machine.ts';
import {
  deleteCollection,
  deleteRestorePoint,
  diskPointsOf,
  makeCollection,
  makeRestorePoint,
  parseDiskPointId,
  type RestorePointName,
  readCollection,
  readDiskPoint,
  readRestorePoint,
  revokeOnDiskPoint,
} from './restore-points.ts';
import { lookAtSource } from './same-source.ts';
import { collectionName, numberOfRestorePoint, ownerTags, restorePointName } from './snapshot-mark.ts';

export async function ensureApplicationPoint(
  azure: AzureClients,
  request: ApplicationPointRequest,
  work: Work,
): Promise<RecoveryPoint> {
  const { path, number, disks } = request;
  await lookAtSource(azure, { ...request, final: false }, work);
  const collection = await ensureCollection(azure, request, work);
  const at = { ...collection, collection: collection.name, name: restorePointName(request, number) };
  const point = await ensureRestorePoint(azure, at, work);
  if (point.consistencyMode !== 'ApplicationConsistent') {
    await deleteRestorePoint(azure, at, work);
    throw lesser(path, point.consistencyMode ?? 'of no known consistency');
  }
  const taken = await together(disks.map((disk) => diskPoint(azure, path, point, disk, work)));
  const takenAt = point.timeCreated ?? taken[0]?.takenAt;
  if (takenAt === undefined) throw untold(path, 'when the restore point was taken');
  return {
    number,
    takenAt: takenAt.toISOString(),
    consistency: 'application',
    final: false,
    disks: taken.map(({ point: one }) => one),
  };
}

const placeOfCollection = (request: { path: string; run: string; machine: string }): ResourceName => ({
  resourceGroup: parsePath(request.path).resourceGroup,
  name: collectionName(request),
});

async function ensureCollection(
  azure: AzureClients,
  request: ApplicationPointRequest,
  work: Work,
): Promise<ResourceName> {
  const at = placeOfCollection(request);
  if ((await readCollection(azure, at, request, work)) !== undefined) return at;
  const vm = await readVm(azure, request.path, work);
  if (vm?.id === undefined) throw untold(request.path, 'the id of the machine');
  await makeCollection(azure, at, { location: vm.location, tags: ownerTags(request), source: { id: vm.id } }, work);
  return at;
}

async function ensureRestorePoint(azure: AzureClients, at: RestorePointName, work: Work): Promise<RestorePoint> {
  const found = await readRestorePoint(azure, at, work);
  const failed = found?.provisioningState === 'Failed';
  if (failed) await deleteRestorePoint(azure, at, work);
  if (found === undefined || failed) {
    work.report(`taking restore point ${at.name}`);
    await makeRestorePoint(azure, at, work);
  }
  return lookUntil(
    `restore point ${at.name} to be made`,
    work,
    async () => {
      const seen = await readRestorePoint(azure, at, work);
      if (seen === undefined || seen.provisioningState === 'Failed') throw notMade(at.name);
      return seen;
    },
    ({ provisioningState }) => provisioningState === 'Succeeded',
  );
}

/** One disk of the restore point: of the very disk the run began with, and readable. */
async function diskPoint(
  azure: AzureClients,
  path: string,
  { sourceMetadata }: RestorePoint,
  disk: SourceDisk,
  work: Work,
): Promise<{ point: DiskPoint; takenAt: Date }> {
  const { osDisk, dataDisks = [] } = sourceMetadata?.storageProfile ?? {};
  const kept = [osDisk, ...dataDisks].find((one) => sameId(one?.managedDisk?.id, disk.id));
  const id = kept?.diskRestorePoint?.id;
  const name = id === undefined ? undefined : parseDiskPointId(id);
  if (id === undefined || name === undefined) throw leftOut(path, disk);
  const seen = await lookUntil(
    `disk restore point ${name.name} to be readable`,
    work,
    () => readDiskPoint(azure, name, work),
    // As with snapshots: those of Ultra and Premium SSD v2 disks are copied in the background first.
    (one) =>
      one === undefined ||
      ((one.completionPercent ?? 100) >= 100 && (one.snapshotAccessState ?? 'Available').startsWith('Available')),
  );
  if (seen?.sourceUniqueId !== disk.identity) throw otherDisk(disk);
  if (seen.timeCreated === undefined) throw untold(path, `when disk restore point ${name.name} was taken`);
  const point = { disk: disk.disk, id, identity: seen.timeCreated.toISOString(), sizeBytes: disk.sizeBytes };
  return { point, takenAt: seen.timeCreated };
}

/** Deletes this run's older application-consistent points, with `all` the collection too; answers the names deleted. */
export async function releaseApplicationPoints(
  azure: AzureClients,
  { before, keep = [], ...request }: ReleaseRequest,
  work: Work,
): Promise<string[]> {
  const at = placeOfCollection(request);
  const found = await readCollection(azure, at, request, work);
  if (found === undefined) return [];
  const going = (found.restorePoints ?? []).filter(({ name = '', provisioningState }) => {
    const number = numberOfRestorePoint(name);
    // L5: one that was given up and is still being made cannot be deleted yet; the rounds do not wait for it.
    return before === 'all' || (number < before && !keep.includes(number) && provisioningState !== 'Creating');
  });
  const names = going.flatMap(({ name }) => name ?? []);
  if (before !== 'all') {
    for (const name of names) await deleteRestorePoint(azure, { ...at, collection: at.name, name }, work);
    return names;
  }
  for (const point of going) for (const disk of diskPointsOf(point)) await revokeOnDiskPoint(azure, disk, work);
  await deleteCollection(azure, at, work);
  return [...names, at.name];
}

/** The names of what is still there of this run's application-consistent points. */
export async function remainingApplicationPoints(
  azure: AzureClients,
  request: { path: string; run: string; machine: string },
  work: Work,
): Promise<string[]> {
  const found = await readCollection(azure, placeOfCollection(request), request, work);
  return found === undefined ? [] : [`restore point collection ${found.name ?? ''}`];
}

const op = 'application-point';

const lesser = (path: string, mode: string): Failure =>
  refused({
    op,
    subject: path,
    message: `Azure made a restore point of ${path} that is ${mode} only`,
    hint: 'On Linux set up pre- and post-scripts for the VM snapshot extension; on Windows look at the VSS writers (vssadmin list writers).',
  });

const leftOut = (path: string, disk: SourceDisk): Failure =>
  refused({
    op,
    subject: path,
    message: `Azure’s restore point of ${path} leaves out disk ${disk.disk} (${disk.name})`,
    hint: 'Ephemeral and shared disks are not covered by restore points: come home at the latest point instead.',
  });

const notMade = (name: string): Failure =>
  refused({
    op,
    subject: name,
    message: `Azure reports that the creation of restore point ${name} failed`,
    hint: 'Most often the VM agent or its snapshot extension does not answer: look at Extensions of the machine in the Azure portal.',
  });

const otherDisk = (disk: SourceDisk): Failure =>
  corrupt({
    op,
    subject: disk.id,
    message: `${disk.name} is not the disk this run began with`,
    hint: 'The disk was made anew in Azure: cancel and start again, so that everything is copied from the new disk.',
  });

const untold = (path: string, what: string): Failure =>
  refused({
    op,
    subject: path,
    message: `Azure does not tell ${what}`,
    hint: 'Look at the restore points of the machine in the Azure portal; the next one is taken as the policy says.',
  });
