/**
 * The run's forecasts in its record: what was said, and later what became true, with the error in percent (R4).
 * Rule: a forecast is recorded before what it foretells, so that nobody can make it fit afterwards.
 */
import type { Convergence } from '../model/convergence.ts';
import {
  type CompletionFacts,
  type CompletionForecast,
  errorPercent,
  forecastCompletion,
  forecastStart,
  type Measured,
  rateOfLargest,
  within,
} from '../model/forecast.ts';
import type { CopySaid, DiskPair } from '../model/machine.ts';
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

export function recordSeedForecast(teller: Teller, seed: RoundReport, said: CopySaid): void {
  const tookSeconds = seconds((seed.durationMs - (seed.pointMs ?? 0)) / 1000);
  teller.record('forecast/seed', 'the seed as it was forecast soon after its lists were read, and as it was', {
    saidAfterSeconds: said.saidAfterSeconds,
    saidBytes: said.listedBytes,
    copiedBytes: seed.copiedBytes,
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

/** What completing is forecast to cost, right before the source is stopped; undefined without a round. */
export function recordCompletionForecast(
  teller: Teller,
  recent: readonly RoundReport[],
  facts: Omit<CompletionFacts, 'recent' | 'limit'>,
): CompletionForecast | undefined {
  const said = forecastCompletion({ recent, ...facts }, Date.now());
  if (!said) return undefined;
  const { bytes, outageSeconds } = said;
  teller.record('forecast/complete', 'what completing was forecast to cost, right before the source is stopped', {
    bytes: bytes.likely,
    lowBytes: bytes.low,
    highBytes: bytes.high,
    outageSeconds: seconds(outageSeconds.likely),
    lowSeconds: seconds(outageSeconds.low),
    highSeconds: seconds(outageSeconds.high),
    assumed: said.assumed.join(', ') || 'nothing',
  });
  return said;
}

/** What became of that forecast. */
export function recordOutageFact(teller: Teller, said: CompletionForecast, movedBytes: number, outageMs: number): void {
  const tookSeconds = seconds(outageMs / 1000);
  teller.record('forecast/outage', 'the outage as it was, against its forecast', {
    movedBytes,
    outageSeconds: tookSeconds,
    errorPercent: errorPercent(said.outageSeconds.likely, tookSeconds),
    bytesWithinBand: within(said.bytes, movedBytes),
    outageWithinBand: within(said.outageSeconds, tookSeconds),
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
