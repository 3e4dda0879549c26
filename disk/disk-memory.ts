/**
 * One disk's part of the process's memory: how many blocks it may have at once, and for what.
 * Rule: L2 bounds what one disk has in flight; the pool bounds what all have together.
 */
import { type BlockPool, type Lent, newShare, type Share } from './block-pool.ts';

/** Blocks fetched at once. L2: 8 x 4 MiB in flight + 16 filling + 16 being made durable = 64 MiB sent again at most. */
export const laneLimit = 8;
/** Blocks read back at once. */
export const readBackLimit = 3;

export class DiskMemory {
  private readonly pool: BlockPool;
  private readonly share: Share;
  /** One aligned page, for single sectors. */
  readonly sector: Buffer;

  constructor(pool: BlockPool, urgent: boolean, sector: Buffer) {
    this.pool = pool;
    this.share = newShare(urgent);
    this.sector = sector;
  }

  /** L5: the attempt was given up while its calls are on their way. */
  writeOff(reason: unknown): void {
    this.pool.writeOff(this.share, reason);
  }

  /** A block to fetch into. Its holder may wait for a proof. */
  toFetch<T>(signal: AbortSignal, work: (lent: Lent) => Promise<T>): Promise<T> {
    return this.pool.lend('fetch', this.share, signal, work);
  }

  /** A block to read the target into. Its holder must wait for nothing but the disk. */
  toRead<T>(work: (space: Buffer) => Promise<T>): Promise<T> {
    return this.pool.lend('proof', this.share, undefined, ({ space }) => work(space));
  }

  /** Runs as many lanes as may read back at once, waits for all, then throws the first failure. */
  async readingLanes(lane: () => Promise<void>): Promise<void> {
    const ends = await Promise.allSettled(Array.from({ length: readBackLimit }, lane));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}
