/**
 * Within this process: at most one attempt on a disk. A newer one stops the older and waits until it has ended.
 * Rule: S8, the newer attempt's work begins only when the older one can write no more. Never lets the older one
 * end as if it had been cancelled by its own caller: it ends `Fenced`.
 */
import { Failure, fenced } from '../model/failure.ts';

interface Attempt {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

const current = new Map<string, Attempt>();
const attemptOp = 'attempt';

function supersededError(subject: string): Failure {
  return fenced({
    op: attemptOp,
    subject,
    message: 'a newer attempt on the same disk began in this mover',
    hint: 'Nothing to do: the newer attempt goes on.',
  });
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
): Promise<T> {
  callerSignal.throwIfAborted();
  const stop = new AbortController();
  const signal = AbortSignal.any([callerSignal, stop.signal]);
  const older = current.get(key);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const self: Attempt = { stop, ended };
  current.set(key, self);
  older?.stop.abort(supersededError(subject));
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
}

/** Answers when no attempt of this process is on `key`; the next moment one may be. Throws the signal's reason. */
export async function untilFree(key: string, signal: AbortSignal): Promise<void> {
  for (let other = current.get(key); other !== undefined; other = current.get(key)) {
    await untilAborted(other.ended, signal, () => undefined);
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
): Promise<T | undefined> {
  if (current.has(key)) return undefined;
  try {
    return await asOnlyAttempt(key, subject, callerSignal, work);
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Fenced' && error.op === attemptOp) return undefined;
    throw error;
  }
}

/** Awaits `work`, but not longer than the signal allows; says by `abandon` that it goes on without us. */
export async function untilAborted(work: Promise<void>, signal: AbortSignal, abandon: () => void): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  work.then(settle, settle);
  try {
    await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', stop);
    if (!settled) abandon();
  }
}
