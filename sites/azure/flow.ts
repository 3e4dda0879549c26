/**
 * How many requests of one snapshot are on their way at once, found out from the service itself: busy answers halve it,
 * good ones raise it slowly (additive increase, multiplicative decrease, as TCP does).
 * Rule: one burst of busy answers counts once. Never below one, so that a copy always goes on.
 */
import { Slots } from './slots.ts';

/** A disk's blob gives 60 MiB/s; this many ranges of 4 MiB saturate it at any round-trip time of a usable link. */
const mostAtOnce = 8;

/** The service asks for less: too many requests, or too busy. */
const busy = (status: number): boolean => status === 429 || status === 503;

export class Flow {
  private readonly slots = new Slots(mostAtOnce);
  private allowed = mostAtOnce;
  /** Grows with each decrease: an answer to a request that was sent before it says nothing new. */
  private era = 0;

  get atOnce(): number {
    return this.slots.most;
  }

  /** Runs `send` when there is room. It says by `hear` with which status the service answered. */
  async run<T>(signal: AbortSignal, send: (hear: (status: number) => void) => Promise<T>): Promise<T> {
    const leave = await this.slots.enter(signal);
    const { era } = this;
    try {
      return await send((status) => this.hear(status, era));
    } finally {
      leave();
    }
  }

  private hear(status: number, era: number): void {
    if (!busy(status)) this.allow(this.allowed + 1 / this.allowed);
    else if (era === this.era) {
      this.era++;
      this.allow(this.allowed / 2);
    }
  }

  private allow(atOnce: number): void {
    this.allowed = Math.max(1, Math.min(mostAtOnce, atOnce));
    this.slots.most = Math.floor(this.allowed);
  }
}
