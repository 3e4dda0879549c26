/**
 * Within this process: at most one attempt on a disk. A newer one stops the older and waits until it has ended.
 * Rule: S8, the newer attempt's work begins only when the older one can write no more. Which of two is the newer is told by
 * when Temporal handed them to this process, not by when they came to the disk: one that waited long for its turn or its
 * grant, or whose process stood still there, may come after its successor.
 * Never lets the older one end as if it had been cancelled by its own caller: it ends `Fenced`.
 */
import { Failure, fenced, transient } from '../model/failure.ts';

interface Attempt {
  readonly stop: AbortController;
  /** Fires when its calls on the disk, or those of one before it, no longer return. */
  readonly stuck: AbortController;
  readonly ended: Promise<void>;
}

const current = new Map<string, Attempt>();
/** The newest attempt that came to each disk, also when it has ended since. */
const newest = new Map<string, number>();
const attemptOp = 'attempt';

function supersededError(subject: string, message = 'a newer attempt on the same disk began in this mover'): Failure {
  return fenced({ op: attemptOp, subject, message, hint: 'Nothing to do: the newer attempt goes on.' });
}

/** S8: what was handed over before the newest that came here does nothing, whether that one still works or has ended. */
function admit(key: string, subject: string, order: number | undefined): void {
  if (order === undefined) return;
  if (order < (newest.get(key) ?? order))
    throw supersededError(subject, 'a newer attempt on the same disk came to this mover first');
  newest.set(key, order);
}

/** The calls of an attempt may land until they return, so nobody else gets the disk before; but nobody waits for ever. */
const stuckError = (subject: string): Failure =>
  transient({
    op: attemptOp,
    subject,
    message: `calls of an earlier attempt on ${subject} have not returned yet and may still land`,
    hint: 'Look at the path to the datastore and at the storage of the mover’s state folder. The copy goes on by itself once they return; if the storage is gone for good, end this mover process first.',
    retryAfterMs: 30_000,
  });

export interface AttemptPlan {
  /**
   * Counts the attempts of this process in the order Temporal handed them over; absent where nobody hands them over, and
   * then the one that comes last is the newest. Temporal hands a step out anew only after it has given its attempt up, and a
   * mover asks for one at a time over one connection, so this order is Temporal's own. Its time stamps are not used: the
   * clock of a server may be set back, and that of another be behind, and then the living attempt would be fenced.
   */
  readonly order?: number | undefined;
  /** Rejects when the attempt's calls on the disk no longer return; its caller is told then, and the disk stays its own. */
  readonly gaveUp?: Promise<never> | undefined;
}

/**
 * Runs `work` as the only attempt on `key`. Its signal fires with the caller's and when a newer attempt comes.
 * When the caller's signal stopped it, that signal's own reason is thrown, so that Temporal can tell pause from
 * cancel; a `Corrupt` finding is never hidden by that.
 */
export async function asOnlyAttempt<T>(
  key: string,
  subject: string,
  callerSignal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  { order, gaveUp }: AttemptPlan = {},
): Promise<T> {
  callerSignal.throwIfAborted();
  admit(key, subject, order);
  const [stop, stuck] = [new AbortController(), new AbortController()];
  const signal = AbortSignal.any([callerSignal, stop.signal]);
  const older = current.get(key);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const self: Attempt = { stop, stuck, ended };
  current.set(key, self);
  older?.stop.abort(supersededError(subject));
  const alone = async (): Promise<T> => {
    try {
      await older?.ended;
      signal.throwIfAborted();
      return await work(signal);
    } catch (error) {
      if (error instanceof Failure && error.kind === 'Corrupt') throw error;
      if (signal.aborted) throw signal.reason;
      throw error;
    } finally {
      if (current.get(key) === self) current.delete(key);
      end();
    }
  };
  const { promise: left, reject: leave } = Promise.withResolvers<never>();
  // Only the caller leaves. The attempt stays where it is, told to stop, until its calls return: so the next one, and the
  // one after that, find the disk taken.
  const giveUp = (failure: unknown): void => {
    stuck.abort();
    stop.abort(failure);
    leave(callerSignal.aborted ? callerSignal.reason : failure);
  };
  gaveUp?.catch(giveUp);
  older?.stuck.signal.addEventListener('abort', () => giveUp(stuckError(subject)), { once: true });
  if (older?.stuck.signal.aborted) giveUp(stuckError(subject));
  return await Promise.race([alone(), left]);
}

/** Answers when no attempt of this process is on `key`; the next moment one may be. Throws the signal's reason. */
export async function untilFree(key: string, signal: AbortSignal): Promise<void> {
  for (let other = current.get(key); other !== undefined; other = current.get(key)) {
    await untilAborted(other.ended, signal);
  }
}

/**
 * Runs `work` like `asOnlyAttempt`, but gives way to everyone: it never stops another attempt, and the first that comes
 * stops it. Answers undefined when it had to give way.
 */
export async function asBackgroundAttempt<T>(
  key: string,
  subject: string,
  callerSignal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  plan: AttemptPlan = {},
): Promise<T | undefined> {
  if (current.has(key)) return undefined;
  try {
    return await asOnlyAttempt(key, subject, callerSignal, work, plan);
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Fenced' && error.op === attemptOp) return undefined;
    throw error;
  }
}

/** Awaits `work`, but not longer than the signal allows: it may go on without us. */
export async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
