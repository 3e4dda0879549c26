/**
 * Whether somebody else asks for work on a queue that should be one worker's alone: a second mover of the same name.
 * Rule: it only informs; a server that does not say keeps no worker from starting. A killed worker of this computer, which
 * the server remembers for minutes, is told apart by its process id.
 */
import { hostname } from 'node:os';
import type { NativeConnection } from '@temporalio/worker';

/** So long the server holds an idle question; who lives asks again after that. */
const goneAfterMs = 90_000;
const lookTimeoutMs = 3_000;
/** `TASK_QUEUE_TYPE_ACTIVITY` of temporal/api/enums/v1/task_queue.proto: movers take nothing else. */
const activityTasks = 2;

/** Identities (`1234@host`) of those who asked lately. */
export async function rivalsOn(connection: NativeConnection, namespace: string, queue: string): Promise<string[]> {
  const question = { namespace, taskQueue: { name: queue }, taskQueueType: activityTasks } as const;
  try {
    const { pollers } = await connection.withDeadline(Date.now() + lookTimeoutMs, () =>
      connection.workflowService.describeTaskQueue(question),
    );
    const lately = (pollers ?? []).filter(
      ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < goneAfterMs,
    );
    return lately.flatMap(({ identity }) => (identity && mayLive(identity) ? [identity] : []));
  } catch {
    return [];
  }
}

function mayLive(identity: string): boolean {
  const [pid, host] = identity.split('@');
  if (host !== hostname()) return true;
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
