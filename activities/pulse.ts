/**
 * Whether an attempt is still the one Temporal counts on: a worker that stood still longer than Temporal waits for a
 * heartbeat (a suspended process, a stunned machine) has been given up, and its successor may be at work already.
 * Rule: asked at the moment of sending, and by both clocks: on waking, what was being waited for may go on before any timer
 * does. Once lost it stays lost: a late beat must not make an attempt young again.
 */
import { transient } from '../model/failure.ts';
import { type Clock, systemClock } from './token-bucket.ts';

/**
 * The part of Temporal's patience that a worker may stand still. The rest is for a beat's way to the server: the SDK may
 * keep it back for a second.
 */
const share = 0.75;

export class Pulse {
  private readonly subject: string;
  private readonly limitMs: number;
  private readonly clock: Pick<Clock, 'monotonicMs' | 'wallMs'>;
  private readonly lost: AbortController;
  private last: { readonly monotonicMs: number; readonly wallMs: number };

  /** `heartbeatTimeoutMs`: after so long Temporal gives a silent attempt up; undefined: never. `lost` may be fired by others, too. */
  constructor(
    subject: string,
    heartbeatTimeoutMs: number | undefined,
    clock: Pick<Clock, 'monotonicMs' | 'wallMs'> = systemClock,
    lost = new AbortController(),
  ) {
    this.subject = subject;
    this.lost = lost;
    this.limitMs = (heartbeatTimeoutMs ?? Number.POSITIVE_INFINITY) * share;
    this.clock = clock;
    this.last = this.now();
  }

  /** Fires when the pulse is seen to be lost; its reason is the failure to end with. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  /** A heartbeat is about to leave. False when it would come too late: then none may leave any more. */
  beats(): boolean {
    this.look();
    if (!this.lost.signal.aborted) this.last = this.now();
    return !this.lost.signal.aborted;
  }

  /** Throws Transient when the worker stood still for too long since the last beat: Temporal begins, or has begun, anew. */
  assertThere(): void {
    this.look();
    this.lost.signal.throwIfAborted();
  }

  /** The monotonic clock may stand still with a suspended machine; the wall clock then jumps once it is set right. */
  private look(): void {
    const { monotonicMs, wallMs } = this.now();
    const silentMs = Math.max(monotonicMs - this.last.monotonicMs, wallMs - this.last.wallMs);
    if (silentMs <= this.limitMs || this.lost.signal.aborted) return;
    this.lost.abort(
      transient({
        op: 'heartbeat',
        subject: this.subject,
        message: `this worker stood still for ${(silentMs / 1000).toFixed(1)} s, so another attempt may be under way`,
        hint: 'Nothing to do: Temporal tries again. If it happens often, look at the worker’s machine (suspended, no CPU, swapping).',
      }),
    );
  }

  private now() {
    return { monotonicMs: this.clock.monotonicMs(), wallMs: this.clock.wallMs() };
  }
}
