/**
 * Ends one request when its time is over or its caller says so, whichever comes first.
 * Rule: the reason is always the one that came first. Never leaves a timer or a listener behind.
 */

/** The time of one request was over before its answer was whole; classified like any other broken connection. */
export class TooSlow extends Error {
  readonly code = 'ETIMEDOUT';
}

/** Not a byte came for too long. */
export class FellSilent extends TooSlow {}

/** Runs `work`; `stop` is called at most once, with the signal's reason or a `TooSlow`, and must make `work` end. */
export async function withinDeadline<T>(
  ms: number,
  signal: AbortSignal,
  stop: (reason: unknown) => void,
  work: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const told = (): void => stop(signal.reason);
  signal.addEventListener('abort', told, { once: true });
  const timer = setTimeout(() => stop(new TooSlow('no answer within the time of one request')), ms);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', told);
  }
}
