/**
 * Tells the workflow that an operator paused one of its steps in Temporal, and that the step goes on: Temporal itself
 * records neither in the history, so the story could not show it.
 * Rule: telling is for people only; when it fails the step's own end stays what it was, and the log says so.
 */
import type { Context } from '@temporalio/activity';
import { type Steering, steeredSignal } from '../model/progress.ts';

/** An attempt ends within this even when Temporal does not answer, in milliseconds. */
const patienceMs = 2_000;

/** Steps this process has told to be paused, so that their next attempt says that it goes on. */
const toldPaused = new Set<string>();

const keyOf = ({ info }: Context): string =>
  `${info.workflowExecution?.workflowId} ${info.workflowExecution?.runId} ${info.activityId}`;

/** The last details of a paused attempt: Temporal keeps them for the next one, which may be another process's. */
export const asPaused = (latest: unknown): object => ({ ...(latest as object), paused: true });

/** Whether the attempt that reported these details (its last heartbeat) was ended by a pause. */
const wasPaused = (details: unknown): boolean => (details as { paused?: unknown } | undefined)?.paused === true;

/** Called when an attempt begins: if the one before it was paused, it goes on now. */
export async function tellGoesOn(context: Context): Promise<void> {
  const known = toldPaused.delete(keyOf(context));
  if (!known && !wasPaused(context.info.heartbeatDetails)) return;
  await tell(context, { activityId: context.info.activityId, paused: false, since: new Date().toISOString() });
}

/** Called when an attempt ends because it was paused. Its last heartbeat says so too: see `asPaused`. */
export async function tellPaused(context: Context): Promise<void> {
  toldPaused.add(keyOf(context));
  await tell(context, { activityId: context.info.activityId, paused: true, ...(await whoPaused(context)) });
}

/** Who, why and when, as Temporal's server knows it. */
async function whoPaused(context: Context): Promise<Pick<Steering, 'by' | 'reason' | 'since'>> {
  const now = { since: new Date().toISOString() };
  const { workflowExecution, activityId } = context.info;
  if (!workflowExecution) return now;
  try {
    const { workflowId, runId } = workflowExecution;
    const handle = context.client.workflow.getHandle(workflowId, runId);
    const seen = await context.client.withDeadline(Date.now() + patienceMs, () => handle.describe());
    const info = seen.raw.pendingActivities?.find((one) => one.activityId === activityId)?.pauseInfo;
    const { identity, reason } = info?.manual ?? {};
    return { ...now, ...(identity ? { by: identity } : {}), ...(reason ? { reason } : {}) };
  } catch (error) {
    context.log.warn('could not ask who paused the step', { activityId, error });
    return now;
  }
}

async function tell(context: Context, steering: Steering): Promise<void> {
  const { workflowExecution } = context.info;
  if (!workflowExecution) return;
  const { workflowId, runId } = workflowExecution;
  try {
    const handle = context.client.workflow.getHandle(workflowId, runId);
    await context.client.withDeadline(Date.now() + patienceMs, () => handle.signal(steeredSignal, steering));
  } catch (error) {
    context.log.warn('could not tell the workflow that its step was paused or goes on', { ...steering, error });
  }
}
