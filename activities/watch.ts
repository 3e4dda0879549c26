/**
 * Watches the source while the target serves.
 * Rule (S1): outside actors cannot be forbidden, so they are noticed: each look is a fresh one, and the first that finds
 * the source running, or started since the final point, ends the watch as Refused. Changes nothing.
 */
import { setTimeout } from 'node:timers/promises';
import { activity } from './attempt.ts';
import { assertSourceOff, type TargetStart } from './power.ts';
import type { Sites } from './preflight.ts';

/** A watch ends well after so long, to be begun anew: an attempt must not be older than its worker's patience. */
const watchMs = 24 * 3_600_000;

export const createWatchActivities = (sites: Sites) => ({
  observeSourceStaysOff: activity('observeSourceStaysOff', async (input: TargetStart, work): Promise<void> => {
    const everyMs = input.failback.policy.sourceWatchSeconds * 1000;
    for (const until = performance.now() + watchMs; performance.now() < until; ) {
      await assertSourceOff(sites, input, 'the commit', work);
      work.report('the source is off; next look in a moment');
      await setTimeout(everyMs, undefined, { signal: work.signal });
    }
  }),
});
