/**
 * Looks at a run: asks the run itself, its rounds, and the server, and puts the answers together.
 * Rule: looking changes nothing; when no worker answers, what the server knows is shown and said to be only that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcDeadlineError, type WorkflowExecutionDescription, type WorkflowHandle } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { controlQueue, machineWorkflowId, searchAttributeNames } from '../model/failback-input.ts';
import { type CopyForecast, forecastCompletion, forecastCopy, forecastStart } from '../model/forecast.ts';
import type { TransferProgress } from '../model/progress.ts';
import { rereadCost } from '../model/scrub.ts';
import type { RoundsStatus, Status } from '../model/status.ts';
import { asProblem, type Link } from './connect.ts';
import { pendingOf } from './heartbeats.ts';
import { type Execution, isOpen, isStatus, resultOf, type View } from './view.ts';
import { workersOn } from './workers.ts';

/** How long a query may take. A worker that was killed holds its runs for up to ten seconds; then another answers. */
export const queryTimeoutMs = 12_000;
const unattendedTimeoutMs = 3_000;
const serverTimeoutMs = 8_000;

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

export const phaseKey = defineSearchAttributeKey(searchAttributeNames.phase, 'KEYWORD');

export interface ObserveOptions {
  /** A certain run; the latest by default. */
  readonly runId?: string;
  readonly queryTimeoutMs?: number;
}

/** The view of a machine's run. Throws Problem: `not-found` when there is none, `unreachable` when Temporal is away. */
export async function observe(link: Link, machine: string, options: ObserveOptions = {}): Promise<View> {
  const handle = link.client.workflow.getHandle(machineWorkflowId(machine), options.runId);
  try {
    const description = await link.within(serverTimeoutMs, () => handle.describe());
    const seen = facts(machine, description);
    const [answer, mine] = await Promise.all([
      ask(link, handle, seen, options.queryTimeoutMs ?? queryTimeoutMs),
      pendingOf(description, link.client.options.loadedDataConverter),
    ]);
    const below = await observeRounds(link, answer.status?.roundsWorkflow);
    const rounds = below.rounds ?? answer.status?.rounds;
    const transfers = [...below.transfers, ...mine.transfers];
    return {
      ...seen,
      ...answer,
      ...(rounds ? { rounds } : {}),
      ...(answer.status && isOpen(seen) ? ahead(answer.status, rounds, transfers) : {}),
      transfers,
      pending: [...below.pending, ...mine.pending],
    };
  } catch (error) {
    throw asProblem(error, machine, link.settings);
  }
}

const firstForecastMs = 10_000;
const lookEveryMs = 200;

/** The bound of a run that was just started, once its preflight knows the disks; undefined when that takes too long. */
export async function firstForecast(link: Link, machine: string): Promise<CopyForecast | undefined> {
  for (const deadline = Date.now() + firstForecastMs; Date.now() < deadline; await sleep(lookEveryMs)) {
    const { copy, status } = await observe(link, machine, { queryTimeoutMs: firstForecastMs });
    if (copy || status === undefined || status.phase !== 'Preflight') return copy;
  }
  return undefined;
}

/** What lies ahead by all that is known at this moment. */
function ahead(
  status: Status,
  rounds: RoundsStatus | undefined,
  transfers: readonly TransferProgress[],
): Pick<View, 'forecast' | 'copy'> {
  const { measured, disks, outage } = status;
  const nothingYet = disks.length > 0 && !outage && (rounds?.done ?? 0) === 0;
  const bound = nothingYet
    ? forecastStart(
        disks.map((disk) => disk.sizeBytes),
        measured,
      )
    : undefined;
  const copying = transfers.filter(({ stage }) => stage !== 'scrubbing');
  const copy = forecastCopy(disks, copying) ?? bound;
  const limit = transfers.find((one) => one.limit !== undefined)?.limit;
  const sizeBytes = disks.reduce((sum, disk) => sum + disk.sizeBytes, 0);
  const reread = status.reread ? rereadCost(sizeBytes, rounds?.scrubs) : undefined;
  const facts = { recent: rounds?.recent ?? [], measured, limit, sizeBytes, reread };
  const forecast = outage ? undefined : forecastCompletion(facts, Date.now());
  return { ...(copy ? { copy } : {}), ...(forecast ? { forecast } : {}) };
}

function facts(machine: string, description: WorkflowExecutionDescription): View {
  const phaseSeen = description.typedSearchAttributes.get(phaseKey);
  return {
    machine,
    workflowId: description.workflowId,
    runId: description.runId,
    execution: executions[description.status.name] ?? 'unknown',
    startedAt: description.startTime.toISOString(),
    ...(description.closeTime ? { closedAt: description.closeTime.toISOString() } : {}),
    ...(phaseSeen ? { phaseSeen } : {}),
    transfers: [],
    pending: [],
  };
}

/** The run's own status. A run that ended well left it as its result, which needs no worker; else it is queried. */
async function ask(
  link: Link,
  handle: WorkflowHandle,
  seen: View,
  timeoutMs: number,
): Promise<Pick<View, 'status' | 'silent' | 'remains'>> {
  if (seen.execution === 'completed') {
    const left = resultOf(await link.within(serverTimeoutMs, () => handle.result()));
    if (left.status) return left;
  }
  // Without a worker in sight nobody needs to wait long to hear that there is none.
  const limitMs = (await workersOn(link, controlQueue)) === 0 ? Math.min(timeoutMs, unattendedTimeoutMs) : timeoutMs;
  try {
    const status: unknown = await link.within(limitMs, () => handle.query('status'));
    if (isStatus(status)) return { status };
    return { silent: 'The run answers in another shape than this client knows; use the client of the same release.' };
  } catch (error) {
    // Only "nobody answered" and "the query failed" are told in the view; a server that is away is the caller's problem.
    if (!isGrpcDeadlineError(error) && !isQueryFailure(error)) throw error;
    return { silent: await whySilent(link, error) };
  }
}

const isQueryFailure = (error: unknown): error is Error =>
  error instanceof Error && /QueryNotRegistered|QueryRejected/.test(error.name);

async function whySilent(link: Link, error: Error): Promise<string> {
  if (isQueryFailure(error)) return `The run does not answer: ${error.message}`;
  const workers = await workersOn(link, controlQueue);
  return workers === 0
    ? `No worker serves the task queue "${controlQueue}", so the run cannot be asked; start the control worker.`
    : `The run did not answer in time; see whether the control worker (task queue "${controlQueue}") is still up.`;
}

interface Below extends Pick<View, 'transfers' | 'pending'> {
  readonly rounds?: RoundsStatus;
}

const nothingBelow: Below = { transfers: [], pending: [] };

/** The rounds' own workflow. It may end, or not have begun, between two looks: then there is nothing to add. */
async function observeRounds(link: Link, workflowId: string | undefined): Promise<Below> {
  if (workflowId === undefined) return nothingBelow;
  const handle = link.client.workflow.getHandle(workflowId);
  const asked = await Promise.allSettled([
    link.within(serverTimeoutMs, () => handle.describe()),
    link.within(serverTimeoutMs, () => handle.query<RoundsStatus>('rounds')),
  ]);
  const [described, rounds] = asked;
  const live =
    described.status === 'fulfilled'
      ? await pendingOf(described.value, link.client.options.loadedDataConverter)
      : nothingBelow;
  return { ...live, ...(rounds.status === 'fulfilled' ? { rounds: rounds.value } : {}) };
}
