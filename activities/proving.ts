/**
 * The boot apart from everybody, before the machine goes live.
 * Rule (S1): also this start comes only after the source was observed stopped since the final point, here and right before
 * the request leaves.
 */
import type { TargetMachine } from '../model/machine.ts';
import { activity } from './attempt.ts';
import { assertSourceOff, isMade, type TargetRun, type TargetStart } from './power.ts';
import type { Sites } from './preflight.ts';

export const createProvingActivities = (sites: Sites) => ({
  ensureProofStarted: activity('ensureProofStarted', async (input: TargetStart, work): Promise<TargetMachine> => {
    const { site, path } = input.failback.target;
    const otherSideOff = (): Promise<void> => assertSourceOff(sites, input, 'the disks go back', work);
    await otherSideOff();
    const request = { path, run: input.run, otherSideOff, made: isMade(input.failback) };
    return await sites.target(site).ensureProofStarted(request, work);
  }),
  ensureProofEnded: activity('ensureProofEnded', ({ failback, run }: TargetRun, work): Promise<TargetMachine> => {
    const { site, path } = failback.target;
    return sites.target(site).ensureProofEnded({ path, run, made: isMade(failback) }, work);
  }),
});
