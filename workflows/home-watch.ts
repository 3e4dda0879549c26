/**
 * The watch over home beside whatever writes the target's disks, or waits to: a seed of days, one full copy, a hold.
 * Rule (S000-28): the first look that finds something changed stops `act` and calls a person, as the look before a round
 * does. What was stopped is waited for, so that nothing writes behind the call. S9: what failed by itself is followed by a look
 * too, because it may have failed for a disk that was taken away, and nobody would copy it anew who only put it back.
 */
import { CancellationScope, ContinueAsNew, isCancellation } from '@temporalio/workflow';
import { needDisksAsOpened, type Opened } from './home-look.ts';
import type { Teller } from './teller.ts';
import { summary, watchingVerbs } from './verbs.ts';

/** Answers what `act` did; throws what was found instead, however `act` ended; what it failed for when that was not at home. */
export async function watchingHome<T>(opened: Opened, act: () => Promise<T>): Promise<T> {
  const watching = new CancellationScope();
  const acting = new CancellationScope();
  let found: unknown;
  watching
    .run(() => watch(opened))
    .catch((error: unknown) => {
      if (isCancellation(error)) return;
      found = error;
      acting.cancel();
    });
  const [ended] = await Promise.allSettled([acting.run(act)]);
  watching.cancel();
  if (found !== undefined) throw found;
  if (ended.status === 'fulfilled') return ended.value;
  const { reason } = ended;
  if (!isCancellation(reason) && !(reason instanceof ContinueAsNew)) await needDisksAsOpened(opened);
  throw reason;
}

/**
 * What a hold waits beside once the disks are open, wherever the story waits for its end. A mover that is being left is not
 * looked at any more, the one that gets the disks is.
 */
export const watchedHold =
  (teller: Pick<Teller, 'story'>, opened: Opened) =>
  (wait: () => Promise<void>): Promise<void> => {
    const { reassignment } = teller.story;
    const { input } = opened;
    const next = reassignment && { ...opened, input: { ...input, mover: reassignment.mover }, open: [] };
    return watchingHome(next ?? opened, wait);
  };

/** Day after day, so that a history of a long copy stays short. */
async function watch({ input, run, pairs, open }: Opened): Promise<never> {
  for (;;)
    await watchingVerbs(input).observeHomeMeanwhile.executeWithOptions(
      summary(`Does all stand at home as it was opened? ${input.target.path}`),
      [{ failback: input, run, pairs, open }],
    );
}
