/**
 * The mover's view of Azure: opens one snapshot for reading, with the changes since an older one.
 * Rule: a delta is offered only between two snapshots of one family, both as they were recorded (S9); anything else is
 * Corrupt with op `lineage`, never a guess; a point that is not the recorded one is Corrupt too, but no full transfer
 * would help it. Grants are made here, in the mover's process, and given back by `close`.
 */
import type { Snapshot } from '@azure/arm-compute';
import type { PointReader } from '../../disk/point-reader.ts';
import { refused } from '../../model/failure.ts';
import type { DiskPoint } from '../../model/machine.ts';
import type { SourceReader, Work } from '../source.ts';
import { parseId } from './arm-id.ts';
import { type BlobLimits, blobLimits, createBlobTransport } from './blob-transport.ts';
import { type AzureClients, type AzureSiteParts, azureAccess, createAzureClients } from './client.ts';
import { Flow } from './flow.ts';
import { Lease, lost, type Role } from './grant.ts';
import { entriesAPiece, pageList } from './page-list.ts';
import { createRangeReader } from './range-reader.ts';
import type { OpenSnapshot } from './snapshot-get.ts';
import { readSnapshot } from './snapshots.ts';

export interface AzureReaderParts extends AzureSiteParts {
  readonly limits?: Partial<BlobLimits>;
  /** Entries of one page-list answer; the default suits, smaller ones are for tests. */
  readonly entriesAPiece?: number;
}

export function createAzureReader(parts: AzureReaderParts): SourceReader & { close(): Promise<void> } {
  const azure = createAzureClients(azureAccess(parts));
  const transport = createBlobTransport(parts.config, parts.ca, { ...blobLimits, ...parts.limits });
  const seconds = parts.config.grantSeconds;
  return {
    site: parts.site,
    async openPoint({ point, base }, work): Promise<PointReader> {
      const [seen, seenBase] = await Promise.all([
        recorded(azure, point, 'point', work),
        base === undefined ? undefined : recorded(azure, base, 'base', work),
      ]);
      if (seenBase !== undefined) assertLineage(seenBase, seen);
      const leaseOf = (one: DiskPoint, role: Role): Lease =>
        new Lease(azure, { at: parseId(one.id), identity: one.identity, role }, seconds, work);
      const lease = leaseOf(point, 'point');
      const baseLease = base && leaseOf(base, 'base');
      const close = async (): Promise<void> => {
        await Promise.all([lease.close(), baseLease?.close()]);
      };
      work.report(`opening ${lease.name}`);
      const granted = await Promise.allSettled([lease.sas(), baseLease?.sas()]);
      for (const each of granted) {
        if (each.status === 'fulfilled') continue;
        await close();
        throw each.reason;
      }
      return reader(
        { transport, lease, base: baseLease, flow: new Flow() },
        point.sizeBytes,
        parts.entriesAPiece,
        close,
      );
    },
    close: () => transport.close(),
  };
}

function reader(
  open: OpenSnapshot,
  sizeBytes: number,
  entries: number | undefined,
  close: () => Promise<void>,
): PointReader {
  const ranges = createRangeReader(open, sizeBytes);
  return {
    sizeBytes,
    changes: (signal) => pageList(open, sizeBytes, signal, entries ?? entriesAPiece),
    read: (offset, into, signal) => ranges.read(offset, into, signal),
    close,
  };
}

/** The snapshot of a recorded point, as it must be. */
async function recorded(azure: AzureClients, point: DiskPoint, role: Role, work: Work): Promise<Snapshot> {
  const snapshot = await readSnapshot(azure, parseId(point.id), work);
  if (snapshot === undefined) throw lost(role, point.id, 'does not exist any more');
  if (snapshot.uniqueId !== point.identity) throw lost(role, point.id, 'was made anew under its name');
  if (snapshot.diskSizeBytes !== point.sizeBytes) throw lost(role, point.id, 'has another size than recorded');
  // VHDX: offsets of the container are not offsets of the disk.
  if ((snapshot.creationData?.logicalSectorSize ?? 512) !== 512)
    throw refused({
      op: 'open a recovery point',
      subject: point.id,
      message: `the disk of ${snapshot.name ?? point.id} has 4096-byte sectors; Azure exports it as VHDX`,
      hint: 'Homeward cannot read VHDX exports: bring this disk home another way.',
    });
  return snapshot;
}

/** Azure compares only within one family, and the base must be the older one. */
function assertLineage(base: Snapshot, point: Snapshot): void {
  const family = base.incrementalSnapshotFamilyId;
  const sameFamily = family !== undefined && family === point.incrementalSnapshotFamilyId;
  const sameDisk = base.creationData?.sourceUniqueId === point.creationData?.sourceUniqueId;
  if (!sameFamily || !sameDisk) throw lost('base', base.id ?? '', `is no ancestor of ${point.name ?? 'the new point'}`);
  if (base.timeCreated && point.timeCreated && base.timeCreated > point.timeCreated)
    throw lost('base', base.id ?? '', `is newer than ${point.name ?? 'the point'}`);
}
