/**
 * Committing: the only part of the story that deletes anything of the customer's in the source.
 * Rule (S2, S6): it runs after a person's commit, names the evidence of exactly these disks, and cannot be cancelled;
 * what fails calls an operator and goes on when resolved.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import type { Arrival } from './cutover.ts';
import type { Journey } from './departure.ts';
import { leaveTheMover } from './farewell.ts';
import { controlVerbs, summary } from './verbs.ts';

/** Deletes the source and our marks; answers what is observed to remain there. */
export async function commitStory(journey: Journey, { way, seals, final }: Arrival): Promise<string[]> {
  const { input, run, teller, course } = journey;
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
  const deleted = await course.insist(
    'delete the source',
    () =>
      control.ensureSourceRetired.executeWithOptions(summary(`Delete the source ${input.source.path}`), [
        { failback: input, run, found: way.found, commitment: approved, seals, final },
      ]),
    [],
  );
  course.endWatch();
  if (deleted.length > 0)
    teller.record('source-retired', 'the source machine, its disks and our recovery points are deleted', {
      deleted: deleted.join(', '),
    });
  const kept = await course.insist(
    'remove our marks from the target',
    () =>
      control.ensureTargetFinished.executeWithOptions(summary(`Remove our marks from ${input.target.path}`), [
        { failback: input, run, pairs: way.pairs },
      ]),
    [],
  );
  teller.record('target-finished', 'our marks are off the target', { kept: kept.join(', ') });
  const remains = await course.insist(
    'look what remains in the source',
    () =>
      control.observeSourceRemains.executeWithOptions(summary('What still exists in the source?'), [
        { failback: input, run, found: way.found },
      ]),
    ['not looked at'],
  );
  teller.record('source-remains', 'what still exists in the source', { remains: remains.join(', ') });
  await leaveTheMover(journey, way.pairs);
  teller.enter('Committed');
  return remains;
}
