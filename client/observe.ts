/**
 * Looks at a run: asks the run itself, its rounds, and the server, and puts the answers together.
 * Rule: looking changes nothing; when no worker answers, what the server knows is shown and said to be only that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { controlQueue, machineWorkflowId, moverQueue, roundsWorkflowId } from '../model/failback-input.ts';
import type { CopyForecast } from '../model/forecast.ts';
import type { Inventory } from '../model/inventory.ts';
import { outagesTogether } from '../model/outage.ts';
import type { RoundsStatus, Status } from '../model/status.ts';
import { ahead } from './ahead.ts';
import { asProblem, isUnanswered, type Link } from './connect.ts';
import { pendingOf } from './heartbeats.ts';
import { factsOf } from './last-run.ts';
import { Problem } from './problem.ts';
import { isOpen, isStatus, resultOf, type View } from './view.ts';
import { attendanceOf, isUnattended, missingWorkers, startCommand } from './workers.ts';

/** How long a query may take. A worker that was killed holds its runs for up to ten seconds; then another answers. */
export const queryTimeoutMs = 12_000;
const unattendedTimeoutMs = 3_000;
const serverTimeoutMs = 8_000;

/** Temporal's run ids are UUIDs; an empty one would be taken for the latest run. */
const runIdShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface ObserveOptions {
  /** A certain run; the latest by default. */
  readonly runId?: string;
  readonly queryTimeoutMs?: number;
  /** Which limits hold by now, for the forecast. */
  readonly inventory?: Inventory;
}

/** The view of a machine's run. Throws Problem: `not-found` when there is none, `unreachable` when Temporal is away. */
export async function observe(link: Link, machine: string, options: ObserveOptions = {}): Promise<View> {
  const { runId } = options;
  if (runId !== undefined && !runIdShape.test(runId)) throw noSuchRun(machine, runId);
  const handle = link.client.workflow.getHandle(machineWorkflowId(machine), runId);
  try {
    const description = await link.within(serverTimeoutMs, () => handle.describe());
    return await lookInto(link, machine, description, handle, options);
  } catch (error) {
    const problem = asProblem(error, machine, link.settings);
    const unknown = runId !== undefined && problem instanceof Problem && problem.kind === 'not-found';
    throw unknown ? noSuchRun(machine, runId, error) : problem;
  }
}

const noSuchRun = (machine: string, runId: string, cause?: unknown): Problem =>
  new Problem(
    'not-found',
    `${machine} has no run "${runId}"`,
    `Leave out --run for the latest one; all that Temporal keeps: temporal workflow list --query "WorkflowId = '${machineWorkflowId(machine)}'"`,
    cause,
  );

/** Asks everybody who knows something of the run, and puts it together. */
async function lookInto(
  link: Link,
  machine: string,
  description: WorkflowExecutionDescription,
  handle: WorkflowHandle,
  options: ObserveOptions,
): Promise<View> {
  const seen: View = { machine, ...factsOf(description), transfers: [], pending: [] };
  const [answer, mine] = await Promise.all([
    ask(link, handle, seen, options.queryTimeoutMs ?? queryTimeoutMs),
    pendingOf(description, link.client.options.loadedDataConverter),
  ]);
  const { status } = answer;
  const below = isOpen(seen) ? await observeRounds(link, machine, status) : nothingBelow;
  const rounds = below.rounds ?? status?.rounds;
  const transfers = [...below.transfers, ...mine.transfers];
  const pending = [...below.pending, ...mine.pending];
  const missing = isOpen(seen) ? await missingWorkers(link, queuesNeeded(status), pending) : [];
  return {
    ...seen,
    ...answer,
    ...(rounds ? { rounds } : {}),
    ...outageIn(answer, isOpen(seen)),
    ...(status && isOpen(seen) ? ahead(status, rounds, transfers, options.inventory) : {}),
    transfers,
    pending,
    ...(missing.length > 0 ? { missing } : {}),
  };
}

/** Of a run that is over, one whose end nobody saw has no length. */
function outageIn({ status }: Pick<View, 'status'>, open: boolean): Pick<View, 'outageMs'> {
  const together = status && (open || status.outage?.endedAt) ? outagesTogether(status, Date.now()) : undefined;
  return together ? { outageMs: together.ms } : {};
}

/** A run that answers has its control worker. Once the target has taken over, no byte is carried and no mover missed. */
function queuesNeeded(status: Status | undefined): string[] {
  if (!status) return [controlQueue];
  return status.outage?.endedAt === undefined ? [moverQueue(status.mover)] : [];
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
  const limitMs = (await isUnattended(link, controlQueue)) ? Math.min(timeoutMs, unattendedTimeoutMs) : timeoutMs;
  try {
    const status: unknown = await link.within(limitMs, () => handle.query('status'));
    if (isStatus(status)) return { status };
    return { silent: 'The run answers in another shape than this client knows; use the client of the same release.' };
  } catch (error) {
    // Only "nobody answered" and "the query failed" are told in the view; a server that is away is the caller's problem.
    if (!isUnanswered(error) && !isQueryFailure(error)) throw error;
    return { silent: await whySilent(link, error as Error) };
  }
}

const isQueryFailure = (error: unknown): error is Error =>
  error instanceof Error && /QueryNotRegistered|QueryRejected/.test(error.name);

async function whySilent(link: Link, error: Error): Promise<string> {
  if (isQueryFailure(error)) return `The run does not answer: ${error.message}`;
  const attendance = await attendanceOf(link, controlQueue);
  if (attendance?.present === false)
    return `No worker serves the task queue "${controlQueue}", so the run cannot be asked; start the control worker.`;
  const seen = attendance?.lastSeenAt ? ` It last asked for work at ${attendance.lastSeenAt}.` : '';
  return `The run did not answer in time; see whether the control worker (task queue "${controlQueue}") is still up.${seen} If not: ${startCommand(controlQueue, link.inventory)}`;
}

interface Below extends Pick<View, 'transfers' | 'pending'> {
  readonly rounds?: RoundsStatus;
}

const nothingBelow: Below = { transfers: [], pending: [] };

/**
 * The rounds' own workflow. It may end, or not have begun, between two looks: then there is nothing to add. Where the run
 * itself does not answer, the rounds are not asked either; what waits in them is known to the server.
 */
async function observeRounds(link: Link, machine: string, status: Status | undefined): Promise<Below> {
  const workflowId = status ? status.roundsWorkflow : roundsWorkflowId(machine);
  if (workflowId === undefined) return nothingBelow;
  const handle = link.client.workflow.getHandle(workflowId);
  const [described, rounds] = await Promise.allSettled([
    link.within(serverTimeoutMs, () => handle.describe()),
    status ? link.within(serverTimeoutMs, () => handle.query<RoundsStatus>('rounds')) : undefined,
  ]);
  const open = described.status === 'fulfilled' && isOpen(factsOf(described.value));
  const live = open ? await pendingOf(described.value, link.client.options.loadedDataConverter) : nothingBelow;
  return { ...live, ...(rounds.status === 'fulfilled' && rounds.value ? { rounds: rounds.value } : {}) };
}
