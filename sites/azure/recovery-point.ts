/**
 * Makes recovery points: one incremental snapshot of each disk, and lets them go again.
 * Rule: a snapshot is found by its name, believed by its tags and by the identity of the disk it was taken of (S9).
 * Never calls a point final unless the machine was observed stopped before and after its snapshots, and was not started
 * between them or between two tries (S1, S3): each final snapshot carries since when the machine was stopped.
 * Never deletes a point of a newer number than it is told, nor one that an application-consistent point needs.
 */
import type { Snapshot } from '@azure/arm-compute';
import { corrupt, refused } from '../../model/failure.ts';
import type { DiskPoint, RecoveryPoint, SourceDisk } from '../../model/machine.ts';
import type { PointRequest, ReleaseRequest, Work } from '../source.ts';
import { releaseApplicationPoints } from './application-point.ts';
import { parsePath, type ResourceName, sameId } from './arm-id.ts';
import { pause, together } from './call.ts';
import type { AzureClients } from './client.ts';
import { lookUntil } from './long-running.ts';
import { readDisk } from './machine.ts';
import { lookAtSource, onSource, startedSince } from './same-source.ts';
import { type Mark, markOf, markTags, sameMark, snapshotName } from './snapshot-mark.ts';
import { deleteSnapshot, listSnapshots, makeSnapshot, placeOf, readSnapshot } from './snapshots.ts';

export async function ensureRecoveryPoint(
  azure: AzureClients,
  request: PointRequest,
  work: Work,
): Promise<RecoveryPoint> {
  const { path, number, final, disks } = request;
  const { since, serves } = await lookAtSource(azure, request, work);
  const taken = await onSource(azure, request, work, () =>
    together(disks.map((disk) => ensureSnapshot(azure, request, disk, since, work))),
  );
  if (final && (await lookAtSource(azure, request, work)).since !== since) throw startedSince(path);
  const times = taken.map(({ snapshot }) => snapshot.timeCreated?.getTime() ?? Number.NaN);
  // The earliest of them: whatever was written after it is not promised to be in the point.
  const takenAt = new Date(Math.min(...times));
  if (Number.isNaN(takenAt.getTime()))
    throw refused({
      op: 'make a recovery point',
      subject: path,
      message: `Azure does not say when the snapshots of ${path} were taken`,
      hint: 'Look at the snapshots in the Azure portal; their creation may have failed.',
    });
  return {
    number,
    takenAt: takenAt.toISOString(),
    consistency: 'crash',
    final,
    ...(since === undefined ? {} : { sourceStoppedSince: since }),
    ...(serves === undefined ? {} : { sourceServed: serves }),
    disks: taken.map(({ point }) => point),
  };
}

interface Taken {
  readonly point: DiskPoint;
  readonly snapshot: Snapshot;
}

async function ensureSnapshot(
  azure: AzureClients,
  request: PointRequest,
  disk: SourceDisk,
  stoppedSince: string | undefined,
  work: Work,
): Promise<Taken> {
  const { run, machine, number, final } = request;
  const mark: Mark = { run, machine, disk: disk.disk, number, final, stoppedSince };
  const at = { resourceGroup: parsePath(request.path).resourceGroup, name: snapshotName(mark) };
  const found = await readSnapshot(azure, at, work);
  if (found !== undefined) assertOurs(at, mark, found);
  const failed = found?.provisioningState === 'Failed';
  if (failed) await deleteSnapshot(azure, found, work);
  if (found === undefined || failed) await take(azure, at, mark, disk, work);
  const snapshot = await lookUntil(
    `snapshot ${at.name} to be readable`,
    work,
    () => present(azure, at, work),
    (seen) => readable(at, seen),
  );
  assertLineage(at, mark, disk, snapshot);
  // Taken by an earlier try, before somebody started the machine and stopped it again.
  if (markOf(snapshot)?.stoppedSince !== stoppedSince) throw startedSince(request.path);
  const { id, uniqueId, diskSizeBytes = 0 } = snapshot;
  if (id === undefined || uniqueId === undefined) throw nameless(at);
  return { point: { disk: disk.disk, id, identity: uniqueId, sizeBytes: diskSizeBytes }, snapshot };
}

async function take(azure: AzureClients, at: ResourceName, mark: Mark, disk: SourceDisk, work: Work): Promise<void> {
  const { location, uniqueId } = await readDisk(azure, disk.id, work);
  if (uniqueId !== disk.identity) throw otherDisk(at, disk);
  work.report(`taking snapshot ${at.name}`);
  await makeSnapshot(
    azure,
    at,
    {
      location,
      tags: markTags(mark),
      creationData: { createOption: 'Copy', sourceResourceId: disk.id },
      incremental: true,
    },
    work,
  );
}

