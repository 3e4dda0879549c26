/**
 * The count of what is written at home, beside the story: from the moment the target may be live until somebody commits.
 * Rule (S5): whoever would lose it can read how much that is. A count that fails stops nothing and is told with its reason.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { lossAccepted } from '../model/commit-rules.ts';
import { countedNoMore, nextPauseMs } from '../model/count-pauses.ts';
import type { Story } from '../model/transition.ts';
import { counted, type WriteCount, writtenText } from '../model/written.ts';
import type { Journey } from './departure.ts';
import { troubleOf } from './trouble.ts';
import { countVerbs, lastCountVerbs, summary } from './verbs.ts';

/** How much is kept of a reason that came from outside. */
const longestReason = 160;

const isLive = ({ liveSince, cancellation, commitment }: Story, since: string): boolean =>
  liveSince === since && !cancellation && !commitment;

/** Begins, and returns at once. Counts also whenever the run comes to stand in another phase, which is when people look. */
export function beginWriteCount(journey: Journey): void {
  const { teller } = journey;
  const since = teller.story.liveSince ?? '';
  const begun = Date.now();
  const counting = new CancellationScope().run(async () => {
    for (let pauseMs = nextPauseMs(0); ; ) {
      const { phase } = teller.story;
      if (pauseMs === undefined) sayNoMore(journey, since);
      const asked = await orAfter(() => !isLive(teller.story, since) || teller.story.phase !== phase, pauseMs);
      if (!isLive(teller.story, since)) return;
      pauseMs = nextPauseMs(Date.now() - begun, asked ? undefined : pauseMs);
      await whileLive(journey, since);
    }
  });
  counting.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

/** Whether it came true before so many milliseconds were over; `undefined`: as long as it takes. */
async function orAfter(happened: () => boolean, ms: number | undefined): Promise<boolean> {
  if (ms !== undefined) return await condition(happened, ms);
  await condition(happened);
  return true;
}

/** A reason of vCenter's own is kept. */
function sayNoMore({ teller }: Journey, since: string): void {
  if (teller.story.uncounted === undefined)
    teller.amend((story) => counted(story, since, { uncounted: countedNoMore }));
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
  const { target, create } = input;
  const { written } = teller.story;
  // Asked so often that it carries only what it needs of the failback (L1).
  const looking = {
    ...{ site: target.site, path: target.path, made: create !== undefined },
    ...{ run, since, ...(written && { written }) },
  };
  const told = summary(`How much has ${input.target.path} written?`);
  const found = await verbs.observeWritten
    .executeWithOptions(told, [looking])
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
  const { liveSince: since, startUnseen, written: before, uncounted: whyNot } = teller.story;
  const accepted = lossAccepted(teller.story);
  if (since === undefined || !accepted) return;
  // One that nobody has seen run may have no samples at all, and nobody serves meanwhile.
  const first = before === undefined && whyNot === undefined && !startUnseen;
  await count(journey, since, lastCountVerbs(input, first));
  const { written, uncounted: why } = teller.story;
  const loss = `${accepted.by} accepted the loss of what was written at home since ${since}; ${writtenText(teller.story)}`;
  teller.record('loss-accepted', loss, {
    by: accepted.by,
    since,
    ...(written && { bytes: written.bytes, until: written.until, atLeast: written.gap === true }),
    ...(why !== undefined && { uncounted: why }),
  });
}
