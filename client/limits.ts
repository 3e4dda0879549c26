/**
 * Asks movers for their limits, or changes them, each by a short run of its own that the mover answers.
 * Rule: what is told is what the movers answered; a mover that does not answer is told as silent, never as changed.
 */
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { controlQueue, moverQueue } from '../model/failback-input.ts';
import { type LimitsAnswer, type LimitsOrder, limitsWorkflowId } from '../model/limits-order.ts';
import type { Link } from './connect.ts';
import { answerOf } from './short-run.ts';
import { isUnattended, startCommand, whyUnanswered } from './workers.ts';

const limitsWorkflow = 'limits';
const startTimeoutMs = 10_000;
/** What the run itself may add to the mover's time. */
const graceMs = 15_000;

export type MoverOutcome = { readonly mover: string } & (
  | { readonly answer: LimitsAnswer }
  | { readonly silent: string }
  | { readonly refused: string }
);

/** What the order does, for the list of runs in the Temporal UI. */
function summaryOf({ mover, set, clear }: LimitsOrder): string {
  const change = set ?? clear;
  if (!change) return `Show the limits of ${mover}`;
  const what = set ? `limit ${set.scope.kind} ${set.scope.name} to ${set.rule.rate}` : 'clear what was set';
  return `${change.by}: ${what} (${mover})`;
}

/** What is told of a mover that did not answer, with what to do: it may have died a moment ago, which the server does not know yet. */
export const silence = (said: string, mover: string, inventory: string): string =>
  `${said}. If it does not run, start it: ${startCommand(moverQueue(mover), inventory)}`;

/** Sends one order. Throws Problem `unreachable` when Temporal or all control workers are away. */
export async function orderLimits(link: Link, order: LimitsOrder, waitMs: number): Promise<MoverOutcome> {
  const { mover } = order;
  const queue = moverQueue(mover);
  if (await isUnattended(link, queue)) {
    const effect = order.set || order.clear ? '; nothing was changed' : ', so what holds there is not known';
    return { mover, silent: `mover ${mover} does not run${effect}. Start it: ${startCommand(queue, link.inventory)}` };
  }
  try {
    const handle = await startInTurn(link, order, waitMs);
    const answer = await answerOf<LimitsAnswer>(link, handle, waitMs + graceMs);
    return { mover, answer };
  } catch (error) {
    const said = error instanceof WorkflowFailedError ? rootOf(error) : undefined;
    if (said?.type === 'Unanswered') return { mover, silent: silence(said.message, mover, link.inventory) };
    if (said?.type === 'Refused') return { mover, refused: said.message };
    throw await whyUnanswered(link, error, mover);
  }
}

/** One order at a time for a mover: when another one is under way, its end is waited for, within our own time. */
async function startInTurn(link: Link, order: LimitsOrder, waitMs: number) {
  const workflowId = limitsWorkflowId(order.mover);
  const { client } = link;
  for (const deadline = Date.now() + waitMs; ; ) {
    try {
      return await link.within(startTimeoutMs, () =>
        client.workflow.start<(order: LimitsOrder) => Promise<LimitsAnswer>>(limitsWorkflow, {
          workflowId,
          taskQueue: controlQueue,
          args: [order],
          // Whoever asked is gone by then; an order must not come later.
          workflowExecutionTimeout: waitMs + graceMs,
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: summaryOf(order),
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || Date.now() >= deadline) throw error;
      const other = client.workflow.getHandle(workflowId).result();
      // How the other one ends is its own caller's business.
      await link.within(waitMs, () => other.catch(() => undefined));
    }
  }
}

function rootOf(error: Error): ApplicationFailure | undefined {
  let inner: Error = error;
  while (inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof ApplicationFailure ? inner : undefined;
}
