/**
 * The run's forecasts in its record: what was said, and later what became true, with the error in percent (R4).
 * Rule: a forecast is recorded before what it foretells, so that nobody can make it fit afterwards.
 */
import { errorPercent, within } from '../model/band.ts';
import { type Convergence, copyMs } from '../model/convergence.ts';
import {
  type CompletionFacts,
  type CompletionForecast,
  forecastCompletion,
  forecastOutage,
  forecastStart,
  type Measured,
  type OutageForecast,
} from '../model/forecast.ts';
import type { CopySaid, DiskPair } from '../model/machine.ts';
import { rateOfLargest } from '../model/rates-seen.ts';
import type { RoundReport } from '../model/round.ts';
import type { Teller } from './teller.ts';

const seconds = (figure: number): number => Math.round(figure * 10) / 10;

/** S000-21: before anything moves only the bound is known. */
export function recordBound(teller: Teller, pairs: readonly DiskPair[], measured: Measured | undefined): void {
  const sizes = pairs.map((pair) => pair.source.sizeBytes);
  const { bytes, seconds: time } = forecastStart(sizes, measured);
  teller.record('forecast/start', 'before the start: no more than this can have to be moved', {
    lowBytes: bytes.low,
    highBytes: bytes.high,
    ...(time ? { highSeconds: seconds(time.high) } : {}),
  });
}

/** `what`: the seed, or the full copy inside an outage. */
export function recordCopyForecast(teller: Teller, what: 'seed' | 'copy', copy: RoundReport, said: CopySaid): void {
  const tookSeconds = seconds(copyMs(copy) / 1000);
  teller.record(`forecast/${what}`, `the ${what} as it was forecast soon after its lists were read, and as it was`, {
    saidAfterSeconds: said.saidAfterSeconds,
    saidBytes: said.listedBytes,
    copiedBytes: copy.copiedBytes,
    saidSeconds: said.seconds,
    lowSeconds: said.lowSeconds,
    highSeconds: said.highSeconds,
    tookSeconds,
    errorPercent: errorPercent(said.seconds, tookSeconds),
  });
}

/** L3: said with both rates when it begins and when it ends. */
export function recordTurn(teller: Teller, now: Convergence): void {
  const what = now.converges ? 'the rounds converge again' : 'changes faster than the link: the rounds do not converge';
  teller.record(`convergence/${now.round}`, what, {
    changedBytesPerSecond: now.changedBytesPerSecond,
    movedBytesPerSecond: now.movedBytesPerSecond,
    round: now.round,
  });
}

const figures = ({ outageSeconds: { likely, low, high } }: OutageForecast) => ({
  outageSeconds: seconds(likely),
  lowSeconds: seconds(low),
  highSeconds: seconds(high),
});

/** What completing is forecast to cost, right before the source is stopped; undefined without a round. */
export function recordCompletionForecast(
  teller: Teller,
  recent: readonly RoundReport[],
  facts: Omit<CompletionFacts, 'recent' | 'limit'>,
): CompletionForecast | undefined {
  const said = forecastCompletion({ recent, ...facts }, Date.now());
  if (!said) return undefined;
  const { bytes } = said;
  teller.record('forecast/complete', 'what completing was forecast to cost, right before the source is stopped', {
    bytes: bytes.likely,
    lowBytes: bytes.low,
    highBytes: bytes.high,
    ...figures(said),
    assumed: said.assumed.join(', ') || 'nothing',
  });
  return said;
}

/**
 * The same where every disk is copied in full inside the outage: of the bytes the bound is known, and of the time what the steps
 * beside the copy take, or with the rate of the machine's last run all of it.
 */
export function recordWholeForecast(
  teller: Teller,
  sizes: readonly number[],
  facts: Pick<CompletionFacts, 'measured' | 'reread'>,
): CompletionForecast | undefined {
  const { bytes, seconds: copying } = forecastStart(sizes, facts.measured);
  const said = { bytes, ...forecastOutage(facts, copying) };
  teller.record('forecast/complete', 'what completing was forecast to cost: every disk is copied in the outage', {
    lowBytes: bytes.low,
    highBytes: bytes.high,
    ...(copying ? figures(said) : { lowSeconds: seconds(said.outageSeconds.low), withoutCopy: true }),
    assumed: said.assumed.join(', ') || 'nothing',
  });
  return copying ? said : undefined;
}

/** What became of that forecast; without one, the fact alone. */
export function recordOutageFact(
  teller: Teller,
  said: CompletionForecast | undefined,
  movedBytes: number,
  outageMs: number,
): void {
  const tookSeconds = seconds(outageMs / 1000);
  teller.record('forecast/outage', 'the outage as it was, against its forecast', {
    movedBytes,
    outageSeconds: tookSeconds,
    ...(said
      ? {
          errorPercent: errorPercent(said.outageSeconds.likely, tookSeconds),
          bytesWithinBand: within(said.bytes, movedBytes),
          outageWithinBand: within(said.outageSeconds, tookSeconds),
        }
      : {}),
  });
}

/** What this cutover teaches the next run's forecast. */
export const measuredBy = (
  times: { readonly stopMs: number; readonly sealMs?: number; readonly startMs: number },
  recent: readonly RoundReport[],
): Measured => {
  const bytesPerSecond = rateOfLargest(recent);
  return { ...times, ...(bytesPerSecond === undefined ? {} : { bytesPerSecond: Math.round(bytesPerSecond) }) };
};
