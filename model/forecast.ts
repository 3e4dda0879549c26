/**
 * What lies ahead, in bytes and seconds, each with the band it is expected in: before the start, while the seed runs,
 * and for *complete failover*.
 * Rule: measured before assumed, and the forecast says which; the band widens with what is not known and a limit in force
 * counts. Pure and without a clock, so that a run can record what was said and later what became true (R4).
 */
import { type Band, exactly, sum } from './band.ts';
import { copyMs, intervals } from './convergence.ts';
import { isStanding, type ProgressLimit, type TransferProgress } from './progress.ts';
import { blobBytesPerSecond, ratesSeen, showsOnlyItsLimit, timed } from './rates-seen.ts';
import { type RoundReport, sentBytes } from './round.ts';
import type { RereadCost } from './scrub.ts';

/** What was measured in a cutover of this machine, for the next forecast; milliseconds and bytes per second. */
export interface Measured {
  readonly stopMs?: number | undefined;
  readonly sealMs?: number | undefined;
  readonly startMs?: number | undefined;
  /** The rate of the largest round. */
  readonly bytesPerSecond?: number | undefined;
}

/** What an outage takes. */
export interface OutageForecast {
  readonly outageSeconds: Band;
  /** Which steps no run of this machine has measured yet; their times are assumed. */
  readonly assumed: readonly ('stop' | 'seal' | 'start')[];
  /** What of the outage the policy `reread` costs; absent without it. */
  readonly reread?: RereadCost;
}

export interface CompletionForecast extends OutageForecast {
  /** What is left to move in it. */
  readonly bytes: Band;
}

export interface CopyForecast {
  /** Whether every disk's list is read; else the sizes of the others bound it. */
  readonly listed: boolean;
  readonly bytes: Band;
  /** What the bars of the same disks count to, once every list is read: zeros too, and what is at home already. */
  readonly barBytes?: number;
  /** Until the copy is done; absent while no rate is known. */
  readonly seconds?: Band;
  /** Nobody carries on some disk's copy, so that no end can be told. */
  readonly stands?: true;
  /** What the limit makes of the bound, where one holds and the lists are not read yet. */
  readonly atLimit?: { readonly bytesPerSecond: number; readonly seconds: number };
}

/** Seconds. Azure's deallocate takes about a minute; the guest's boot is in the start. */
const assumed = {
  stop: { likely: 60, low: 5, high: 240 },
  seal: { likely: 2, low: 0.2, high: 30 },
  start: { likely: 30, low: 2, high: 240 },
} as const;

/** Around samples: what they spanned, wider the fewer there are (one sample: a third to three times). */
function around(samples: readonly number[], likely: number): Band {
  const wider = 1 + 2 / samples.length;
  return { likely, low: Math.min(...samples) / wider, high: Math.max(...samples) * wider };
}

const median = (samples: readonly number[]): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [upper = 0, lower = upper] = [sorted[middle], sorted[sorted.length % 2 === 0 ? middle - 1 : middle]];
  return (upper + lower) / 2;
};

/** One measured time, in seconds; a second time may well take half as long again. */
const measuredStep = (ms: number | undefined, otherwise: Band): Band =>
  ms === undefined ? otherwise : { likely: ms / 1000, low: ms / 2000, high: (ms * 1.5) / 1000 + 2 };

/** Bytes that come in a millisecond, as far as rounds of changes showed. */
function rateOfChanges({ recent, underWay, waitsFor }: CompletionFacts): Band | undefined {
  const made = intervals(recent);
  const seed = recent.at(-1);
  if (made.length === 0 && seed && underWay !== undefined) {
    // What the round behind the seed has to move came between their points; where nobody says its own, it was taken right after the seed.
    const until = waitsFor?.takenAt ?? seed.endedAt;
    const rate = underWay / Math.max(1, Date.parse(until) - Date.parse(seed.takenAt));
    return around([rate], rate);
  }
  if (made.length === 0) return undefined;
  const rates = made.map(({ round, madeMs }) => sentBytes(round) / madeMs);
  const sent = made.reduce((all, { round }) => all + sentBytes(round), 0);
  return around(rates, sent / made.reduce((all, one) => all + one.madeMs, 0));
}

/** Bytes that will have to be sent of what is written in so many seconds, from how fast they came before. */
function changesIn(facts: CompletionFacts, { likely, low, high }: Band): Band {
  const rate = rateOfChanges(facts);
  if (!rate) return { likely: 0, low: 0, high: facts.recent.at(-1)?.changedBytes ?? 0 };
  const upTo = (perMs: number, seconds: number) => Math.min(facts.sizeBytes, Math.round(perMs * seconds * 1000));
  return { likely: upTo(rate.likely, likely), low: upTo(rate.low, low), high: upTo(rate.high, high) };
}

/** A bound with nothing likely in it: where nothing changes there is no bound. */
export const changesUnknown = ({ likely, high }: Band): boolean => likely === 0 && high > 0;

