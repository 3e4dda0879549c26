/**
 * When what is written at home is counted again while nothing happens.
 * Rule (L1): a commit is waited for without end, and Temporal ends a history at 51,200 events, of which a count costs eleven. So
 * it is counted by itself during the first day only, each pause twice the one before, up to half of the hour for which vCenter
 * keeps its samples; a rarer count would lose samples all the same.
 */

/** After a change of phase, which is when people look. */
export const firstPauseMs = 60_000;
const longestPauseMs = 30 * 60_000;
const byItselfMs = 86_400_000;

/** What is said once it is no longer counted by itself: a count that comes later is an `at least`. */
export const countedNoMore = 'by itself only the first day is counted; of later time the last hour can still be told';

/** The pause after the one of `lastMs`, `liveMs` after the machine went live, in milliseconds; undefined: none by itself any more. */
export function nextPauseMs(liveMs: number, lastMs?: number): number | undefined {
  const pause = lastMs === undefined ? firstPauseMs : Math.min(2 * lastMs, longestPauseMs);
  return liveMs + pause > byItselfMs ? undefined : pause;
}
