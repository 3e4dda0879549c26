/**
 * Asks both sides whether the way home is clear, as a run of its own that changes nothing.
 * Rule: the answer is the workers' (they hold the credentials); this side only starts the question and waits.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { PreflightReport } from '../model/check.ts';
import { controlQueue, type PreflightQuestion } from '../model/failback-input.ts';
import type { Link } from './connect.ts';
import { Problem } from './problem.ts';
import { unservedControl, whyUnanswered } from './workers.ts';

export const preflightWorkflow = 'preflight';

/** Longest wait for all checks, unless the caller says otherwise. */
export const preflightTimeoutMs = 300_000;
/** A control worker that lives takes a question in milliseconds, one under load in seconds. */
const takenWithinMs = 20_000;
const lookEveryMs = 2_000;
const lookTimeoutMs = 3_000;
/** Of a run that nobody has taken yet, the history knows that it began and that it waits to be taken. */
const eventsUntaken = 2;

export interface AnsweredPreflight extends PreflightReport {
  /** Temporal's id of the question. */
  readonly askedAs: string;
}

/** Runs the checks and returns them all, passed ones too, with the disks' sizes. Throws Problem `unreachable` when no worker answers in time. */
export async function preflight(
  link: Link,
  input: PreflightQuestion,
  timeoutMs = preflightTimeoutMs,
): Promise<AnsweredPreflight> {
  const workflowId = `preflight/${input.machine}-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
  try {
    const handle = await link.within(10_000, () =>
      link.client.workflow.start(preflightWorkflow, {
        workflowId,
        taskQueue: controlQueue,
        args: [input],
        // Nobody reads the answer after we left, so the question ends with us.
        workflowExecutionTimeout: timeoutMs + 5_000,
        staticSummary: `${input.machine}: is the way home clear?`,
      }),
    );
    const leaving = new AbortController();
    const answer = link.within(timeoutMs, () => handle.result() as Promise<PreflightReport>);
    try {
      const report = await Promise.race([answer, unlessTaken(link, handle, leaving.signal)]);
      return { ...report, askedAs: workflowId };
    } finally {
      answer.catch(() => undefined);
      leaving.abort();
    }
  } catch (error) {
    if (error instanceof WorkflowFailedError)
      throw new Problem(
        'unexpected',
        `the preflight failed: ${rootCause(error)}`,
        `Look at it in the Temporal UI: ${workflowId}`,
        error,
      );
    throw await whyUnanswered(link, error, input.machine);
  }
}

/** Throws Problem `unreachable` when no control worker takes the question, and takes it back; else it waits without end. */
async function unlessTaken(link: Link, handle: WorkflowHandle, left: AbortSignal): Promise<never> {
  const deadline = Date.now() + takenWithinMs;
  while (await isUntaken(link, handle)) {
    if (left.aborted) break;
    if (Date.now() >= deadline) {
      await link.within(lookTimeoutMs, () => handle.terminate('no control worker took it')).catch(() => undefined);
      throw unservedControl(link);
    }
    await sleep(lookEveryMs, undefined, { ref: false });
  }
  return await new Promise<never>(() => undefined);
}

/** A server that does not say is not the worker's fault: the answer's own deadline tells of it. */
async function isUntaken(link: Link, handle: WorkflowHandle): Promise<boolean> {
  try {
    const { historyLength, raw } = await link.within(lookTimeoutMs, () => handle.describe());
    return historyLength <= eventsUntaken && !raw.pendingWorkflowTask?.startedTime;
  } catch {
    return false;
  }
}

function rootCause(error: Error): string {
  let inner: Error = error;
  while (inner.cause instanceof Error) inner = inner.cause;
  return inner.message;
}
