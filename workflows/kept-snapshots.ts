/**
 * The final snapshots after a commit, where the policy keeps them for some days: a small run of its own waits and deletes them.
 * Rule (S2, S11): only what carries the tags of the committed run goes, and never before its day unless a person says so by
 * name (signal `release`). What fails is shown, calls a person (HomewardNeedsHuman), and is tried again after ever longer
 * pauses, because a history of years must not fill up; another `release` tries at once.
 */
import {
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { nothingArrived } from '../model/arrival.ts';
import { type FailbackInput, keptWorkflowId, memoNames } from '../model/failback-input.ts';
import type { KeptMemo } from '../model/kept.ts';
import { whatFinalHolds } from '../model/point.ts';
import type { Arrival } from './arriving.ts';
import type { Journey } from './departure.ts';
import { type Kept, type KeptStatus, keptDetails } from './kept-details.ts';
import { attributes } from './teller.ts';
import { troubleOf } from './trouble.ts';
import { controlVerbs, summary } from './verbs.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const refusalsKept = 20;

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
    const before = memoOf(failback, status);
    status = { ...status, ...news };
    setCurrentDetails(keptDetails(status));
    const now = memoOf(failback, status);
    // Each is an event, so only a change is sent.
    if (now.releasedBy !== before.releasedBy || now.trouble !== before.trouble) upsertMemo({ [memoNames.kept]: now });
  };
  setHandler(statusQuery, () => status, { description: 'What is kept of the run, and until when.' });
  let releases = 0;
  setHandler(
    releaseSignal,
    (payload) => {
      const by = (payload as { by?: unknown } | null | undefined)?.by;
      const reason = 'release must say who: {"by":"you"}';
      if (typeof by !== 'string' || by.trim() === '') {
        const refusals = [...(status.refusals ?? []), { at: new Date().toISOString(), reason }];
        return tell({ refusals: refusals.slice(-refusalsKept) });
      }
      releases++;
      tell({ releasedBy: by.trim().slice(0, 200) });
    },
    { description: 'Delete the snapshots now instead of on their day. {"by":"you"}' },
  );
  tell({});
  await condition(() => releases > 0, Math.max(1, Date.parse(until) - Date.now()));
  for (let pauseMs = hourMs; ; pauseMs = Math.min(pauseMs * 2, dayMs)) {
    const heard = releases;
    try {
      const gone = await controlVerbs(failback).releaseRecoveryPoints.executeWithOptions(
        summary(`Delete the final snapshots of ${failback.machine}`),
        [{ failback, run, before: 'all' }],
      );
      if (status.trouble !== undefined) callPerson(failback, false);
      status = withoutTrouble(status);
      tell({ state: 'deleted' });
      return gone;
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (status.trouble === undefined) callPerson(failback, true);
      tell({ trouble: troubleOf(error, new Date().toISOString()).message });
      await condition(() => releases > heard, pauseMs);
    }
  }
}

const troubleShown = 200;

/** What the server tells of it without a worker. */
const memoOf = (
  { machine, source }: FailbackInput,
  { run, snapshots, until, releasedBy, trouble }: Omit<KeptStatus, 'machine' | 'state'>,
): KeptMemo => ({
  ...{ machine, run, source: `${source.site}:${source.path}`, snapshots: [...snapshots], until },
  ...(releasedBy === undefined ? {} : { releasedBy }),
  ...(trouble === undefined ? {} : { trouble: trouble.slice(0, troubleShown) }),
});

const withoutTrouble = ({ trouble: _over, ...rest }: KeptStatus): KeptStatus => rest;

function callPerson({ machine }: FailbackInput, needsHuman: boolean): void {
  upsertSearchAttributes([
    { key: attributes.machine, value: machine },
    { key: attributes.needsHuman, value: needsHuman },
  ]);
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
        memo: { [memoNames.kept]: memoOf(input, { run, snapshots, until }) },
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
