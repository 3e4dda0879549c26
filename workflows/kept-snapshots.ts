/**
 * The final snapshots after a commit, where the policy keeps them for some days: a small run of its own waits and deletes them.
 * Rule (S2, S11): only what carries the tags of the committed run goes, and never before its day unless a person says so by
 * name (signal `release`). What fails is tried again every hour and shown; nobody has to stay for it.
 */
import {
  condition,
  defineQuery,
  defineSignal,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import { nothingArrived } from '../model/arrival.ts';
import { keptWorkflowId } from '../model/failback-input.ts';
import { whatFinalHolds } from '../model/point.ts';
import type { Arrival } from './cutover.ts';
import type { Journey } from './departure.ts';
import { type Kept, type KeptStatus, keptDetails } from './kept-details.ts';
import { troubleOf } from './trouble.ts';
import { controlVerbs, summary } from './verbs.ts';

const dayMs = 24 * 3_600_000;

const statusQuery = defineQuery<KeptStatus>('status');
const releaseSignal = defineSignal<[unknown]>('release');

/** Answers the names of what was deleted. */
export async function keptSnapshots({ failback, run, snapshots, until, older }: Kept): Promise<readonly string[]> {
  let status: KeptStatus = {
    machine: failback.machine,
    run,
    snapshots,
    until,
    state: 'kept',
    ...(older ? { older } : {}),
  };
  const tell = (news: Partial<KeptStatus>): void => {
    status = { ...status, ...news };
    setCurrentDetails(keptDetails(status));
  };
  setHandler(statusQuery, () => status, { description: 'What is kept of the run, and until when.' });
  setHandler(
    releaseSignal,
    (payload) => {
      const by = (payload as { by?: unknown } | null | undefined)?.by;
      if (typeof by === 'string' && by.trim() !== '') tell({ releasedBy: by.trim().slice(0, 200) });
    },
    { description: 'Delete the snapshots now instead of on their day. {"by":"you"}' },
  );
  tell({});
  await condition(() => status.releasedBy !== undefined, Math.max(1, Date.parse(until) - Date.now()));
  for (;;) {
    try {
      const gone = await controlVerbs(failback).releaseRecoveryPoints.executeWithOptions(
        summary(`Delete the final snapshots of ${failback.machine}`),
        [{ failback, run, before: 'all' }],
      );
      tell({ state: 'deleted' });
      return gone;
    } catch (error) {
      tell({ trouble: troubleOf(error, new Date().toISOString()).message });
      await condition(() => false, '1 hour');
    }
  }
}

/** After the deletion: hands them to a run of their own, which outlives this one. Nothing to do where none are kept. */
export async function keepTheFinalSnapshots(
  journey: Journey,
  { final, older }: Pick<Arrival, 'final' | 'older'>,
  retired: boolean,
): Promise<void> {
  const { input, run, teller, course } = journey;
  const { keepFinalSnapshotsDays } = input.policy;
  if (keepFinalSnapshotsDays === 0 || !retired) return;
  const snapshots = final.disks.map(({ id }) => id);
  const until = new Date(Date.now() + keepFinalSnapshotsDays * dayMs).toISOString();
  const workflow = keptWorkflowId(input.machine, run);
  const begun = await course.insist(
    'keep the final snapshots until their day',
    async () => {
      await startChild(keptSnapshots, {
        workflowId: workflow,
        args: [{ failback: input, run, snapshots, until, ...(older ? { older: true } : {}) }],
        // It must outlive this run, which is over in a moment.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `Final snapshots of ${input.machine}, until ${until}`,
      });
      return true;
    },
    false,
  );
  teller.find({ arrival: { ...(teller.findings.arrival ?? nothingArrived), kept: { snapshots, until, workflow } } });
  teller.record(
    'final-snapshots-kept',
    begun
      ? `the final snapshots stay in the source until ${until}: ${whatFinalHolds(older !== undefined)}; ${workflow} deletes them then`
      : `the final snapshots stay in the source: ${whatFinalHolds(older !== undefined)}; nobody deletes them by himself, do it after ${until}`,
    { snapshots: snapshots.join(', '), until, workflow },
  );
}
