/**
 * How much may flow through one scope: tokens that grow with time, and a debt that must be paid before the next piece.
 * Rule: over any time the bytes stay below rate × (time + a quarter of a second) plus one piece; a change of the rate holds
 * for the debt too, so that lifting a limit frees the copy at once.
 */
import { type CompiledRule, compile, type LimitRule, type LimitScope, rateAt } from '../model/limit.ts';

/** Where time comes from; tests bring their own. */
export interface Clock {
  monotonicMs(): number;
  wallMs(): number;
  /** Calls `act` once, later; answers how to take that back. */
  after(ms: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

/** What an idle scope saves up: enough to outlast a late timer, too little to be felt on a link. */
const burstMs = 250;
/** How deep a piece that does not wait (an exempt cutover) may put the others in debt. */
const deepestDebtMs = 1_000;

export class TokenBucket {
  readonly scope: LimitScope;
  readonly sharedBy: number;
  private readonly clock: Clock;
  private rules: readonly CompiledRule[] = [];
  private bytesPerSecond = Number.POSITIVE_INFINITY;
  /** The wall clock's times between which the rules say what they said. */
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private untilMs = Number.POSITIVE_INFINITY;
  private tokens = 0;
  private filledAt: number;

  constructor(scope: LimitScope, sharedBy: number, clock: Clock) {
    this.scope = scope;
    this.sharedBy = Math.max(1, sharedBy);
    this.clock = clock;
    this.filledAt = clock.monotonicMs();
  }

  set(rules: readonly LimitRule[]): void {
    this.fill();
    this.rules = rules.map(compile);
    this.look();
  }

  /** This mover's share in bytes per second now; infinite without a limit. */
  rate(): number {
    const wallMs = this.clock.wallMs();
    if (wallMs >= this.untilMs || wallMs < this.lookedAtMs) this.look();
    return this.bytesPerSecond;
  }

  /** When the rules next say something else, epoch ms; infinite when they never do. */
  until(): number {
    this.rate();
    return this.untilMs;
  }

  /** Milliseconds until the next piece may pass; 0 when it may now. */
  readyInMs(): number {
    this.fill();
    return this.tokens >= 0 ? 0 : (-this.tokens / this.bytesPerSecond) * 1000;
  }

  take(bytes: number, unasked = false): void {
    this.fill();
    if (!Number.isFinite(this.bytesPerSecond)) return;
    const after = this.tokens - bytes;
    this.tokens = unasked
      ? Math.max(after, Math.min(this.tokens, (-this.bytesPerSecond * deepestDebtMs) / 1000))
      : after;
  }

  private look(): void {
    this.lookedAtMs = this.clock.wallMs();
    const { bytesPerSecond, until } = rateAt(this.rules, this.lookedAtMs);
    this.bytesPerSecond = (bytesPerSecond ?? Number.POSITIVE_INFINITY) / this.sharedBy;
    this.untilMs = until ?? Number.POSITIVE_INFINITY;
  }

  private fill(): void {
    const now = this.clock.monotonicMs();
    const rate = this.rate();
    if (Number.isFinite(rate)) {
      const most = (rate * burstMs) / 1000;
      this.tokens = Math.min(most, this.tokens + (rate * (now - this.filledAt)) / 1000);
    } else this.tokens = 0;
    this.filledAt = now;
  }
}