/** A snapshot of this name that is not the wanted one is left alone. */
function assertOurs(at: ResourceName, mark: Mark, found: Snapshot): void {
  const seen = markOf(found);
  if (seen !== undefined && sameMark(seen, mark)) return;
  throw refused({
    op: 'make a recovery point',
    subject: at.name,
    message: `a snapshot named ${at.name} exists that is not recovery point ${mark.number} of this run`,
    hint: 'Look who made it in the Azure portal; delete it if nobody needs it, then retry.',
  });
}

async function present(azure: AzureClients, at: ResourceName, work: Work): Promise<Snapshot> {
  const found = await readSnapshot(azure, at, work);
  if (found !== undefined) return found;
  throw corrupt({
    op: 'make a recovery point',
    subject: at.name,
    message: `snapshot ${at.name} vanished while it was being made`,
    hint: 'Someone deleted it in Azure: find out who, then start a new round.',
  });
}

/**
 * Ultra and Premium SSD v2 disks copy in the background: completionPercent runs to 100 and the access state becomes
 * one of the two that allow downloads. Other disks report 100 at once, or nothing.
 */
function readable(at: ResourceName, { provisioningState, completionPercent, snapshotAccessState }: Snapshot): boolean {
  if (provisioningState === 'Failed') throw failedTake(at);
  const state = snapshotAccessState ?? 'Available';
  return provisioningState === 'Succeeded' && (completionPercent ?? 100) >= 100 && state.startsWith('Available');
}

function assertLineage(at: ResourceName, mark: Mark, disk: SourceDisk, snapshot: Snapshot): void {
  const { creationData, incremental, diskSizeBytes } = snapshot;
  const seen = markOf(snapshot);
  const ours = seen !== undefined && sameMark(seen, mark);
  const sameSource = sameId(creationData?.sourceResourceId, disk.id) && creationData?.sourceUniqueId === disk.identity;
  if (!ours || !sameSource || incremental !== true) throw otherDisk(at, disk);
  if (diskSizeBytes !== disk.sizeBytes)
    throw corrupt({
      op: 'source-resized',
      subject: disk.id,
      message: `disk ${disk.disk} has ${diskSizeBytes ?? 'an unknown number of'} bytes now, ${disk.sizeBytes} at the start of the run`,
      hint: `The disk was resized during the run, and Azure makes none smaller again: cancel, then either start again with --write staged, which makes disks of the right size at home, or first give the target’s disk exactly ${diskSizeBytes ?? 'as many'} bytes.`,
    });
}

const nameless = (at: ResourceName) =>
  refused({
    op: 'make a recovery point',
    subject: at.name,
    message: `Azure does not tell the identity of snapshot ${at.name}`,
    hint: 'Look at the snapshot in the Azure portal; its creation may have failed.',
  });

const otherDisk = (at: ResourceName, disk: SourceDisk) =>
  corrupt({
    op: 'make a recovery point',
    subject: disk.id,
    message: `${disk.name} is not the disk this run began with (snapshot ${at.name})`,
    hint: 'The disk was made anew in Azure: cancel and start again, so that everything is copied from the new disk.',
  });

const failedTake = (at: ResourceName) =>
  refused({
    op: 'snapshots.createOrUpdate',
    subject: at.name,
    message: `Azure reports that the creation of snapshot ${at.name} failed`,
    hint: 'Look at the disk and its activity log in the Azure portal, then retry.',
  });

/** A snapshot whose creation was just given up may come into being only now. */
const secondLookAfterMs = 2_000;

/** Deletes this run's older recovery points; answers the names deleted. */
export async function releaseRecoveryPoints(
  azure: AzureClients,
  request: ReleaseRequest,
  work: Work,
): Promise<string[]> {
  const released = await releaseOnce(azure, request, work);
  if (request.before !== 'all') return released;
  work.report('looking for snapshots that came late');
  await pause(secondLookAfterMs, work.signal);
  return [...released, ...(await releaseOnce(azure, request, work))];
}

async function releaseOnce(azure: AzureClients, request: ReleaseRequest, work: Work): Promise<string[]> {
  const { before, keep = [] } = request;
  const { resourceGroup } = parsePath(request.path);
  const all = await listSnapshots(azure, resourceGroup, work);
  const going = all.filter((snapshot) => {
    const mark = markOf(snapshot);
    const ours = mark?.run === request.run && mark.machine === request.machine;
    return ours && (before === 'all' || (mark.number < before && !keep.includes(mark.number)));
  });
  // First those that need the snapshots: a point that is there has what it takes to reach it.
  const points = request.applicationPoints ? await releaseApplicationPoints(azure, request, work) : [];
  work.report(`deleting ${going.length} snapshots`);
  const gone = await together(
    going.map(async (snapshot) => ((await deleteSnapshot(azure, snapshot, work)) ? [placeOf(snapshot).name] : [])),
  );
  return [...points, ...gone.flat()];
}
