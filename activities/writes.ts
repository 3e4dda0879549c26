/**
 * Counts what the target has written since it went live.
 * Rule (S5): goes on from the last count, by the site's own samples; where the site has none, that is a failure and no zero.
 */
import { transient } from '../model/failure.ts';
import { addSamples, fromStart, type WriteSample, type Written } from '../model/written.ts';
import { activity } from './attempt.ts';
import type { Sites } from './preflight.ts';

/** Small, for it is asked very often in one history. */
export interface WritesLook {
  readonly site: string;
  /** Of the target. */
  readonly path: string;
  /** Whether the run made the machine. */
  readonly made: boolean;
  readonly run: string;
  /** Since when the target may run, ISO 8601. */
  readonly since: string;
  /** What was counted before; absent in the first count. */
  readonly written?: Written;
}

export const createWritesActivities = (sites: Sites) => ({
  /** The count up to now. Transient while the site has no whole sample since this start. */
  observeWritten: activity('observeWritten', async (input: WritesLook, work): Promise<Written> => {
    const { site, path, made, run, since, written } = input;
    const request = { path, run, made, ...(written && { after: written.until }) };
    const { startedAt = since, samples } = await sites.target(site).observeWrites(request, work);
    // One that began before the start tells next to nothing of the time since, and would be told as 0 B until now.
    const afterStart = ({ at, seconds }: WriteSample) => Date.parse(at) - seconds * 1000 >= Date.parse(startedAt);
    if (!written && !samples.some(afterStart)) throw noSample(path);
    return addSamples(written ?? fromStart(startedAt, since), samples);
  }),
});

const noSample = (subject: string) =>
  transient({
    op: 'observeWritten',
    subject,
    message: 'vCenter has no sample of its disks since its start yet',
    hint: 'A sample takes 20 seconds; it is asked for again by itself.',
  });
