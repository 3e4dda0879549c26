/**
 * How many requests are on their way at once, found out from the service and the link themselves: busy answers and requests
 * that were too slow halve it, good ones raise it slowly (additive increase, multiplicative decrease, as TCP does).
 * Rule: one burst of either counts once. Never below one, so that a copy always goes on, and never more than what still
 * arrives in time: a good answer that took half of its time raises nothing.
 */
import type { Share } from '../../disk/block-pool.ts';
import type { BlobLimits } from './blob-port.ts';
import { FellSilent, TooSlow } from './request-deadline.ts';
import { Slots } from './slots.ts';

/** A disk's blob gives 60 MiB/s; this many ranges of 4 MiB saturate it at any round-trip time of a usable link. */
const mostOfADisk = 8;

/** The service asks for less: too many requests, or too busy. */
const busy = (status: number): boolean => status === 429 || status === 503;

interface FlowOptions {
  readonly most: number;
  /** The time one request has, in milliseconds. */
  readonly requestMs: number;
  /**
   * A request that failed after so long was too slow for somebody on the way, whoever ended it, in milliseconds. Without it
   * only one counts whose own time ran out while it was being answered.
   */
  readonly cutAfterMs: number | undefined;
  /** Milliseconds that only grow. */
  readonly now?: (() => number) | undefined;
}

export class Flow {
  private readonly options: FlowOptions;
  private readonly now: () => number;
  private readonly slots: Slots;
  private allowed: number;
  /** Grows with each decrease: a request that was sent before it says nothing new. */
  private era = 0;

  constructor(options: FlowOptions) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    this.allowed = options.most;
    this.slots = new Slots(this.allowed);
  }

  get atOnce(): number {
    return this.slots.most;
  }

  /** Runs `send` when there is room for it; `share`: that of its disk among all of a mover. It says by `hear` with which status the service answered. */
  async run<T>(signal: AbortSignal, send: (hear: (status: number) => void) => Promise<T>, share?: Share): Promise<T> {
    const leave = await this.slots.enter(signal, share);
    const { era } = this;
    const began = this.now();
    try {
      const end = await send((status) => busy(status) && this.lower(era));
      if (era === this.era && this.since(began) < this.options.requestMs / 2)
        this.allow(this.allowed + 1 / this.allowed);
      if (share !== undefined) share.answers = true;
      return end;
    } catch (error) {
      // What is refused or broken at once keeps no place from anybody.
      if (share !== undefined && !signal.aborted) share.answers = !(error instanceof TooSlow);
      if (!signal.aborted && this.tooSlow(error, this.since(began))) this.lower(era);
      throw error;
    } finally {
      leave();
    }
  }

  private since(began: number): number {
    return this.now() - began;
  }

  private tooSlow(error: unknown, tookMs: number): boolean {
    const { cutAfterMs } = this.options;
    if (error instanceof TooSlow && !(error instanceof FellSilent)) return true;
    return cutAfterMs !== undefined && (error instanceof FellSilent || tookMs >= cutAfterMs);
  }

  private lower(era: number): void {
    if (era !== this.era) return;
    this.era++;
    this.allow(this.allowed / 2);
  }

  private allow(atOnce: number): void {
    this.allowed = Math.max(1, Math.min(this.options.most, atOnce));
    this.slots.most = Math.floor(this.allowed);
  }
}

/** Of one snapshot. */
export const flowOfDisk = ({ requestMs, stallMs }: BlobLimits, now?: () => number): Flow =>
  new Flow({ most: mostOfADisk, requestMs, cutAfterMs: stallMs, now });

/**
 * Of a whole mover, whose disks share its link: only the time of a request that was being answered counts, because a blob
 * that says nothing must not hold up the others (L5).
 */
export const flowOfMover = ({ connections, requestMs }: BlobLimits, now?: () => number): Flow =>
  new Flow({ most: connections, requestMs, cutAfterMs: undefined, now });
