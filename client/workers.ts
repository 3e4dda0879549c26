/**
 * Asks the server who works on a task queue, so that a run that stands can say which worker is missing and how to start it.
 * Rule: it only informs. The server remembers a worker for minutes after it died; only the time it was last seen tells.
 */
import { controlQueue, moverName } from '../model/failback-input.ts';
import { asProblem, type Link } from './connect.ts';
import { Problem } from './problem.ts';
import type { MissingWorker, Pending } from './view.ts';

/** `TASK_QUEUE_TYPE_…` of temporal/api/enums/v1/task_queue.proto. Stories live on control workers, bytes on movers. */
const workflowTasks = 1;
const activityTasks = 2;

/** A worker that lives asks for work again after a minute at the latest: so long the server holds an idle question. */
const goneAfterMs = 90_000;
/** Our workers take work at once; what waits longer waits for a worker that is not there. */
const takenWithinMs = 5_000;
const lookTimeoutMs = 3_000;

export interface Attendance {
  /** Whether somebody asked for work so lately that it may still live. */
  readonly present: boolean;
  /** ISO 8601; absent when the server remembers nobody. */
  readonly lastSeenAt?: string;
}

/** Who asks for work on a queue; undefined when the server does not say. */
export async function attendanceOf(link: Link, queue: string): Promise<Attendance | undefined> {
  try {
    const { pollers } = await link.within(lookTimeoutMs, () =>
      link.client.workflowService.describeTaskQueue({
        namespace: link.settings.namespace,
        taskQueue: { name: queue },
        taskQueueType: queue === controlQueue ? workflowTasks : activityTasks,
      }),
    );
    const seen = (pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
    if (seen.length === 0) return { present: false };
    const last = Math.max(...seen);
    return { present: Date.now() - last < goneAfterMs, lastSeenAt: new Date(last).toISOString() };
  } catch {
    return undefined; // Advice only: the caller goes on without it.
  }
}

/** Whether it is certain that nobody works on the queue. */
export const isUnattended = async (link: Link, queue: string): Promise<boolean> =>
  (await attendanceOf(link, queue))?.present === false;

/** What is typed to start the worker of a queue, with the inventory that is in use here. */
export function startCommand(queue: string, inventory: string): string {
  const mover = moverName(queue);
  const config = /^[\w@%+=:,./-]+$/.test(inventory) ? inventory : `'${inventory.replaceAll("'", "'\\''")}'`;
  return `npm run ${mover === undefined ? 'control' : 'mover'} -- --config ${config}${mover === undefined ? '' : ` --id ${mover}`}`;
}

/** What to throw when a run that a control worker should have answered ended in `error` instead. */
export async function whyUnanswered(link: Link, error: unknown, subject: string): Promise<unknown> {
  if (error instanceof Problem) return error;
  const problem = asProblem(error, subject, link.settings);
  if (!(problem instanceof Problem && problem.kind === 'unreachable') || !(await isUnattended(link, controlQueue)))
    return problem;
  return unservedControl(link, error);
}

export const unservedControl = ({ inventory }: Link, cause?: unknown): Problem =>
  new Problem(
    'unreachable',
    `no worker serves the task queue "${controlQueue}"`,
    `Start the control worker (${startCommand(controlQueue, inventory)}) and say it again.`,
    cause,
  );

/** Of the queues a run needs, and of those its steps wait in, those whose worker is missing. */
export async function missingWorkers(
  link: Link,
  needed: readonly string[],
  pending: readonly Pending[],
): Promise<MissingWorker[]> {
  const queues = new Set([...needed, ...pending.flatMap(({ queue }) => queue ?? [])]);
  const looks = [...queues].map(async (queue): Promise<MissingWorker[]> => {
    const attendance = await attendanceOf(link, queue);
    const late = pending.filter((one) => one.queue === queue && waitsTooLong(one));
    if (attendance?.present !== false && late.length === 0) return [];
    const waiting = late.flatMap(({ activity, activityId, givenUpAt, waitsSince: since }) =>
      since ? [{ activity, activityId, since, ...(givenUpAt ? { givenUpAt } : {}) }] : [],
    );
    waiting.sort((a, b) => Date.parse(a.since) - Date.parse(b.since));
    const { lastSeenAt } = attendance ?? {};
    return [{ queue, ...(lastSeenAt ? { lastSeenAt } : {}), waiting, start: startCommand(queue, link.inventory) }];
  });
  return (await Promise.all(looks)).flat();
}

const waitsTooLong = ({ paused, waitsSince }: Pending): boolean =>
  !paused && waitsSince !== undefined && Date.now() - Date.parse(waitsSince) > takenWithinMs;
