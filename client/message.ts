/**
 * Says something to a run: as an update, which answers yes or no at once, or as a signal, which is kept until a worker
 * takes it but cannot answer.
 * Rule: a message is checked against the law before it is sent, and a refusal is told with the run's own reason (S7).
 */
import { WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { machineWorkflowId } from '../model/failback-input.ts';
import type { Message, MessageName } from '../model/message.ts';
import { questionMs } from '../model/mover-seen.ts';
import { asProblem, type Link } from './connect.ts';
import { assertShape } from './message-shape.ts';
import { Problem } from './problem.ts';
import { refusal } from './refusal.ts';

export interface Answer {
  readonly accepted: boolean;
  /** Refused: why. Accepted without effect: that it was so already. */
  readonly reason?: string;
  /** Accepted, but nothing happens yet: what has to come first. */
  readonly waits?: string;
  /** The phase after the message; absent for a signal, which gets no answer. */
  readonly phase?: string;
}

export interface SendOptions {
  /** Durable, without an answer. */
  readonly signal?: boolean;
  /** How long to wait for a worker's answer to an update. */
  readonly timeoutMs?: number;
}

const answerTimeoutMs = 30_000;
/** What the run looks at in its two worlds, or asks the new mover, before it says yes or no. */
const looksFirst: ReadonlySet<MessageName> = new Set(['reassign', 'changePoint']);

/** How long an answer may take, in milliseconds. */
export const answerMs = (name: MessageName): number => answerTimeoutMs + (looksFirst.has(name) ? questionMs : 0);

/** What is waited for, in words. */
export const waitingFor = (machine: string, name: MessageName): string =>
  looksFirst.has(name)
    ? `waiting for ${machine}, which looks first whether it can be done (up to ${answerMs(name) / 1000} s)`
    : `waiting for ${machine} to answer`;

const signalTimeoutMs = 10_000;
/** The type of the failure a validator of ours throws. */
export const refusedType = 'RefusedMessage';

/** Sends one message to the machine's run. Throws Problem: refused, unreachable, not-found, usage. */
export async function sendMessage(
  link: Link,
  machine: string,
  message: Message,
  options: SendOptions = {},
): Promise<Answer> {
  const { name, ...said } = message;
  const payload = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  assertShape(machine, message, true);
  const handle = link.client.workflow.getHandle(machineWorkflowId(machine));
  try {
    if (options.signal) {
      await link.within(signalTimeoutMs, () => handle.signal(name, payload));
      return { accepted: true };
    }
    const answer = await link.within(options.timeoutMs ?? answerMs(name), () =>
      handle.executeUpdate<Answer, [typeof payload]>(name, { args: [payload] }),
    );
    if (answer.accepted) return answer;
    throw refusal(machine, message, answer.reason ?? 'the run gave no reason');
  } catch (error) {
    throw whyNotTaken(error, machine, message, link);
  }
}

function whyNotTaken(error: unknown, machine: string, message: Message, link: Link): unknown {
  const { name } = message;
  if (error instanceof Problem) return error;
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError && looksFirst.has(name))
    return new Problem(
      'unreachable',
      `no answer in time; either ${machine} still looks whether ${name} can be done, and may yet take it, or no control worker runs`,
      `See what became of it, a refusal with its reason too: homeward failback status ${machine}. Saying it twice does no harm.`,
      error,
    );
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
    return new Problem(
      'unreachable',
      `no worker answered in time; ${name} may still be taken when one comes`,
      'Start the control worker, or send it durably: the same command with --signal. Saying it twice does no harm.',
      error,
    );
  if (error instanceof WorkflowUpdateFailedError) {
    const cause = error.cause;
    if (cause instanceof ApplicationFailure && cause.type === refusedType)
      return refusal(machine, message, cause.message, error);
    if (/ended|completed before/i.test(error.message + (cause?.message ?? '')))
      return new Problem(
        'not-found',
        `the run of ${machine} ended before it took ${name}`,
        `Look at it: homeward failback status ${machine}`,
        error,
      );
    return new Problem(
      'unexpected',
      `${name} failed: ${cause?.message ?? error.message}`,
      'Look at the control worker’s log; it and this client should be of one release.',
      error,
    );
  }
  return asProblem(error, machine, link.settings);
}
