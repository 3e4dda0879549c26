/**
 * Counts what the target has written since it went live.
 * Rule (S5): goes on from the last count, by the site's own samples; where the site has none, that is a failure and no zero.
 */
import { transient } from '../model/failure.ts';
import { addSamples, fromStart, type Written } from '../model/written.ts';
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
  /** The count up to now. Transient while the site has no sample of this start. */
  observeWritten: activity('observeWritten', async (input: WritesLook, work): Promise<Written> => {
    const { site, path, made, run, since, written } = input;
    const request = { path, run, made, ...(written && { after: written.until }) };
    const { startedAt = since, samples } = await sites.target(site).observeWrites(request, work);
    if (!written && samples.length === 0) throw noSample(path);
    return addSamples(written ?? fromStart(startedAt, since), samples);
  }),
});

const noSample = (subject: string) =>
  transient({
    op: 'observeWritten',
    subject,
    message: 'vCenter has no sample of its disks yet',
    hint: 'A sample takes 20 seconds; it is asked for again by itself.',
  });
