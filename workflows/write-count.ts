/**
 * The count of what is written at home, beside the story: from the moment the target may be live until somebody commits.
 * Rule (S5): whoever would lose it can read how much that is. A count that fails stops nothing and is told with its reason.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { lossAccepted } from '../model/commit-rules.ts';
import type { Story } from '../model/transition.ts';
import { counted, type WriteCount, writtenText } from '../model/written.ts';
import type { Journey } from './departure.ts';
import { troubleOf } from './trouble.ts';
import { countVerbs, lastCountVerbs, summary } from './verbs.ts';

/**
 * The pauses between two counts, in milliseconds: the first short, each twice the one before. The longest is half of the hour
 * for which vCenter keeps its samples, and a count costs eleven events.
 */
const firstPauseMs = 60_000;
const longestPauseMs = 30 * 60_000;

/** How much is kept of a reason that came from outside. */
const longestReason = 160;

const isLive = ({ liveSince, cancellation, commitment }: Story, since: string): boolean =>
  liveSince === since && !cancellation && !commitment;

/** Begins, and returns at once. Counts also whenever the run comes to stand in another phase, which is when people look. */
export function beginWriteCount(journey: Journey): void {
  const { teller } = journey;
  const since = teller.story.liveSince ?? '';
  const counting = new CancellationScope().run(async () => {
    for (let pauseMs = firstPauseMs; ; ) {
      const { phase } = teller.story;
      const asked = await condition(() => !isLive(teller.story, since) || teller.story.phase !== phase, pauseMs);
      if (!isLive(teller.story, since)) return;
      pauseMs = asked ? firstPauseMs : Math.min(2 * pauseMs, longestPauseMs);
      await whileLive(journey, since);
    }
  });
  counting.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

/** One count, left at once (which throws) when nobody can lose anything any more. */
async function whileLive(journey: Journey, since: string): Promise<void> {
  await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    condition(() => !isLive(journey.teller.story, since))
      .then(() => scope.cancel())
      .catch(() => undefined);
    await count(journey, since, countVerbs(journey.input));
    scope.cancel();
  });
}

async function count({ input, run, teller }: Journey, since: string, verbs: ReturnType<typeof countVerbs>) {
  const { written } = teller.story;
  const told = summary(`How much has ${input.target.path} written?`);
  const found = await verbs.observeWritten
    .executeWithOptions(told, [{ failback: input, run, since, ...(written && { written }) }])
    .then((now): WriteCount => ({ written: now }), uncounted);
  teller.amend((story) => counted(story, since, found));
}

function uncounted(error: unknown): WriteCount {
  if (isCancellation(error)) throw error;
  return { uncounted: troubleOf(error, '').message.slice(0, longestReason) };
}

/** Before the target is stopped, on the way back or for another point: counts once more, and records what whoever accepted the loss gives up. */
export async function recordLoss(journey: Journey): Promise<void> {
  const { teller, input } = journey;
  const { liveSince: since } = teller.story;
  const accepted = lossAccepted(teller.story);
  if (since === undefined || !accepted) return;
  await count(journey, since, lastCountVerbs(input));
  const { written, uncounted: why } = teller.story;
  const loss = `${accepted.by} accepted the loss of what was written at home since ${since}; ${writtenText(teller.story)}`;
  teller.record('loss-accepted', loss, {
    by: accepted.by,
    since,
    ...(written && { bytes: written.bytes, until: written.until, atLeast: written.gap === true }),
    ...(why !== undefined && { uncounted: why }),
  });
}
