/**
 * Watches home while the target's disks are written: a look, a pause, the next look.
 * Rule (S000-28): only what was seen counts. A vCenter that is out of reach is told and asked again, and stops no copy,
 * because the copy does not need it. Changes nothing.
 */
import { setTimeout } from 'node:timers/promises';
import { activity } from './attempt.ts';
import { assertHomeStays, type OpenedInput } from './opened.ts';
import type { Sites } from './preflight.ts';
import { watchMs } from './watch.ts';

export const createHomeWatchActivities = (sites: Sites) => ({
  /** Refused as `observeHomeStays` is; ends by itself after a day, to be begun anew. */
  observeHomeMeanwhile: activity('observeHomeMeanwhile', async (input: OpenedInput, work): Promise<void> => {
    const everyMs = input.failback.policy.homeWatchSeconds * 1000;
    for (const until = performance.now() + watchMs; performance.now() < until; ) {
      const { unseen } = await assertHomeStays(sites, input, work);
      const seen = unseen === undefined ? 'all stands as it was opened' : `it could not be looked at: ${unseen}`;
      work.report(`${seen}; next look in a while`);
      await setTimeout(everyMs, undefined, { signal: work.signal });
    }
  }),
});
