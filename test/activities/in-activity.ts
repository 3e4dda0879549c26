/**
 * Runs an activity of ours outside a worker, in a context like the one that Temporal's worker makes for it.
 * Rule: only what the frame around every activity reads; the sites behind it are real ones on the lab's edges.
 */
import { asyncLocalStorage, type Context } from '@temporalio/activity';

export function inActivity<T>(act: () => Promise<T>): Promise<T> {
  const { signal } = new AbortController();
  const info = { heartbeatTimeoutMs: 30_000, attempt: 1 };
  const context = { cancellationSignal: signal, info, heartbeat: () => undefined };
  return asyncLocalStorage.run(context as unknown as Context, act);
}
