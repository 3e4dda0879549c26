/**
 * What comes by itself is waited for by the story, not by a person and not by an activity: a timer, then the question again.
 * Rule: the status says for what, since when and until when; only the world's own answer ends a wait, so after its time it
 * refuses there (S000-22). A hold stops the asking, a cancel ends the wait at once.
 */
import { sleep } from '@temporalio/workflow';
import { awaitedBy, type Check, pauseBeforeAsking } from '../model/check.ts';
import type { Course } from './taking-back.ts';
import type { Teller } from './teller.ts';
import { summary } from './verbs.ts';

/** Asks until the answer's checks wait for nothing any more, and answers the last one, refused or not. */
export async function askUntilNothingIsAwaited<T extends { readonly checks: readonly Check[] }>(
  { teller, course }: { readonly teller: Teller; readonly course: Course },
  ask: () => Promise<T>,
): Promise<T> {
  let recorded: string | undefined;
  try {
    for (;;) {
      const answer = await ask();
      const [wait] = awaitedBy(answer.checks);
      if (!wait) return answer;
      teller.find({ checks: answer.checks, awaits: wait });
      if (recorded !== wait.for) {
        teller.record('waits', `waits for ${wait.for}`, { since: wait.since, until: wait.until });
        recorded = wait.for;
      }
      await sleep(pauseBeforeAsking(wait), summary(`Wait for ${wait.for}, until ${wait.until}`));
      await course.whileHeld();
    }
  } finally {
    if (teller.findings.awaits) teller.find({ awaits: undefined });
  }
}

/** Something that a step waits for: told while it lasts, whatever becomes of it. */
export async function whileAwaiting<T>(teller: Teller, what: string, ms: number, act: () => Promise<T>): Promise<T> {
  const now = Date.now();
  const [since, until] = [now, now + ms].map((at) => new Date(at).toISOString());
  teller.find({ awaits: { for: what, since: since ?? '', until: until ?? '' } });
  try {
    return await act();
  } finally {
    teller.find({ awaits: undefined });
  }
}
