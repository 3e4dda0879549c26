/**
 * Recovery points on the source: made before a round, let go after it.
 * Rule (S9): the point a later delta starts from is kept until that delta is proven; the caller names what to keep.
 */
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, RecoveryPoint } from '../model/machine.ts';
import { activity } from './attempt.ts';
import type { Sites } from './preflight.ts';

export interface PointInput {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly number: number;
  readonly final: boolean;
  readonly pairs: readonly DiskPair[];
}

export interface ReleaseInput {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly keep: readonly number[];
}

export const createRecoveryPointActivities = (sites: Sites) => ({
  ensureRecoveryPoint: activity('ensureRecoveryPoint', (input: PointInput, work): Promise<RecoveryPoint> => {
    const { source, machine } = input.failback;
    return sites.source(source.site).ensureRecoveryPoint(
      {
        path: source.path,
        run: input.run,
        machine,
        number: input.number,
        final: input.final,
        disks: input.pairs.map((pair) => pair.source),
      },
      work,
    );
  }),

  /** Deletes this run's recovery points except those kept; answers their names. */
  releaseRecoveryPoints: activity('releaseRecoveryPoints', (input: ReleaseInput, work): Promise<string[]> => {
    const { source, machine } = input.failback;
    return sites
      .source(source.site)
      .releaseRecoveryPoints({ path: source.path, run: input.run, machine, keep: input.keep }, work);
  }),
});