/** Seconds for the final round: its recovery point, what a round takes however small it is, and its bytes. */
function finalRound(recent: readonly RoundReport[], bytes: Band, limit: number | undefined): Band {
  const seen = ratesSeen(recent);
  const capped = (rate: number) => Math.min(rate, limit ?? Number.POSITIVE_INFINITY);
  const inSeconds = (some: number, rate: number | undefined) => (some === 0 || !rate ? 0 : some / capped(rate));
  const moving = {
    likely: inSeconds(bytes.likely, seen?.likely),
    low: inSeconds(bytes.low, seen && Math.max(seen.high, recent.some(showsOnlyItsLimit) ? blobBytesPerSecond : 0)),
    high: inSeconds(bytes.high, seen?.low),
  };
  const deltas = timed(recent.filter((round) => round.mode === 'delta'));
  if (deltas.length === 0) return sum(moving, { likely: 2, low: 0, high: 30 });
  const fixed = deltas.map((round) => {
    const wire = inSeconds(round.copiedBytes, seen?.likely);
    return (round.pointMs ?? 0) / 1000 + Math.max(0, copyMs(round) / 1000 - wire);
  });
  return sum(moving, around(fixed, median(fixed)));
}

/** A scrub rests for rounds and reads in one lane, so a seal is rather faster; a pace nobody measured may be far off. */
function rereading(cost: RereadCost | undefined): Band {
  if (!cost) return exactly(0);
  const [low, high] = cost.measured ? [0.25, 1.25] : [0.1, 5];
  return { likely: cost.seconds, low: cost.seconds * low, high: cost.seconds * high };
}

export interface CompletionFacts {
  readonly recent: readonly RoundReport[];
  readonly measured?: Measured | undefined;
  readonly limit?: Pick<ProgressLimit, 'bytesPerSecond' | 'cutover'> | undefined;
  /** Sum of the disks: more cannot change. */
  readonly sizeBytes: number;
  /** What the round that is under way has to fetch, once its lists are read. */
  readonly underWay?: number | undefined;
  /** The same round, which completing waits for: when its point was taken, and in how many seconds it ends; absent where one is not known. */
  readonly waitsFor?: { readonly takenAt: string; readonly seconds: Band } | undefined;
  readonly reread?: RereadCost | undefined;
}

const stepNames = ['stop', 'seal', 'start'] as const;

const stepsOf = (measured: Measured = {}): Record<(typeof stepNames)[number], Band> => ({
  stop: measuredStep(measured.stopMs, assumed.stop),
  seal: measuredStep(measured.sealMs, assumed.seal),
  start: measuredStep(measured.startMs, assumed.start),
});

/** Seconds of a stop in which the guest still writes. Its services end first of all; Azure takes the machine away long after. */
const writing = ({ likely, high }: Band): Band => ({ likely: Math.min(likely, 10), low: 0, high });

/** The steps, and `moving` seconds for the final round. */
function outageOf(
  { measured = {}, reread }: Pick<CompletionFacts, 'measured' | 'reread'>,
  moving: Band,
): OutageForecast {
  const { stop, seal, start } = stepsOf(measured);
  const outageSeconds = sum(stop, moving, seal, rereading(reread), start);
  const unmeasured = stepNames.filter((name) => measured[`${name}Ms`] === undefined);
  return { outageSeconds, assumed: unmeasured, ...(reread ? { reread } : {}) };
}

/** What *complete failover* would cost at `now` (epoch ms); undefined before the first round is done. */
export function forecastCompletion(facts: CompletionFacts, now: number): CompletionForecast | undefined {
  const { recent } = facts;
  const last = recent.at(-1);
  if (!last) return undefined;
  const { takenAt, seconds: waiting = exactly(0) } = facts.waitsFor ?? { takenAt: last.takenAt };
  const since = exactly(Math.max(0, now - Date.parse(takenAt)) / 1000);
  const bytes = changesIn(facts, sum(since, waiting, writing(stepsOf(facts.measured).stop)));
  const limit = facts.limit ?? last.limit;
  const cap = limit?.cutover === 'exempt' ? undefined : limit?.bytesPerSecond;
  return { bytes, ...outageOf(facts, finalRound(recent, bytes, cap)) };
}

/**
 * The outage as far as it can be told before the first round is done: what it takes when next to nothing is left to move.
 * Its band is open upwards: how much changes nobody has seen yet. `moving`: the whole copy, where that lies inside and its rate is known.
 */
export const forecastOutage = (
  facts: Pick<CompletionFacts, 'measured' | 'reread'>,
  moving: Band = exactly(0),
): OutageForecast => outageOf(facts, sum(moving, finalRound([], exactly(0), undefined)));

/** How far an outage is that has begun: how long it has lasted, in which step it is, and for how long; seconds. */
export interface OutageSoFar {
  readonly seconds: number;
  readonly step: 'moving' | 'seal' | 'start';
  readonly inStep: number;
}

const behind = ({ likely, low, high }: Band, seconds: number): Band => ({
  likely: Math.max(0, likely - seconds),
  low: Math.max(0, low - seconds),
  high: Math.max(0, high - seconds),
});

