/**
 * An operator's reset of a step in its second or a later attempt: Temporal begins to count anew and takes no word of the
 * attempt that was under way, not even that it has ended, so that the next one would begin only after the heartbeat time-out.
 * Rule: said by the step's id instead, once the attempt has ended, and only of the very attempt that was reset (S8). When it
 * cannot be said, the time-out tells it; the step's own end stays what it was.
 */
import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

/** An attempt ends within this even when Temporal does not answer, in milliseconds. */
const patienceMs = 2_000;

/** To be called when the attempt has ended, and touches nothing any more. */
export async function tellEndOfReset(context: Context): Promise<void> {
  const { workflowExecution, activityId, attempt } = context.info;
  if (!workflowExecution || attempt === 1) return;
  const { client, log } = context;
  try {
    await client.withDeadline(Date.now() + patienceMs, async () => {
      if (!(await isReset(context))) return;
      const ended = ApplicationFailure.retryable('the step was reset by an operator', 'Transient');
      await client.activity.fail({ ...workflowExecution, activityId }, ended);
    });
  } catch (error) {
    log.warn(
      'could not tell Temporal that the attempt has ended, so the next one begins after the heartbeat time-out',
      {
        error,
      },
    );
  }
}

/** Whether Temporal still waits for this attempt, under a lower number than it was given: nothing but a reset does that. */
async function isReset({ info, client }: Context): Promise<boolean> {
  const { workflowExecution, activityId, attempt, currentAttemptScheduledTimestampMs } = info;
  if (!workflowExecution) return false;
  const { workflowId, runId } = workflowExecution;
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  const seen = raw.pendingActivities?.find((one) => one.activityId === activityId);
  if (!seen?.lastStartedTime || !seen.scheduledTime) return false;
  const scheduledMs = Number(seen.scheduledTime.seconds) * 1000 + Math.floor((seen.scheduledTime.nanos ?? 0) / 1e6);
  return (seen.attempt ?? 0) < attempt && scheduledMs === currentAttemptScheduledTimestampMs;
}
