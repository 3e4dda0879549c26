/**
 * The gate *commit*: waits for a person while the machine serves at home, and watches that the source stays off.
 * Rule (S1): a source that runs again, or ran, calls an operator within one look and keeps the commit out until then;
 * it never reaches the commit as a surprise. Never commits by itself (L4).
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Arrival } from './cutover.ts';
import type { Journey } from './departure.ts';
import { summary, watchingVerbs } from './verbs.ts';

/** Returns when a person has committed and nobody holds the run. */
export async function untilCommitted(journey: Journey, arrival: Arrival): Promise<void> {
  const { teller, course } = journey;
  const committed = (): boolean => teller.story.commitment !== undefined && teller.story.held === undefined;
  let watching = true;
  while (!committed()) {
    if (!watching) await condition(committed);
    else if (!(await course.stepOrSkip(() => watchUntil(journey, arrival, committed)))) {
      watching = false;
      teller.record('source-unwatched', 'an operator left the source as it stands; it is watched no more');
    }
  }
}

/** One watch; it ends with the commit, or by itself after a day, so that the history of a long wait stays short. */
async function watchUntil({ input, run }: Journey, { final }: Arrival, committed: () => boolean): Promise<void> {
  try {
    await CancellationScope.cancellable(async () => {
      const scope = CancellationScope.current();
      const decided = condition(committed).then(() => scope.cancel());
      // Cancelled together with the watch; then nobody waits for it.
      decided.catch(() => undefined);
      await watchingVerbs(input).observeSourceStaysOff.executeWithOptions(
        summary(`Does ${input.source.path} stay off?`),
        [{ failback: input, run, final }],
      );
    });
  } catch (error) {
    if (!isCancellation(error) || !committed()) throw error;
  }
}
