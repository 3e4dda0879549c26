/**
 * The boot apart from everybody, before the machine goes live.
 * Rule (S1): also this start comes only after the source was observed stopped since the final point, here and right before
 * the request leaves.
 */
import type { TargetMachine } from '../model/machine.ts';
import { activity } from './attempt.ts';
import { assertSourceOff, type TargetRun, type TargetStart, targetPower } from './power.ts';
import type { Sites } from './preflight.ts';

export const createProvingActivities = (sites: Sites) => ({
  ensureProofStarted: activity('ensureProofStarted', async (input: TargetStart, work): Promise<TargetMachine> => {
    const { site } = input.failback.target;
    const otherSideOff = (): Promise<void> => assertSourceOff(sites, input, 'the disks go back', work);
    await otherSideOff();
    return await sites.target(site).ensureProofStarted({ ...targetPower(input), otherSideOff }, work);
  }),
  ensureProofEnded: activity(
    'ensureProofEnded',
    (input: TargetRun, work): Promise<TargetMachine> =>
      sites.target(input.failback.target.site).ensureProofEnded(targetPower(input), work),
  ),
});
