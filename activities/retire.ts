/**
 * The only verbs that delete something of the customer's in the source, and the look that proves they are gone.
 * Rule (S2): they take the commit with them and refuse without one that names the evidence of exactly these disks.
 */
import { evidenceOfDisks } from '../model/evidence.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import { defect } from '../model/failure.ts';
import { pointName, type RecoveryPoint, type SealProof, type SourceMachine } from '../model/machine.ts';
import { takesApplicationPoints } from '../model/point-policy.ts';
import type { Approval } from '../model/transition.ts';
import type { RemainsRequest } from '../sites/source.ts';
import { activity } from './attempt.ts';
import type { Sites } from './preflight.ts';

export interface RetireInput {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly found: SourceMachine;
  readonly commitment: Approval;
  readonly seals: readonly SealProof[];
  /** The source must not have run since. The seals prove it, unless an older point came home. */
  readonly final: RecoveryPoint;
  /** The older point that the seals prove then. */
  readonly older?: RecoveryPoint;
}

export interface RemainsInput {
  readonly failback: FailbackInput;
  readonly run: string;
  readonly found: SourceMachine;
}

export const createRetireActivities = (sites: Sites) => ({
  /** Deletes the source machine, its NICs, its disks and our recovery points. */
  ensureSourceRetired: activity('ensureSourceRetired', (input: RetireInput, work): Promise<void> => {
    assertCommitted(input);
    const { failback, found, final, older } = input;
    const source = sites.source(failback.source.site);
    const keepFinal = older !== undefined || failback.policy.keepFinalSnapshotsDays > 0;
    return source.ensureRetired({ ...request(input), identity: found.identity, final, keepFinal }, work);
  }),
  observeSourceRemains: activity(
    'observeSourceRemains',
    (input: RemainsInput, work): Promise<string[]> =>
      sites.source(input.failback.source.site).observeRemains(request(input), work),
  ),
});

const request = ({ failback, run, found }: RemainsInput): RemainsRequest => ({
  path: failback.source.path,
  run,
  machine: failback.machine,
  disks: found.disks,
  nics: found.nics,
  applicationPoints: takesApplicationPoints(failback.policy),
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
