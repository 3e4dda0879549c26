/**
 * Waits for the answer of a short run that a control worker gives: a preflight, an order for limits.
 * Rule: whoever waits is told who is missing. A run that nobody takes is taken back, and that end is never told as the
 * answer; a deadline of ours that passed is not told as Temporal being away.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import { controlQueue } from '../model/failback-input.ts';
import { isUnanswered, type Link } from './connect.ts';
import { Problem } from './problem.ts';
import { duration } from './render/figures.ts';
import { isUnattended, startCommand, unservedControl } from './workers.ts';

/** A control worker that lives takes a run in milliseconds, one under load in seconds. */
const takenWithinMs = 20_000;
const lookEveryMs = 2_000;
const lookTimeoutMs = 3_000;
/** Of a run that nobody has taken yet, the history knows that it began and that it waits to be taken. */
const eventsUntaken = 2;

/**
 * What the run answers. `told`: whenever it was looked, whether a worker has taken it. Throws Problem `unreachable` when no
 * control worker takes it, or none answers in `timeoutMs`.
 */
export async function answerOf<R>(
  link: Link,
  handle: WorkflowHandle,
  timeoutMs: number,
  told: (taken: boolean) => void = () => undefined,
): Promise<R> {
  const waitMs = Math.min(takenWithinMs, timeoutMs);
  const leaving = new AbortController();
  const answer = link.within(timeoutMs, () => handle.result() as Promise<R>);
  answer.catch(() => undefined);
  try {
    const untaken = leftUntaken(() => lookedAt(link, handle, told), waitMs, leaving.signal);
    const first = await Promise.race([answer.then((said) => ({ said })), untaken]);
    if (first) return first.said;
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure)
      throw tooLate(link, timeoutMs, error);
    // Only a server that still tells of the run has shown that the deadline was ours alone.
    const taken = isUnanswered(error) ? await isTaken(link, handle) : undefined;
    if (taken === undefined) throw error;
    if (taken) throw tooLate(link, timeoutMs, error);
  } finally {
    leaving.abort();
  }
  // Only now, when nobody listens for the answer any more.
  await link.within(lookTimeoutMs, () => handle.terminate('no control worker took it')).catch(() => undefined);
  throw await notTaken(link, waitMs);
}

/** Ends when no control worker takes the run within `waitMs`; of one that was taken it never does. */
async function leftUntaken(
  look: () => Promise<boolean | undefined>,
  waitMs: number,
  left: AbortSignal,
): Promise<undefined> {
  const deadline = Date.now() + waitMs;
  // A server that does not say is not the worker's fault: the answer's own deadline tells of it.
  while ((await look()) === false && !left.aborted) {
    const rest = deadline - Date.now();
    if (rest <= 0) return undefined;
    await sleep(Math.min(lookEveryMs, rest), undefined, { ref: false });
  }
  return await new Promise<never>(() => undefined);
}

async function lookedAt(link: Link, handle: WorkflowHandle, told: (taken: boolean) => void) {
  const taken = await isTaken(link, handle);
  // Asked again only while nobody has taken it, so of a server that says nothing it is no longer known.
  told(taken !== false);
  return taken;
}

/** Undefined when the server does not say. */
async function isTaken(link: Link, handle: WorkflowHandle): Promise<boolean | undefined> {
  try {
    const { historyLength, raw } = await link.within(lookTimeoutMs, () => handle.describe());
    return historyLength > eventsUntaken || Boolean(raw.pendingWorkflowTask?.startedTime);
  } catch {
    return undefined;
  }
}

/** After a short wait a worker that is only busy cannot be told from one that died lately. */
async function notTaken(link: Link, waitMs: number): Promise<Problem> {
  if (waitMs >= takenWithinMs || (await isUnattended(link, controlQueue))) return unservedControl(link);
  return new Problem(
    'unreachable',
    `no worker of the task queue "${controlQueue}" took it within ${duration(waitMs)}`,
    `Start the control worker (${startCommand(controlQueue, link.inventory)}); if one runs, say it again with a longer --wait.`,
  );
}

const tooLate = (link: Link, timeoutMs: number, cause: unknown): Problem =>
  new Problem(
    'unreachable',
    `the control worker took it and did not answer within ${duration(timeoutMs)}`,
    `Say it again with a longer --wait; if it ended meanwhile, start it: ${startCommand(controlQueue, link.inventory)}`,
    cause,
  );
