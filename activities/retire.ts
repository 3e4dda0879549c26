/**
 * The only verbs that delete something of the customer's in the source, and the look that proves they are gone.
 * Rule (S2): they take the commit with them and refuse without one that names the evidence of exactly these disks, or while
 * the machine at home does not hold what the run returned to it.
 */
import { evidenceOfDisks } from '../model/evidence.ts';
import { defect, refused } from '../model/failure.ts';
import {
  pointName,
  type RecoveryPoint,
  type SealProof,
  type SourceMachine,
  type TargetMachine,
} from '../model/machine.ts';
import type { Approval } from '../model/transition.ts';
import { activity } from './attempt.ts';
import { type OpenedInput, openedRequest } from './opened.ts';
import type { Sites } from './preflight.ts';
import { type RemainsInput, remainsRequest } from './remains.ts';

/** `open`: the disks that were returned to the target, as they hung on the mover. */
export interface RetireInput extends OpenedInput {
  readonly found: SourceMachine;
  readonly commitment: Approval;
  readonly seals: readonly SealProof[];
  /** The source must not have run since. The seals prove it, unless an older point came home. */
  readonly final: RecoveryPoint;
  /** The older point that the seals prove then. */
  readonly older?: RecoveryPoint;
}

export const createRetireActivities = (sites: Sites) => ({
  /**
   * Whether what was committed is there and runs: Refused when the machine is gone, holds other disks or is not `running`.
   * An operator may leave this look out; that at the machine and its disks is taken again by the deletion itself.
   */
  observeHomeRuns: activity('observeHomeRuns', async (input: OpenedInput, work): Promise<TargetMachine> => {
    const { target } = input.failback;
    const seen = await sites.target(target.site).observeReturned(openedRequest(input), work);
    if (seen.power === 'running') return seen;
    throw refused({
      op: 'target-runs',
      subject: target.path,
      message: `the machine at home does not run (${seen.powerSeen}); nothing of the source is deleted yet`,
      hint: 'Find out who stopped it. Start it, then resolve with retry; or, if it is meant to be off, resolve with skip: that it is there with its disks is looked at all the same.',
    });
  }),
  /** Deletes the source machine, its NICs, its disks and our recovery points. */
  ensureSourceRetired: activity('ensureSourceRetired', async (input: RetireInput, work): Promise<void> => {
    assertCommitted(input);
    const { failback, found, final, older } = input;
    await sites.target(failback.target.site).observeReturned(openedRequest(input), work);
    const source = sites.source(failback.source.site);
    const keepFinal = older !== undefined || failback.policy.keepFinalSnapshotsDays > 0;
    await source.ensureRetired({ ...remainsRequest(input), identity: found.identity, final, keepFinal }, work);
  }),
  observeSourceRemains: activity(
    'observeSourceRemains',
    (input: RemainsInput, work): Promise<string[]> =>
      sites.source(input.failback.source.site).observeRemains(remainsRequest(input), work),
  ),
});

/** S2: asserted again where the deleting happens, not only where the story decided it. */
function assertCommitted(input: RetireInput): void {
  const points = new Map((input.older ?? input.final).disks.map((point) => [point.disk, pointName(point)]));
  const sealed = new Set(input.seals.flatMap(({ disk, point }) => (points.get(disk) === point ? [disk] : [])));
  const whole = input.found.disks.every((disk) => sealed.has(disk.disk));
  if (input.commitment.by && whole && input.commitment.evidence === evidenceOfDisks(input.seals)) return;
  throw defect({
    op: 'retire-source',
    subject: input.failback.source.path,
    message: 'the commit does not name the evidence of exactly these disks; nothing was deleted',
    hint: 'This is a fault of Homeward. The machine runs at home and the source is stopped and whole; report it.',
  });
}
