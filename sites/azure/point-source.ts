/**
 * The mover's view of Azure: opens one moment of a disk for reading, with what changed since an older one, or around it.
 * Rule: a delta is offered only between two snapshots of one family, both as they were recorded (S9); anything else is
 * Corrupt with op `lineage`, never a guess; a point that is not the recorded one is Corrupt too, but no full transfer
 * would help it. Grants are made here, in the mover's process, and given back by `close`.
 */
import { newShare } from '../../disk/block-pool.ts';
import type { Extent, PointReader } from '../../disk/point-reader.ts';
import { type DiskPoint, pointName } from '../../model/machine.ts';
import { assertBased } from '../../model/point.ts';
import type { SourceReader } from '../source.ts';
import { assertAround, assertLineage } from './ancestry.ts';
import { type BlobLimits, blobLimits, createBlobTransport } from './blob-transport.ts';
import { type AzureSiteParts, azureAccess, createAzureClients } from './client.ts';
import { flowOfDisk } from './flow.ts';
import { grantWithinMs, Lease, type Role } from './grant.ts';
import { LeaseShelf } from './lease-shelf.ts';
import { OneContent } from './one-content.ts';
import { entriesAPiece, pageList } from './page-list.ts';
import { createRangeReader } from './range-reader.ts';
import { observeReach } from './reach.ts';
import { readablePoint } from './readable-point.ts';
import { type Recorded, recorded } from './recorded-point.ts';
import type { OpenSnapshot } from './snapshot-get.ts';

export interface AzureReaderParts extends AzureSiteParts {
  readonly limits?: Partial<BlobLimits>;
  /** Entries of one page-list answer; the default suits, smaller ones are for tests. */
  readonly entriesAPiece?: number;
  /** How long Azure may take for a grant, in milliseconds; the default suits, shorter ones are for tests. */
  readonly grantWithinMs?: number;
}

export function createAzureReader(parts: AzureReaderParts): SourceReader & { close(): Promise<void> } {
  const azure = createAzureClients(azureAccess(parts));
  const transport = createBlobTransport(parts.config, parts.ca, { ...blobLimits, ...parts.limits });
  const times = { seconds: parts.config.grantSeconds, withinMs: parts.grantWithinMs ?? grantWithinMs };
  const shelf = new LeaseShelf();
  return {
    site: parts.site,
    observeReach: (work) => observeReach(azure, parts.config, work),
    async openPoint({ point, base, around, machine, urgent, afterwards }, work): Promise<PointReader> {
      assertBased({ op: 'open a recovery point', subject: point.id }, around, base);
      const since = around?.since ?? base;
      // Of up to four moments some may be one: each is looked at once.
      const looks = new Map<string, Promise<Recorded>>();
      const look = (one: DiskPoint, role: Role = 'base'): Promise<Recorded> => {
        const known = looks.get(pointName(one)) ?? recorded(azure, one, role, work);
        looks.set(pointName(one), known);
        return known;
      };
      const [seen, held, seenSince, seenUntil] = await Promise.all([
        look(point, 'point'),
        base && look(base),
        since && look(since),
        around && look(around.until),
      ]);
      if (around && seenSince && seenUntil) assertAround(seenSince, seenUntil, held, seen);
      else if (seenSince) assertLineage(seenSince, seen);
      const leaseOf = (one: DiskPoint, role: Role): Lease =>
        new Lease({ of: readablePoint(azure, one), identity: one.identity, role }, times, work);
      const lease = shelf.take(point) ?? leaseOf(point, 'point');
      lease.serve(work);
      const sinceLease = since && leaseOf(since, 'base');
      const isUntil = around && pointName(around.until) === pointName(point);
      const untilLease = around && !isUntil && leaseOf(around.until, 'base');
      const others = [sinceLease, untilLease].filter((one) => one instanceof Lease);
      const leases = [lease, ...others];
      const revoke = (): Promise<void> => shelf.giveBackUntil(leases, work.signal);
      const close = async (): Promise<void> => {
        if (afterwards === undefined) return await revoke();
        for (const other of others) void shelf.giveBack(other);
        if (afterwards === 'keep') shelf.keep(point, lease);
        else void shelf.giveBack(lease);
      };
      work.report(`opening ${lease.name}`);
      const granted = await Promise.allSettled(leases.map((one) => one.sas()));
      for (const each of granted) {
        if (each.status === 'fulfilled') continue;
        await revoke();
        throw each.reason;
      }
      const share = newShare(machine ?? pointName(point), urgent === true);
      const open = { transport, lease, content: new OneContent(), share, flow: flowOfDisk(transport.limits) };
      // What changed between two moments around the point is no longer what the point holds there: all of it is read.
      const elsewhere = untilLease && { lease: untilLease, content: new OneContent() };
      const listed = { ...open, ...elsewhere, base: sinceLease, readAll: untilLease instanceof Lease };
      return reader(open, listed, point.sizeBytes, parts.entriesAPiece, close);
    },
    async close() {
      await shelf.close();
      await transport.close();
    },
  };
}

function reader(
  open: OpenSnapshot,
  listed: OpenSnapshot & { readonly readAll: boolean },
  sizeBytes: number,
  entries: number | undefined,
  close: () => Promise<void>,
): PointReader {
  const ranges = createRangeReader(open, sizeBytes);
  return {
    sizeBytes,
    changes(signal) {
      const list = pageList(listed, sizeBytes, signal, entries ?? entriesAPiece);
      return listed.readAll ? asData(list) : list;
    },
    read: ranges.read,
    waitsFor: () => open.lease.waitsFor(),
    close,
  };
}

async function* asData(list: AsyncIterable<Extent>): AsyncGenerator<Extent> {
  for await (const extent of list) yield { ...extent, kind: 'data' };
}