/**
 * How long an outage will have lasted in the end. `moving`: what the copy in it still takes; while that is not known, neither is
 * the end. A step that takes longer than it ever did is about to end, for all that is known.
 */
export function forecastEnd(
  { measured = {}, reread }: Pick<CompletionFacts, 'measured' | 'reread'>,
  { seconds, step, inStep }: OutageSoFar,
  moving: Band | undefined,
): OutageForecast | undefined {
  if (step === 'moving' && !moving) return undefined;
  const { seal, start } = stepsOf(measured);
  const sealing = sum(seal, rereading(reread));
  const left = {
    moving: sum(moving ?? exactly(0), sealing, start),
    seal: sum(behind(sealing, inStep), start),
    start: behind(start, inStep),
  }[step];
  const ahead = step === 'start' ? (['start'] as const) : (['seal', 'start'] as const);
  return {
    outageSeconds: sum(exactly(seconds), left),
    assumed: ahead.filter((name) => measured[`${name}Ms`] === undefined),
  };
}

/** Before the start nothing is known but the bound (S000-21), and a time where an earlier run of the machine has one. */
export function forecastStart(sizesBytes: readonly number[], measured: Measured = {}): CopyForecast {
  const most = sizesBytes.reduce((total, size) => total + size, 0);
  const { bytesPerSecond } = measured;
  const seconds = bytesPerSecond
    ? { seconds: { likely: most / bytesPerSecond, low: 0, high: (most * 1.5) / bytesPerSecond } }
    : {};
  return { listed: false, bytes: { likely: most, low: 0, high: most }, ...seconds };
}

/** The bound under a limit; once the lists are read, the movers themselves say which one they are under. */
export const underLimit = (bound: CopyForecast, bytesPerSecond: number | undefined): CopyForecast =>
  bound.listed || bytesPerSecond === undefined
    ? bound
    : { ...bound, atLimit: { bytesPerSecond, seconds: bound.bytes.high / bytesPerSecond } };

/** How wrong a rate of a few seconds may be for the whole copy: from half at its beginning to a tenth at its end. */
const rateError = (share: number): number => 0.5 - 0.4 * share;

/** What one disk's copy has to fetch; until that is planned, what its list names. */
export const bytesToFetch = ({ fetchBytes, listedBytes }: TransferProgress): number => fetchBytes ?? listedBytes ?? 0;

/** The copy that is under way: what the lists say, and when it ends at the rate seen and under the limit that holds. */
export function forecastCopy(
  disks: readonly { readonly disk: string; readonly sizeBytes: number }[],
  transfers: readonly TransferProgress[],
): CopyForecast | undefined {
  const latest = new Map<string, TransferProgress>();
  for (const one of transfers) if (one.epoch >= (latest.get(one.disk)?.epoch ?? 0)) latest.set(one.disk, one);
  if (latest.size === 0) return undefined;
  const known = [...latest.values()].filter((one) => one.listedBytes !== undefined);
  const named = known.reduce((total, one) => total + bytesToFetch(one), 0);
  const unread = disks.filter(({ disk }) => latest.get(disk)?.listedBytes === undefined);
  // A disk without a report is done, or waits for a worker; only one that says so still has its list before it.
  const ahead = unread.filter(({ disk }) => latest.has(disk)).reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const bytes = { likely: named + ahead, low: named, high: named + ahead };
  const listed = ahead === 0 && known.length > 0;
  const bars = listed ? { barBytes: known.reduce((total, one) => total + one.totalBytes, 0) } : {};
  if ([...latest.values()].some(isStanding)) return { listed, bytes, ...bars, stands: true };
  const seconds = listed ? secondsLeft(known) : undefined;
  return { listed, bytes, ...bars, ...(seconds ? { seconds } : {}) };
}

function secondsLeft(transfers: readonly TransferProgress[]): Band | undefined {
  const total = (pick: (one: TransferProgress) => number): number => transfers.reduce((all, one) => all + pick(one), 0);
  const left = total((one) => one.totalBytes - one.doneBytes);
  if (left <= 0) return exactly(0);
  const rate = total((one) => one.bytesPerSecond);
  const limit = Math.min(...transfers.map((one) => one.limit?.bytesPerSecond ?? Number.POSITIVE_INFINITY));
  const unsent = total((one) => bytesToFetch(one) * (one.totalBytes > 0 ? 1 - one.doneBytes / one.totalBytes : 0));
  // Zeros are written without being sent, so the limit counts only what is fetched.
  const atLimit = Number.isFinite(limit) ? unsent / limit : 0;
  if (rate <= 0 && atLimit === 0) return undefined;
  const likely = Math.max(rate > 0 ? left / rate : 0, atLimit);
  const error = rateError(total((one) => one.doneBytes) / total((one) => one.totalBytes));
  return { likely, low: Math.max(likely * (1 - error), atLimit * 0.9), high: likely / (1 - error) };
}
