/**
 * Who may fetch the next bytes: every disk asks before each piece, and is let through when all its scopes have room.
 * Rule: what lies inside a cutover goes first; the others share by bytes, so that a disk with large pieces or many requests
 * gets no more than one with few (R11); a disk that waits for its own site's limit stands in no other disk's way.
 */
import { type LimitScope, scopeText } from '../model/limit.ts';
import type { ProgressLimit } from '../model/progress.ts';
import type { Clock, TokenBucket } from './token-bucket.ts';

/** Windows begin and end by the wall clock, which may be set: so often the rates are looked at while somebody waits. */
const lookAgainMs = 1_000;
/** How long after its last wait a copy still counts as held back. */
const heldForMs = 2_000;

interface Request {
  readonly bytes: number;
  readonly begin: () => void;
}

/** One disk's way through the limits. */
export interface Lane {
  /** Resolves when `bytes` may be fetched; rejects with the signal's reason when it fires first. */
  pace(bytes: number, signal: AbortSignal): Promise<void>;
  /** The lowest limit that holds now, and whether it holds this disk back; undefined without one. */
  limit(): ProgressLimit | undefined;
}

interface LaneState {
  readonly urgent: boolean;
  readonly buckets: readonly TokenBucket[];
  readonly waiting: Request[];
  /** Bytes served, on a scale all lanes share. */
  served: number;
  heldAt: number;
}

export class Pacer {
  private readonly buckets: ReadonlyMap<string, TokenBucket>;
  private readonly clock: Clock;
  private readonly exempt: boolean;
  private readonly lanes = new Set<LaneState>();
  private servedNow = 0;
  private forget: () => void = () => undefined;

  /** `exempt`: what is urgent never waits, and the others make room for it. */
  constructor(buckets: readonly TokenBucket[], exempt: boolean, clock: Clock) {
    this.buckets = new Map(buckets.map((bucket) => [scopeText(bucket.scope), bucket]));
    this.exempt = exempt;
    this.clock = clock;
  }

  /** A lane for one attempt on one disk; the scopes it does not know limit nothing. */
  lane(scopes: readonly LimitScope[], urgent: boolean): Lane {
    const buckets = scopes.flatMap((scope) => this.buckets.get(scopeText(scope)) ?? []);
    const state: LaneState = { urgent, buckets, waiting: [], served: 0, heldAt: Number.NEGATIVE_INFINITY };
    if (urgent && this.exempt)
      return {
        async pace(bytes) {
          for (const bucket of buckets) bucket.take(bytes, true);
        },
        limit: () => undefined,
      };
    return {
      pace: (bytes, signal) => this.wait(state, bytes, signal),
      limit: () => this.limitOf(state),
    };
  }

  /** To be called when rules have changed. */
  changed(): void {
    this.pump();
  }

  private wait(lane: LaneState, bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = (): void => {
        lane.waiting.splice(lane.waiting.indexOf(mine), 1);
        if (lane.waiting.length === 0) this.lanes.delete(lane);
        reject(signal.reason);
      };
      const mine: Request = {
        bytes,
        begin: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      // A lane that was idle begins where the others are: it has no credit for the time it asked for nothing.
      if (lane.waiting.length === 0) lane.served = Math.max(lane.served, this.servedNow);
      lane.waiting.push(mine);
      this.lanes.add(lane);
      this.pump();
      if (lane.waiting.includes(mine)) lane.heldAt = this.clock.monotonicMs();
    });
  }

  private pump(): void {
    this.forget();
    this.forget = () => undefined;
    for (let lane = this.nextReady(); lane; lane = this.nextReady()) this.grant(lane);
    if (this.lanes.size === 0) return;
    const soonest = Math.min(lookAgainMs, ...[...this.lanes].map(readyInMs));
    this.forget = this.clock.after(Math.max(1, Math.ceil(soonest)), () => this.pump());
  }

  /** The lane that is served next of those whose scopes all have room. */
  private nextReady(): LaneState | undefined {
    let best: LaneState | undefined;
    for (const lane of this.lanes) if (readyInMs(lane) === 0 && (!best || goesBefore(lane, best))) best = lane;
    return best;
  }

  private grant(lane: LaneState): void {
    const request = lane.waiting.shift();
    if (!request) return;
    for (const bucket of lane.buckets) bucket.take(request.bytes);
    this.servedNow = Math.max(this.servedNow, lane.served);
    lane.served += request.bytes;
    if (lane.waiting.length === 0) this.lanes.delete(lane);
    request.begin();
  }

  private limitOf(lane: LaneState): ProgressLimit | undefined {
    const [lowest] = [...lane.buckets].sort((a, b) => a.rate() - b.rate());
    if (!lowest || !Number.isFinite(lowest.rate())) return undefined;
    const holdsBack = lane.waiting.length > 0 || this.clock.monotonicMs() - lane.heldAt < heldForMs;
    const exempt = this.exempt ? ({ cutover: 'exempt' } as const) : {};
    return { bytesPerSecond: Math.round(lowest.rate()), by: scopeText(lowest.scope), holdsBack, ...exempt };
  }
}

const readyInMs = ({ buckets }: LaneState): number => Math.max(0, ...buckets.map((bucket) => bucket.readyInMs()));

const goesBefore = (one: LaneState, other: LaneState): boolean =>
  one.urgent === other.urgent ? one.served < other.served : one.urgent;
