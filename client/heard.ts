/**
 * Whether anybody is still at work on a step: decided once, for the bars, the forecast, the lines and the JSON alike.
 * Rule: a live mover is never called silent, however busy it is; one that was killed is, long before the server gives it up.
 */
import type { Pending } from './view.ts';

/** A live worker beats each second, every third while it waits for its turn, and is heard a second or two later. */
const liveWithinMs = 10_000;
/** Of the silence that the server bears; where it bears little, a beat still takes its second or two. */
const share = 0.5;
const leastMs = 5_000;

/** Whether its worker, if it has one, is silent for longer than any live one. */
export function isSilent(
  { paused, heardAt, silenceSeconds }: Pick<Pending, 'paused' | 'heardAt' | 'silenceSeconds'>,
  now: number,
): boolean {
  if (paused || heardAt === undefined || silenceSeconds === undefined) return false;
  return now - Date.parse(heardAt) >= Math.max(leastMs, Math.min(liveWithinMs, share * silenceSeconds * 1000));
}
