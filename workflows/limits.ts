/**
 * One order to a mover's limits: a short run of its own, so that every change stands in Temporal with who made it.
 * Rule: an order that the mover does not take in time is dropped and never comes later, when nobody thinks of it any more.
 * What the order says is judged by the mover alone: it knows its scopes, and this code has no calendar (no Intl).
 */
import { ActivityFailure, ApplicationFailure, proxyActivities, TimeoutFailure } from '@temporalio/workflow';
import type { MoverActivities } from '../activities/transfer.ts';
import { moverQueue } from '../model/failback-input.ts';
import type { LimitsAnswer, LimitsOrder } from '../model/limits-order.ts';
import { summary } from './verbs.ts';

const defaultWaitSeconds = 30;

/** What is told of a mover that did not answer. `untaken`: the order never came to it. */
export function unanswered({ mover, set, clear }: LimitsOrder, untaken: boolean): string {
  const effect = untaken ? '; nothing was changed' : '; whether it was changed is not known';
  return `mover ${mover} did not answer in time${set || clear ? effect : ', so what holds there is not known'}`;
}

/** The mover's answer; fails with type `Unanswered` when the mover did not take the order in time. */
export async function limits(order: LimitsOrder): Promise<LimitsAnswer> {
  if (typeof order?.mover !== 'string')
    throw ApplicationFailure.nonRetryable('malformed: an order names its mover: {"mover": "mover-1"}', 'Refused');
  const waitMs = (order.waitSeconds ?? defaultWaitSeconds) * 1000;
  const { ensureLimits } = proxyActivities<MoverActivities>({
    taskQueue: moverQueue(order.mover),
    scheduleToStartTimeout: waitMs,
    // A change is a small file written; a mover that dies in it is asked again as long as the caller waits.
    startToCloseTimeout: '10 seconds',
    scheduleToCloseTimeout: waitMs + 10_000,
    priority: { priorityKey: 1 },
  });
  const verb = order.set ? 'Set' : order.clear ? 'Clear' : 'Show';
  try {
    return await ensureLimits.executeWithOptions(summary(`${verb} the limits of mover ${order.mover}`), [order]);
  } catch (error) {
    const timeout = error instanceof ActivityFailure ? error.cause : undefined;
    if (!(timeout instanceof TimeoutFailure)) throw error;
    const untaken = timeout.timeoutType === 'SCHEDULE_TO_START';
    throw ApplicationFailure.nonRetryable(unanswered(order, untaken), 'Unanswered');
  }
}
