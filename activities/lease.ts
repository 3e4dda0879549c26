/**
 * An attempt's leave to write, which needs no clock but its own: Temporal gives an attempt up only once it has had no
 * heartbeat of it for the time-out, so for a while after one that it acknowledged nobody else can have begun.
 * Rule (S8): counted from when the heartbeat was sent, by both clocks (activities/pulse.ts). Only an answer that the attempt
 * goes on counts: one that says that it is to stop renews nothing. Once it is over or given up it stays so.
 */
import { ActivityNotFoundError } from '@temporalio/client';
import { type Failure, fenced, transient } from '../model/failure.ts';
import { leaseMs } from '../model/lease.ts';
import { type Clock, systemClock } from './token-bucket.ts';

/** How often Temporal is asked again while it acknowledges nothing, in milliseconds. */
const againMs = 500;

export interface LeaseFacts {
  /** The activity's name. */
  readonly subject: string;
  /** After so long without a heartbeat Temporal gives the attempt up. */
  readonly heartbeatTimeoutMs: number;
  /** Sends a heartbeat and awaits Temporal's answer, but not for longer than this. Rejects as the client of Temporal does. */
  send(patienceMs: number): Promise<void>;
  readonly clock?: Clock;
  /** Fired when Temporal has given the attempt up; may be fired by others, too. */
  readonly lost?: AbortController;
}

export class Lease {
  private readonly facts: LeaseFacts;
  private readonly clock: Clock;
  private readonly limitMs: number;
  private readonly lost: AbortController;
  /** When the last acknowledged heartbeat was sent. */
  private held: { readonly monotonicMs: number; readonly wallMs: number } | undefined;
  private sending: Promise<void> | undefined;
  private forget: (() => void) | undefined;
  private over = false;

  constructor(facts: LeaseFacts) {
    this.facts = facts;
    this.clock = facts.clock ?? systemClock;
    this.lost = facts.lost ?? new AbortController();
    this.limitMs = leaseMs(facts.heartbeatTimeoutMs);
  }

  /** Fires when Temporal says that the attempt is not its own any more; its reason is the failure to end with. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  /**
   * Resolves when the attempt may begin a write now; from the first call on the leave is renewed beside the work, so that
   * hardly any waits. Rejects with `Fenced` when Temporal has given the attempt up or it has ended, `Transient` when Temporal
   * acknowledges nothing for as long as the time-out, and with the signal's reason when that fires while it waits.
   */
  async assure(signal: AbortSignal): Promise<void> {
    const askedMs = this.clock.monotonicMs();
    for (;;) {
      if (this.over) throw this.ended();
      this.lost.signal.throwIfAborted();
      if (this.isYoung()) return;
      signal.throwIfAborted();
      if (this.clock.monotonicMs() - askedMs > this.facts.heartbeatTimeoutMs) throw this.unheard();
      await this.renew(signal);
      if (!this.isYoung()) await this.pause(signal);
    }
  }

  /** The attempt has ended, or its caller was told so: what it left behind writes nothing more. */
  end(): void {
    this.over = true;
    this.forget?.();
  }

  private isYoung(): boolean {
    if (this.held === undefined) return false;
    const age = Math.max(this.clock.monotonicMs() - this.held.monotonicMs, this.clock.wallMs() - this.held.wallMs);
    return age < this.limitMs;
  }

  /** One heartbeat at a time; whoever asks meanwhile awaits that one. Never rejects, and answers at once when told to stop. */
  private renew(signal: AbortSignal): Promise<void> {
    this.sending ??= this.send().finally(() => {
      this.sending = undefined;
      this.forget?.();
      if (!this.over) this.forget = this.clock.after(this.limitMs / 2, () => void this.renew(neverAborted));
    });
    return unlessAborted(this.sending, signal);
  }

  private async send(): Promise<void> {
    const sent = { monotonicMs: this.clock.monotonicMs(), wallMs: this.clock.wallMs() };
    try {
      await this.facts.send(this.limitMs);
      this.held = sent;
    } catch (error) {
      // Whatever else it says, that it cannot be reached or that the attempt is to stop, is no leave to go on.
      if (error instanceof ActivityNotFoundError && !this.over) this.lost.abort(this.givenUp());
    }
  }

  private pause(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const forget = this.clock.after(Math.min(againMs, this.limitMs / 4), resolve);
    return unlessAborted(promise, signal).finally(forget);
  }

  private givenUp(): Failure {
    return fenced({
      op: 'lease',
      subject: this.facts.subject,
      message: 'Temporal has given this attempt up, so another one may be under way',
      hint: 'Nothing to do: the other attempt goes on.',
    });
  }

  private ended(): Failure {
    const message = 'this attempt has ended, so another one may be under way';
    return fenced({ op: 'lease', subject: this.facts.subject, message, hint: 'Nothing to do.' });
  }

  private unheard(): Failure {
    const { subject, heartbeatTimeoutMs } = this.facts;
    return transient({
      op: 'lease',
      subject,
      message: `Temporal has acknowledged no heartbeat of this worker for ${Math.round(heartbeatTimeoutMs / 1000)} s, so another attempt may be under way`,
      hint: 'Nothing to do: Temporal tries again. If it happens often, look at the network between this worker and Temporal.',
    });
  }
}

const neverAborted = new AbortController().signal;

/** Resolves with `work`, or as soon as the signal fires. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop));
}
