/**
 * Watches the source while the target serves.
 * Rule (S1): outside actors cannot be forbidden, so they are noticed: each look is a fresh one, and the first that finds
 * the source running, or started since the final point, ends the watch as Refused. Changes nothing.
 */
import { setTimeout } from 'node:timers/promises';
import type { Policy } from '../model/inventory.ts';
import { activity } from './attempt.ts';
import { assertSourceOff, type TargetStart } from './power.ts';
import type { Sites } from './preflight.ts';

/** A watch ends well after so long, to be begun anew: an attempt must not be older than its worker's patience. */
export const watchMs = 24 * 3_600_000;

/**
 * So long a cancel may take to be heard here: it comes with the answer to a beat (a second apart, activities/attempt.ts),
 * which the SDK may keep back for another second.
 */
export const heardWithinMs = 2_500;

/**
 * The pause between two looks, in milliseconds. S1: what the policy names is when a person is called, so the time a finding is
 * held back is taken from the pause; of a very short one half is left.
 */
export function pauseMs({ sourceWatchSeconds }: Pick<Policy, 'sourceWatchSeconds'>): number {
  const wantedMs = sourceWatchSeconds * 1000;
  return Math.max(wantedMs / 2, wantedMs - heardWithinMs);
}

export interface SourceWatch extends TargetStart {
  /** A deletion of ours may have been sent: then a source that is gone was not taken away by somebody else. */
  readonly retiring: boolean;
}

export const createWatchActivities = (sites: Sites) => ({
  /** `there`: whether the source still exists, as far as a source that is being retired may be gone. */
  observeSourceStaysOff: activity(
    'observeSourceStaysOff',
    async (input: SourceWatch, work): Promise<{ readonly there: boolean }> => {
      const { policy, source } = input.failback;
      for (const until = performance.now() + watchMs; performance.now() < until; ) {
        if (input.retiring) {
          const seen = await sites.source(source.site).observeMachine(source.path, work);
          if (seen.power === 'absent') return { there: false };
        }
        await stillWatched(() => assertSourceOff(sites, input, 'the commit', work), work.signal);
        work.report('the source is off; next look in a moment');
        await setTimeout(pauseMs(policy), undefined, { signal: work.signal });
      }
      return { there: true };
    },
  ),
});

/**
 * A finding counts once it is sure that the watch is still wanted: right after a commit the source is deleted by us, and a
 * look that meets this must not be told as somebody else's doing.
 */
async function stillWatched(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await look();
  } catch (error) {
    await setTimeout(heardWithinMs, undefined, { signal });
    throw error;
  }
}
