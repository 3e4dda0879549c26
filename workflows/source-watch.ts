/**
 * The watch over the source, beside the story: from the moment the target may be live until the source is retired.
 * Rule (S1): whatever else the run does or waits for meanwhile, a source that runs again, or ran, calls an operator within
 * one look. It only looks, and ends with a cancel: the way back starts the source itself.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { RecoveryPoint } from '../model/machine.ts';
import { isFinal } from '../model/phase.ts';
import type { Journey } from './departure.ts';
import { summary, watchingVerbs } from './verbs.ts';

/** Begins, and returns at once. `final`: what the target's disks are made of. */
export function beginSourceWatch(journey: Journey, final: RecoveryPoint): void {
  const { teller, course } = journey;
  const over = (): boolean => !course.watched || teller.story.cancellation !== undefined || isFinal(teller.story.phase);
  // While the source is being retired, whoever deletes it looks by himself before each deletion.
  const wanted = (): boolean => !over() && !course.alarmed && teller.story.phase !== 'Committing';
  const watching = new CancellationScope().run(async () => {
    for (;;) {
      await condition(() => wanted() || over());
      if (over()) return;
      try {
        if (!(await watchWhile(journey, final, wanted))) return;
      } catch (error) {
        if (wanted() && !isCancellation(error)) course.alarm(error);
      }
    }
  });
  watching.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

/**
 * One watch, until it is not wanted (which throws) or for a day, so that a history of a long wait stays short. False: the
 * source is gone after a deletion of ours may have been sent, and there is nothing left to watch.
 */
async function watchWhile({ input, run, teller }: Journey, final: RecoveryPoint, wanted: () => boolean) {
  return await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    condition(() => !wanted())
      .then(() => scope.cancel())
      .catch(() => undefined);
    const retiring = teller.story.left === 'Committing';
    const watch = await watchingVerbs(input).observeSourceStaysOff.executeWithOptions(
      summary(`Does ${input.source.path} stay off?`),
      [{ failback: input, run, final, retiring }],
    );
    scope.cancel();
    return watch.there;
  });
}
