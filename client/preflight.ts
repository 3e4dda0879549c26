/**
 * Asks both sides whether the way home is clear, as a run of its own that changes nothing.
 * Rule: the answer is the workers' (they hold the credentials); this side only starts the question and waits.
 */
import { WorkflowFailedError } from '@temporalio/client';
import type { PreflightReport } from '../model/check.ts';
import { controlQueue, type FailbackInput, type PreflightQuestion } from '../model/failback-input.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Status } from '../model/status.ts';
import type { Link } from './connect.ts';
import { Problem } from './problem.ts';
import { answerOf } from './short-run.ts';
import { whyUnanswered } from './workers.ts';

export const preflightWorkflow = 'preflight';

/** What the run that is under way was started with, and the mover that has it now, where they are other than the inventory says. */
export function asUnderWay(
  input: FailbackInput,
  { run, write, sync, mover, record }: Pick<Status, 'run' | 'write' | 'sync' | 'mover' | 'record'>,
  movers: Inventory['movers'],
): PreflightQuestion {
  const path = Object.hasOwn(movers, mover) ? movers[mover]?.vm : undefined;
  const way = write === 'created' ? {} : { write };
  return {
    ...input,
    underWay: run,
    ...(hasStopped(record) ? { stopped: true } : {}),
    policy: { ...input.policy, ...way, sync },
    ...(path === undefined ? {} : { mover: { name: mover, path } }),
  };
}

/** Whether the run's last word to the source was the stop. */
function hasStopped(record: Status['record']): boolean {
  const last = (key: string): number => record.findLastIndex((entry) => entry.key === key);
  return last('source-stopped') > last('source-started');
}

/** Longest wait for all checks, unless the caller says otherwise. */
export const preflightTimeoutMs = 300_000;

export interface AnsweredPreflight extends PreflightReport {
  /** Temporal's id of the question. */
  readonly askedAs: string;
}

/** Runs the checks and returns them all, passed ones too, with the disks' sizes. `told`: as of `answerOf`. Throws Problem `unreachable` when no worker answers in time. */
export async function preflight(
  link: Link,
  input: PreflightQuestion,
  timeoutMs = preflightTimeoutMs,
  told?: (taken: boolean) => void,
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
    return { ...(await answerOf<PreflightReport>(link, handle, timeoutMs, told)), askedAs: workflowId };
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

function rootCause(error: Error): string {
  let inner: Error = error;
  while (inner.cause instanceof Error) inner = inner.cause;
  return inner.message;
}
