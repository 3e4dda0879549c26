/**
 * How many attempts in a row were in vain, so that a person is asked when waiting cures nothing (L1), and is not asked
 * because a step of days has met many short troubles, each of which it got over.
 * Rule: what counts is the row, not Temporal's number of the attempt. The count travels in the heartbeats, because the next
 * attempt may be another process's.
 */
import { type Clock, systemClock } from './token-bucket.ts';

/** After so many in a row (about an hour of them at Temporal's longest pause) a person is asked. */
const patience = 60;

/** An attempt that has worked for so long was not in vain, however it ends; longer than any wait for a single answer. */
const longMs = 10 * 60_000;

/** How an attempt came to be. */
export interface Earlier {
  /** From 1; Temporal counts all, and begins anew after a reset. */
  readonly attempt: number;
  /** The last details that an attempt before this one sent. */
  readonly heartbeatDetails?: unknown;
}

export class InVain {
  private readonly before: number;
  private readonly clock: Pick<Clock, 'monotonicMs'>;
  private readonly begunMs: number;

  constructor({ attempt, heartbeatDetails }: Earlier, clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    const sent = (heartbeatDetails as { inVain?: unknown } | null | undefined)?.inVain;
    // The attempt before has failed, too; one that could not send a word has left the count of the one before it.
    this.before = attempt === 1 ? 0 : (typeof sent === 'number' ? sent : 0) + 1;
    this.clock = clock;
    this.begunMs = clock.monotonicMs();
  }

  /** What to send along with a heartbeat: how many before this attempt were in vain, as it will count for the next one. */
  with(details: unknown): unknown {
    const inVain = this.row();
    return inVain === 0 || typeof details !== 'object' ? details : { ...details, inVain };
  }

  /** Whether a failure of this attempt is one too many. */
  get enough(): boolean {
    return this.row() + 1 >= patience;
  }

  private row(): number {
    return this.clock.monotonicMs() - this.begunMs >= longMs ? 0 : this.before;
  }
}
