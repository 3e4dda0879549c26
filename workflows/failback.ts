/**
 * The story of one machine's way home, told in the order of the phases (docs/phases.md).
 * Rule: nothing of the source is deleted before the commit of a person (S2); the target starts only after the source was
 * observed stopped (S1); until Committing everything can be taken back (S5).
 */
import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { FailbackInput } from '../model/failback-input.ts';
import type { Status } from '../model/status.ts';
import type { Arrival } from './arriving.ts';
import { checkBeforeCutover } from './clearance.ts';
import { commitStory } from './commit.ts';
import { cutOver } from './cutover.ts';
import { checkTheWay, type Journey, openTheTarget, registerTargetUndo, type Way } from './departure.ts';
import { beginReminding } from './reminding.ts';
import { runTheRounds } from './rounds.ts';
import { recordApproval } from './soaking.ts';
import { servedAtFirst } from './source-turns.ts';
import { Course } from './taking-back.ts';
import { Teller } from './teller.ts';

export interface FailbackResult {
  readonly outcome: 'Committed' | 'ReturnedToSource';
  /** What still exists on the source, as observed after the deletion; absent when nothing was to be deleted. */
  readonly remains?: readonly string[];
  /** With the whole record in it. */
  readonly status: Status;
}

export async function failback(input: FailbackInput): Promise<FailbackResult> {
  const teller = new Teller(input);
  const course = new Course(teller);
  const root = CancellationScope.current();
  root.cancelRequested.catch(() => teller.hear('cancel', { by: 'Temporal cancellation request' }));
  return await CancellationScope.nonCancellable(async () => {
    const { run } = teller.story;
    // The input is asked for anew each time: the mover in it may change.
    const journey: Journey = {
      get input() {
        return teller.input;
      },
      ...{ teller, course, run },
    };
    const endReminding = beginReminding(teller);
    const arrival = await course.forward(() => comeHome(journey));
    if (!arrival) await course.undoAll();
    const remains = arrival && (await commitStory(journey, arrival));
    endReminding();
    await condition(allHandlersFinished);
    const status = teller.status();
    return remains ? { outcome: 'Committed', remains, status } : { outcome: 'ReturnedToSource', status };
  });
}

/** Everything up to the commit; can be taken back from anywhere in it. */
async function comeHome(journey: Journey): Promise<Arrival> {
  const { input, teller, course } = journey;
  if (input.startedBy) teller.record('started', `${input.startedBy.by} started the way home`, { ...input.startedBy });
  recordApproval(journey);
  const way = await checkTheWay(journey);
  await course.whileHeld();
  return input.policy.sync === 'before' ? await syncThenCutOver(journey, way) : await waitThenCutOver(journey, way);
}

async function syncThenCutOver(journey: Journey, way: Way): Promise<Arrival> {
  journey.course.enter('Seeding');
  registerTargetUndo(journey, way);
  const open = await openTheTarget(journey, way);
  return await cutOver(journey, way, await runTheRounds(journey, way, open));
}

async function waitThenCutOver(journey: Journey, way: Way): Promise<Arrival> {
  const { teller, course } = journey;
  if (servedAtFirst(way.found) === false) teller.find({ sourceIdle: true });
  course.enter('AwaitingCutover');
  await condition(() => teller.story.completion !== undefined && teller.story.held === undefined);
  await course.step(() => checkBeforeCutover(journey, way));
  await course.whileHeld();
  return await cutOver(journey, way);
}
