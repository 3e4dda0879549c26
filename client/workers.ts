/**
 * Asks the server whether anybody works on a task queue, so that advice can say why nothing moves.
 * Rule: it only informs. A poller is remembered for minutes after it died, so "somebody" is a hint, "nobody" is certain.
 */
import type { Link } from './connect.ts';

/** `TASK_QUEUE_TYPE_WORKFLOW` and `_ACTIVITY` of temporal/api/enums/v1/task_queue.proto. */
const workflowTasks = 1;
const activityTasks = 2;

/** How many workflow workers were seen on a task queue lately; undefined when the server does not say. */
export const workersOn = (link: Link, queue: string): Promise<number | undefined> =>
  pollersOf(link, queue, workflowTasks);

/** Whether it is certain that no mover works on its queue. */
export const isUnattended = async (link: Link, queue: string): Promise<boolean> =>
  (await pollersOf(link, queue, activityTasks)) === 0;

async function pollersOf(link: Link, queue: string, taskQueueType: number): Promise<number | undefined> {
  try {
    const answer = await link.within(3_000, () =>
      link.client.workflowService.describeTaskQueue({
        namespace: link.settings.namespace,
        taskQueue: { name: queue },
        taskQueueType,
      }),
    );
    return answer.pollers?.length ?? 0;
  } catch {
    return undefined; // Advice only: the caller goes on without it.
  }
}
