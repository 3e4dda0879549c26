/**
 * How many attempts in a row were in vain, so that a person is asked when waiting cures nothing (L1), and is not asked
 * because a step of days has met many short troubles, each of which it got over.
 * Rule: what counts is the row, not Temporal's number of the attempt. The count travels in the heartbeats, because the next
 * attempt may be another process's; so does how far the step has come, because an attempt that goes on from a journal counts
 * up to there again.
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

/** What of details counts here, as far as it is a number. `doneBytes`: proven by this attempt or before it (model/progress.ts). */
function figure(details: unknown, name: 'doneBytes' | 'inVain' | 'reachedBytes'): number {
  const found = (details as Partial<Record<typeof name, unknown>> | null | undefined)?.[name];
  return typeof found === 'number' ? found : 0;
}

export class InVain {
  private readonly before: number;
  private readonly clock: Pick<Clock, 'monotonicMs'>;
  private readonly begunMs: number;
  /** The most bytes that an attempt before this one has told. */
  private readonly reachedBefore: number;
  private reached: number;
  private tried = true;

  constructor({ attempt, heartbeatDetails }: Earlier, clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    // The attempt before has failed, too; one that could not send a word has left the count of the one before it.
    this.before = attempt === 1 ? 0 : figure(heartbeatDetails, 'inVain') + 1;
    this.reachedBefore = figure(heartbeatDetails, 'reachedBytes');
    this.reached = this.reachedBefore;
    this.clock = clock;
    this.begunMs = clock.monotonicMs();
  }

  /** What to send along with a heartbeat: how many before this attempt were in vain, as it will count for the next one. */
  with(details: unknown): unknown {
    this.reached = Math.max(this.reached, figure(details, 'doneBytes'));
    if (typeof details !== 'object') return details;
    // The next attempt counts this one in, so that one that is not to count takes itself off beforehand.
    const [inVain, reachedBytes] = [this.tried ? this.row() : this.before - 1, this.reached];
    return { ...details, ...(inVain !== 0 && { inVain }), ...(reachedBytes > 0 && { reachedBytes }) };
  }

  /** This attempt found no place (activities/in-hand.ts): it was none. */
  notTried(): void {
    this.tried = false;
  }

  /** Whether a failure of this attempt is one too many. */
  get enough(): boolean {
    return this.tried && this.row() + 1 >= patience;
  }

  /** An attempt that brought more than any before it was not in vain, however short it was. */
  private row(): number {
    if (this.reached > this.reachedBefore) return 0;
    return this.clock.monotonicMs() - this.begunMs >= longMs ? 0 : this.before;
  }
}
