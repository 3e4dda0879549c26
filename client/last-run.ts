/**
 * What the server itself knows of a machine's last run, under way or ended, without asking any worker.
 * Rule: read from the run and not from the server's list, which lags behind.
 */
import { type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { z } from 'zod';
import { machineWorkflowId, memoNames, searchAttributeNames } from '../model/failback-input.ts';
import { isHome } from '../model/phase.ts';
import { asProblem, type Link } from './connect.ts';
import type { Execution, View } from './view.ts';

export const phaseKey = defineSearchAttributeKey(searchAttributeNames.phase, 'KEYWORD');

const lookTimeoutMs = 8_000;

const executions: Readonly<Record<string, Execution>> = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  CANCELED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed out',
  CONTINUED_AS_NEW: 'continued',
  PAUSED: 'paused',
};

export interface RunFacts
  extends Pick<
    View,
    'workflowId' | 'runId' | 'execution' | 'startedAt' | 'closedAt' | 'phaseSeen' | 'committed' | 'moverSeen'
  > {}

const commitShape = z.object({ run: z.string(), at: z.string() });

/** The last commit of the machine: this run's own, or the one that it was told of at its start. */
function commitIn({ runId, typedSearchAttributes, closeTime, memo }: WorkflowExecutionDescription): View['committed'] {
  if (closeTime && isHome(typedSearchAttributes.get(phaseKey))) return { run: runId, at: closeTime.toISOString() };
  return commitShape.safeParse(memo?.[memoNames.committed]).data;
}

export function factsOf(description: WorkflowExecutionDescription): RunFacts {
  const committed = commitIn(description);
  const moverSeen = z.string().safeParse(description.memo?.[memoNames.mover]).data;
  const phaseSeen = description.typedSearchAttributes.get(phaseKey);
  return {
    workflowId: description.workflowId,
    runId: description.runId,
    execution: executions[description.status.name] ?? 'unknown',
    startedAt: description.startTime.toISOString(),
    ...(description.closeTime ? { closedAt: description.closeTime.toISOString() } : {}),
    ...(phaseSeen ? { phaseSeen } : {}),
    ...(committed ? { committed } : {}),
    ...(moverSeen ? { moverSeen } : {}),
  };
}

/** The machine's last run, under way or ended; undefined when Temporal knows none. Throws Problem `unreachable`. */
export async function lastRun(link: Link, machine: string): Promise<RunFacts | undefined> {
  const handle = link.client.workflow.getHandle(machineWorkflowId(machine));
  try {
    return factsOf(await link.within(lookTimeoutMs, () => handle.describe()));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw asProblem(error, machine, link.settings);
  }
}
