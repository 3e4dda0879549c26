/**
 * Committing: the only part of the story that deletes anything of the customer's in the source.
 * Rule (S2, S6): it runs after a person's commit, names the evidence of exactly these disks, begins when the machine at home
 * was seen to hold them, and cannot be cancelled; what fails calls an operator and goes on when resolved.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import type { Arrival } from './arriving.ts';
import { recordFinalKept } from './chosen-point.ts';
import { type Journey, ofTarget, type Way } from './departure.ts';
import { leaveTheMover } from './farewell.ts';
import { keepTheFinalSnapshots } from './kept-snapshots.ts';
import { controlVerbs, summary } from './verbs.ts';

const notLookedAt = 'not looked at';

/** Deletes the source and our marks; answers what is observed to remain there. */
export async function commitStory(journey: Journey, { way, open, seals, final, older }: Arrival): Promise<string[]> {
  const { input, teller, course } = journey;
  const control = controlVerbs(input);
  teller.enter('Committing');
  const { commitment, evidence } = teller.story;
  if (!commitment || evidence === undefined)
    throw ApplicationFailure.nonRetryable('committing without a commitment', 'Defect');
  const approved = { ...commitment, evidence };
  teller.record('commit', `${commitment.by} committed the evidence of these disks`, {
    by: commitment.by,
    at: commitment.at,
    evidence,
  });
  await lookAtHomeOnce(journey, way, open);
  const before = await lookAtSource(journey, way, 'look what stands in the source');
  const retired = await course.insist(
    'delete the source',
    async () => {
      await control.ensureSourceRetired.executeWithOptions(summary(`Delete the source ${input.source.path}`), [
        {
          ...{ ...ofTarget(journey, way), open, found: way.found, commitment: approved, seals, final },
          ...(older ? { older } : {}),
        },
      ]);
      return true;
    },
    false,
  );
  course.endWatch();
  const remains = await lookAtSource(journey, way, 'look what remains in the source');
  const finalKept = older !== undefined || input.policy.keepFinalSnapshotsDays > 0;
  recordDeleted(journey, { retired, before, remains, finalKept });
  await keepTheFinalSnapshots(journey, { final, ...(older ? { older } : {}) }, retired);
  if (older && retired && input.policy.keepFinalSnapshotsDays === 0) recordFinalKept(teller, final);
  const kept = await course.insist(
    'remove our marks from the target',
    () =>
      control.ensureTargetFinished.executeWithOptions(summary(`Remove our marks from ${input.target.path}`), [
        ofTarget(journey, way),
      ]),
    undefined,
  );
  if (kept) teller.record('target-finished', 'our marks are off the target', { kept: kept.join(', ') });
  await leaveTheMover(journey, way.pairs);
  teller.enter('Committed');
  return remains;
}

/**
 * S2: the disks that were approved are where they were approved, and somebody uses them. Left out by an operator, the deletion
 * still looks for the machine and its disks.
 */
async function lookAtHomeOnce(journey: Journey, way: Way, open: Arrival['open']): Promise<void> {
  const { input, teller, course } = journey;
  const seen = await course.insist(
    'look at the power of the machine at home',
    () =>
      controlVerbs(input).observeHomeRuns.executeWithOptions(summary(`Does ${input.target.path} run with its disks?`), [
        { ...ofTarget(journey, way), open },
      ]),
    undefined,
  );
  if (!seen) return;
  const facts = { power: seen.powerSeen, disks: open.map(({ file }) => file).join(', ') };
  teller.record('home-seen', 'before the first deletion: the machine at home runs and holds its disks', facts);
}

/** What of the machine, and of ours, exists in the source now. */
function lookAtSource({ input, run, course }: Journey, { found }: Arrival['way'], step: string): Promise<string[]> {
  return course.insist(
    step,
    () =>
      controlVerbs(input).observeSourceRemains.executeWithOptions(summary('What still exists in the source?'), [
        { failback: input, run, found },
      ]),
    [notLookedAt],
  );
}

interface Deletion {
  /** The deletion came to its end; not so when an operator left it out. */
  readonly retired: boolean;
  readonly before: readonly string[];
  readonly remains: readonly string[];
  readonly finalKept: boolean;
}

/**
 * S12: what two looks found gone, not what was asked for; a deletion may have stopped half-way and been left out, and so
 * may the looks. What nobody did or saw is not claimed.
 */
function recordDeleted({ teller }: Journey, { retired, before, remains, finalKept }: Deletion): void {
  const looked = ![...before, ...remains].includes(notLookedAt);
  const gone = looked ? missingFrom(before, remains) : [];
  if (retired || gone.length > 0)
    teller.record(
      'source-retired',
      retired || remains.length === 0
        ? `the source machine, its disks and our ${finalKept ? 'other ' : ''}recovery points are deleted`
        : 'of the source machine, its disks and our recovery points a part is deleted',
      { deleted: looked ? gone.join(', ') : notLookedAt },
    );
  if (remains.includes(notLookedAt))
    teller.record(
      'source-not-looked-at',
      'nobody looked what still exists in the source: an operator left the look out',
    );
  else teller.record('source-remains', 'what still exists in the source', { remains: remains.join(', ') });
}

/** Names of `before` that are not in `remains`; a name may come more than once. */
function missingFrom(before: readonly string[], remains: readonly string[]): string[] {
  const left = [...remains];
  return before.filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
