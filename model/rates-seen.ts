/**
 * How fast rounds were, and what that tells of the next one (R4).
 * Rule: only rounds whose time is known, and of those the large ones. A round that ran into a limit shows the limit. Pure.
 */
import type { Band } from './band.ts';
import { copyMs, isTimed } from './convergence.ts';
import type { RoundReport } from './round.ts';

/** Those whose time is known, where there are any. */
export function timed(rounds: readonly RoundReport[]): readonly RoundReport[] {
  const known = rounds.filter(isTimed);
  return known.length > 0 ? known : rounds;
}

const rateOf = (round: RoundReport): number => (round.copiedBytes / copyMs(round)) * 1000;

/** Rates in bytes per second that rounds of some size showed; small ones only show how long it takes to begin. */
export function ratesSeen(all: readonly RoundReport[]): Band | undefined {
  const recent = timed(all);
  const largest = [...recent].sort((a, b) => b.copiedBytes - a.copiedBytes)[0];
  if (!largest || largest.copiedBytes === 0) return undefined;
  const telling = recent.filter((round) => round.copiedBytes >= largest.copiedBytes / 4).map(rateOf);
  return { likely: rateOf(largest), low: Math.min(...telling) / 1.25, high: Math.max(...telling) * 1.25 };
}

/** The rate of the largest round so far, for the forecast of the machine's next run. */
export const rateOfLargest = (recent: readonly RoundReport[]): number | undefined => ratesSeen(recent)?.likely;

/** What one disk’s blob gives in a second: so fast a cutover may be that nobody has seen without a limit. */
export const blobBytesPerSecond = 60 * 1024 ** 2;

/** Rounds that ran into a limit which a cutover is exempt from show the limit, and not how fast the cutover will be. */
export function showsOnlyItsLimit(round: RoundReport): boolean {
  const { limit } = round;
  if (limit?.cutover !== 'exempt') return false;
  const share = rateOf(round) / limit.bytesPerSecond;
  return share > 0.5 && share < 1.25;
}
