/**
 * Look, decide, act, look again: the one way in which anything in vCenter is changed.
 * Rule: VIM calls carry no idempotency key, so after any lost answer, ended session or conflict the world is looked at
 * before the call goes out once more; success is what was observed, never the absence of an error. Whether the attempt is
 * still the one that may change anything is asked by the session, right before each changing call leaves.
 */
import { Failure, transient } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { faultBehind, isNo } from './failure.ts';
import { pause } from './pause.ts';
import type { ReadableSession } from './session.ts';
import { settle, type TaskWait, type Turns, waitForOther, waitForTask } from './tasks.ts';
import type { Ref } from './wire/shapes.ts';

export interface Act<State> {
  /** The VIM method, for errors: `ReconfigVM_Task`. */
  readonly op: string;
  readonly subject: string;
  /** The object whose running tasks must end before its state means anything. */
  readonly entity?: Ref;
  look(): Promise<State>;
  done(state: State): boolean;
  /**
   * Sends the change for the state just seen; answers the task, or nothing when the call has none. It is given a `work`
   * that nobody aborts: a call that was sent, and the task it started, may still have their effect, so they are never let
   * go of before they have ended (S5). These tasks take seconds. `lastLook` is to be awaited right before the call leaves.
   */
  send(state: State, work: Work, lastLook: () => Promise<void>): Promise<Ref | undefined>;
  /** S1: a question to another world; when it throws, nothing is sent and the act ends with what it threw. */
  readonly lastLook?: () => Promise<void>;
  /** While its own task is waited for. That is let go of when it throws. */
  readonly ownTurns?: Turns;
  /** The same of the tasks of others, and of a call of ours whose answer was lost. */
  readonly othersTurns?: Turns;
  /** S5: a no, of the call or of its task, means that nothing was changed. Without it a no says nothing of what was. */
  readonly allOrNothing?: true;
}

const attempts = 5;
const neverAborted = new AbortController().signal;

/** Whether looking again can tell more: the call may have had its effect, or the world may be quiet by then. */
const worthLooking = (error: Failure): boolean => error.kind === 'Transient' || error.kind === 'Expired';

/** @returns the state in which `done` held. Throws the last failure when it never did. */
export async function act<State>(session: ReadableSession, plan: Act<State>, work: Work): Promise<State> {
  let last: Failure | undefined;
  for (let attempt = 0; ; attempt++) {
    if (plan.entity) await settle(session, plan.entity, plan.subject, work, plan.othersTurns);
    const state = await plan.look();
    if (plan.done(state)) return state;
    if (last && (!worthLooking(last) || attempt >= attempts)) throw asRetryable(last, plan);
    if (attempt >= attempts) throw notSeen(plan);
    if (last) await pause(100 * 2 ** attempt, work.signal);
    last = await sendOnce(session, plan, state, work);
  }
}

async function sendOnce<State>(
  session: ReadableSession,
  plan: Act<State>,
  state: State,
  work: Work,
): Promise<Failure | undefined> {
  let denial: { readonly error: unknown } | undefined;
  const lastLook = async (): Promise<void> => {
    await plan.lastLook?.().catch((error: unknown) => {
      denial = { error };
      throw error;
    });
  };
  try {
    const { changedNothing, ...rest } = work;
    const settled = { ...rest, signal: neverAborted, ...(plan.allOrNothing && changedNothing && { changedNothing }) };
    const task = await plan.send(state, settled, lastLook);
    const wait: TaskWait = {
      op: plan.op,
      subject: plan.subject,
      ...plan.ownTurns,
      onError: (failure) => isNo(failure) && settled.changedNothing?.(),
    };
    if (task) await waitForTask(session, task, wait, settled);
    return undefined;
  } catch (error) {
    work.signal.throwIfAborted();
    if (denial) throw denial.error;
    if (!(error instanceof Failure)) throw error;
    const fault = faultBehind(error);
    if (fault?.type === 'TaskInProgress' && fault.task)
      await waitForOther(session, fault.task, plan.subject, work, plan.othersTurns);
    return error;
  }
}

const notSeen = (plan: { readonly op: string; readonly subject: string }): Failure =>
  transient({
    op: plan.op,
    subject: plan.subject,
    message: `${plan.op} on ${plan.subject} was reported done, but its effect is not to be seen`,
    hint: 'Look at the machine in the vSphere Client; Homeward tries again.',
  });

/** A session that keeps ending is cured here or by Temporal's next try; callers need not know about sessions. */
function asRetryable(last: Failure, plan: { readonly op: string; readonly subject: string }): Failure {
  if (last.kind !== 'Expired') return last;
  const { op, subject, hint, message } = last;
  return transient({ op: op || plan.op, subject, hint, message, cause: last });
}
