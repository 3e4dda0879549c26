/**
 * The last look at the run itself before the source is stopped: is there what the cutover starts from?
 * Rule: what is not proven calls an operator while the source still serves (S000-17, S001-4, S001-17).
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { blocking } from '../model/check.ts';
import { completionGuards } from '../model/completion-guards.ts';
import type { Journey } from './departure.ts';
import type { RoundsState } from './rounds-state.ts';

/** One step: refused, it is asked again when a person resolves it. `rounds`: absent when everything is copied in the cutover. */
export async function readyToCutOver({ input, teller, course }: Journey, rounds?: RoundsState): Promise<void> {
  await course.step(async () => {
    const guards = completionGuards({ machine: input.machine, sync: input.policy.sync, rounds });
    const [refused] = blocking(guards);
    if (refused)
      throw ApplicationFailure.create({
        type: 'Refused',
        nonRetryable: true,
        message: `${refused.id}: ${refused.seen}`,
        details: [{ op: 'complete the failover', subject: refused.subject, hint: refused.remedy ?? '' }],
      });
    teller.record(
      'ready',
      'the machine is ready for its cutover',
      Object.fromEntries(guards.map(({ id, seen }) => [id, seen])),
    );
  });
}
