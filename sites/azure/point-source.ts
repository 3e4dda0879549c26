/**
 * The mover's view of Azure: opens one moment of a disk for reading, with what changed since an older one, or around it.
 * Rule: a delta is offered only between two snapshots of one family, both as they were recorded (S9); anything else is
 * Corrupt with op `lineage`, never a guess; a point that is not the recorded one is Corrupt too, but no full transfer
 * would help it. Grants are made here, in the mover's process, and given back by `close`.
 */
import { newShare } from '../../disk/block-pool.ts';
import type { PointReader } from '../../disk/point-reader.ts';
import { type DiskPoint, pointName } from '../../model/machine.ts';
import { assertBased } from '../../model/point.ts';
import type { SourceReader } from '../source.ts';
import { assertAround, assertLineage } from './ancestry.ts';
import { type BlobLimits, blobLimits, createBlobTransport } from './blob-transport.ts';
import { type AzureSiteParts, azureAccess, createAzureClients } from './client.ts';
import { flowOfDisk } from './flow.ts';
import { grantWithinMs, Lease, type Role } from './grant.ts';
import { LeaseShelf } from './lease-shelf.ts';
import { asData, merged, since } from './list-around.ts';
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
      const first = around?.since ?? base;
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
        first && look(first),
        around && look(around.until),
      ]);
      if (around && seenSince && seenUntil) assertAround(seenSince, seenUntil, held, seen);
      else if (seenSince) assertLineage(seenSince, seen);
      const leaseOf = (one: DiskPoint, role: Role): Lease =>
        new Lease({ of: readablePoint(azure, one), identity: one.identity, role }, times, work);
      const lease = shelf.take(point) ?? leaseOf(point, 'point');
      lease.serve(work);
      const sinceLease = first && leaseOf(first, 'base');
      const isUntil = around && isSame(around.until, point);
      const untilLease = around && !isUntil && leaseOf(around.until, 'base');
      // S10: what the disk holds of a moment in between, which a comparison of the other two need not name.
      const isBetween = around && base && ![around.since, around.until, point].some((one) => isSame(one, base));
      const heldLease = isBetween && leaseOf(base, 'base');
      const others = [sinceLease, untilLease, heldLease].filter((one) => one instanceof Lease);
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
      const at = (one: Lease | false | undefined): OpenSnapshot | undefined =>
        one ? { ...open, lease: one, content: new OneContent() } : undefined;
      const until = at(untilLease);
      const itself = until && first && !isSame(first, point) ? open : undefined;
      const lists: Lists = {
        compared: { ...(until ?? open), base: sinceLease },
        readAll: until !== undefined,
        before: at(sinceLease),
        between: [itself, at(heldLease)].filter((one) => one !== undefined),
      };
      return reader(open, lists, point.sizeBytes, parts.entriesAPiece, close);
    },
    async close() {
      await shelf.close();
      await transport.close();
    },
  };
}

/** The lists of what may differ between a point and what the disk holds. */
interface Lists {
  /** Compared with its base, or whole where there is none. */
  readonly compared: OpenSnapshot;
  /** It is of two moments around the point, so what it says of a range is not what the point holds there. */
  readonly readAll: boolean;
  /** The earliest of all, and those that lie between it and `compared`: sites/azure/list-around.ts. */
  readonly before: OpenSnapshot | undefined;
  readonly between: readonly OpenSnapshot[];
}

function reader(
  open: OpenSnapshot,
  { compared, readAll, before, between }: Lists,
  sizeBytes: number,
  entries: number | undefined,
  close: () => Promise<void>,
): PointReader {
  const ranges = createRangeReader(open, sizeBytes);
  return {
    sizeBytes,
    changes(signal) {
      const listOf = (one: OpenSnapshot) => pageList(one, sizeBytes, signal, entries ?? entriesAPiece);
      let list = readAll ? asData(listOf(compared)) : listOf(compared);
      if (before) for (const moment of between) list = merged(list, since(listOf(moment), listOf(before)));
      return list;
    },
    read: ranges.read,
    waitsFor: () => open.lease.waitsFor(),
    close,
  };
}

const isSame = (one: DiskPoint, other: DiskPoint): boolean => pointName(one) === pointName(other);
