/**
 * Recovery points on the source: made before a round, let go after it.
 * Rule (S9): the point a later delta starts from is kept until that delta is proven; only points older than a number
 * go, so that a late attempt cannot delete a newer one.
 */
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, RecoveryPoint, SourceMachine } from '../model/machine.ts';
import { takesApplicationPoints } from '../model/point-policy.ts';
import { activity } from './attempt.ts';
import type { Sites } from './preflight.ts';
import { assertSourceThere } from './source-there.ts';

export interface PointInput {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly number: number;
  readonly final: boolean;
  /** `SourceMachine.identity` as preflight found it. */
  readonly identity: string | undefined;
  readonly pairs: readonly DiskPair[];
}

export type ApplicationPointInput = Omit<PointInput, 'final'>;

export interface ReleaseInput {
  readonly failback: FailbackInput;
  readonly run: string;
  /** Points with a smaller number go; `all`: every one of this run. */
  readonly before: number | 'all';
  /** Rounds whose points stay all the same, with the application-consistent point after each. */
  readonly keep?: readonly number[];
  /** On the way back: the source as it was found. Nothing is deleted unless it is there. */
  readonly found?: SourceMachine;
}

export const createRecoveryPointActivities = (sites: Sites) => ({
  ensureRecoveryPoint: activity('ensureRecoveryPoint', (input: PointInput, work): Promise<RecoveryPoint> => {
    const { source, machine } = input.failback;
    return sites.source(source.site).ensureRecoveryPoint(
      {
        path: source.path,
        run: input.run,
        machine,
        identity: input.identity,
        number: input.number,
        final: input.final,
        disks: input.pairs.map((pair) => pair.source),
      },
      work,
    );
  }),

  /** S001-19: the one after round `number`, of all disks, with the applications of the guest held still. */
  ensureApplicationPoint: activity(
    'ensureApplicationPoint',
    ({ failback, run, number, identity, pairs }: ApplicationPointInput, work): Promise<RecoveryPoint> => {
      const { source, machine } = failback;
      const disks = pairs.map((pair) => pair.source);
      const request = { path: source.path, run, machine, identity, number, disks };
      return sites.source(source.site).ensureApplicationPoint(request, work);
    },
  ),

  /** Deletes this run's older recovery points; answers their names. */
  releaseRecoveryPoints: activity('releaseRecoveryPoints', async (input: ReleaseInput, work): Promise<string[]> => {
    const { source, machine } = input.failback;
    const { run, before, keep = [], found } = input;
    if (found) await assertSourceThere(sites, { ...input, found, step: 'delete', stays: [] }, work);
    const applicationPoints = takesApplicationPoints(input.failback.policy);
    return await sites
      .source(source.site)
      .releaseRecoveryPoints({ path: source.path, run, machine, before, keep, applicationPoints }, work);
  }),
});
