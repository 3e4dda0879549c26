/**
 * Waits for Azure's long-running operations: starts one, polls it, tells the caller, stops at once when told to.
 * Rule: nothing of a poller outlives the call. A later try looks at the resource first; a serialized poller would pin
 * hosts and, once a grant is done, hold its SAS (S13). An operation whose id expired is answered by the resource itself.
 */
import type { Failure } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { type CallOptions, pause, saysGone, thrown, type What } from './call.ts';
import { azureFailure } from './failure.ts';
import { type Answering, onBehalfOf } from './last-look.ts';

/** The part of the SDK's pollers that is used. */
interface Operation<T> {
  readonly isDone: boolean;
  readonly result: T | undefined;
  submitted(): Promise<void>;
  poll(options: CallOptions): Promise<unknown>;
  pollUntilDone(options: CallOptions): Promise<T>;
}

/**
 * Looks during the first seconds, so that short operations cost little; after them the SDK's own pace (2 s, or what
 * Retry-After says) rules.
 */
const firstLooksMs = [50, 100, 200, 400, 800];

/**
 * Runs an operation to its end. `whenGone` answers for a 404: the resource is not there, or Azure no longer knows the
 * operation's id. It reads the resource, says that gone is done, or throws the failure it is given.
 * Throws a Failure classified by the operation's own error code.
 */
export async function runOperation<T>(
  what: What,
  work: Answering,
  begin: (options: CallOptions) => Operation<T>,
  whenGone: (failure: Failure) => Promise<T>,
): Promise<T> {
  const options = { abortSignal: work.signal };
  work.signal.throwIfAborted();
  // The SDK looks at what a done operation has made without any signal but the one it began with.
  const letGo = new AbortController();
  const stop = (): void => letGo.abort(work.signal.reason);
  try {
    // S5: a request that was sent may still have its effect, minutes after we let go of it. So it is never let go of
    // before Azure has answered; from then on the resource itself shows what is under way, and the undo sees it.
    // Wrapped, because the SDK's pollers are thenable: given back bare, it would be waited for to its end.
    const { operation } = await onBehalfOf(work, async () => {
      const begun = begin({ abortSignal: letGo.signal });
      await begun.submitted();
      return { operation: begun };
    });
    if (work.signal.aborted) stop();
    work.signal.addEventListener('abort', stop, { once: true });
    for (const ms of firstLooksMs) {
      if (operation.isDone) break;
      work.report(`${what.op} on ${what.subject} is running`);
      await operation.poll(options);
      if (!operation.isDone) await pause(ms, work.signal);
    }
    return await operation.pollUntilDone(options);
  } catch (error) {
    if (!work.signal.aborted && saysGone(error)) return await whenGone(azureFailure(what, error));
    throw thrown(what, error, work.signal);
  } finally {
    work.signal.removeEventListener('abort', stop);
  }
}

/** Looks until `done` says yes; the pause grows from 0.2 to 5 seconds. The caller's deadline bounds it. */
export async function lookUntil<T>(
  waitingFor: string,
  work: Work,
  see: () => Promise<T>,
  done: (seen: T) => boolean,
): Promise<T> {
  for (let ms = 200; ; ms = Math.min(ms * 1.6, 5_000)) {
    const seen = await see();
    if (done(seen)) return seen;
    work.report(`waiting for ${waitingFor}`);
    await pause(ms, work.signal);
  }
}

/** For operations whose end is that nothing is left: not being there is the same. */
export const goneIsDone = async (): Promise<void> => undefined;
