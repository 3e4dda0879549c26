/**
 * One disk's part of the process's memory: how many blocks it may have at once, and for what.
 * Rule: L2 bounds what one disk has in flight; the pool bounds what all have together.
 */
import { untilAborted } from './attempts.ts';
import { type BlockPool, type Lent, newShare, type Share } from './block-pool.ts';
import { type PointReader, SourceSilent } from './point-reader.ts';

/** Blocks fetched at once. L2: 6 x 4 MiB in flight + 32 written and not durable (disk/window.ts) = 56 MiB sent again at most. */
export const laneLimit = 6;
/** Blocks read back at once. */
export const readBackLimit = 3;
/** A source that is silent so often, one time after another, ends the attempt. */
const mostSilences = 4;

export class DiskMemory {
  private readonly pool: BlockPool;
  private readonly share: Share;
  /** One aligned page, for single sectors. */
  readonly sector: Buffer;
  /** Since the last good answer; what is silent at the same time is silent once. */
  private silences = 0;

  constructor(pool: BlockPool, machine: string, urgent: boolean, sector: Buffer) {
    this.pool = pool;
    this.share = newShare(machine, urgent);
    this.sector = sector;
  }

  /** L5: the attempt was given up while its calls are on their way. */
  writeOff(reason: unknown): void {
    this.pool.writeOff(this.share, reason);
  }

  /**
   * A block to fetch into. Its holder may wait for a proof. L5: while a source is silent or not ready, others have use for its
   * block: `work` begins once it is ready, and work that ends `SourceSilent` is begun anew once there is a block again.
   */
  async toFetch<T>(
    source: Pick<PointReader, 'waitsFor'>,
    signal: AbortSignal,
    work: (lent: Lent) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      let before = this.silences;
      try {
        const end = await this.pool.lend('fetch', this.share, signal, async (lent) => {
          before = this.silences;
          const wait = source.waitsFor?.();
          return wait === undefined ? { got: await work(lent) } : { wait };
        });
        if ('got' in end) {
          this.silences = 0;
          return end.got;
        }
        await untilAborted(end.wait, signal);
      } catch (error) {
        if (!(error instanceof SourceSilent) || signal.aborted) throw error;
        if (this.silences === before) this.silences++;
        if (this.silences >= mostSilences) throw error;
      }
    }
  }

  /** A block to fetch into that no source is asked for: a silent one does not hold up what becomes zeros. */
  toClear<T>(signal: AbortSignal, work: (lent: Lent) => Promise<T>): Promise<T> {
    return this.pool.lend('clear', this.share, signal, work);
  }

  /** Half a block's memory to read the target into (`readBackBytes`). Its holder must wait for nothing but the disk. */
  toRead<T>(work: (space: Buffer) => Promise<T>): Promise<T> {
    return this.pool.lend('proof', this.share, undefined, ({ space }) => work(space));
  }

  /** Runs as many lanes as may read back at once, waits for all, then throws the first failure. */
  async readingLanes(lane: () => Promise<void>): Promise<void> {
    const ends = await Promise.allSettled(Array.from({ length: readBackLimit }, lane));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}
