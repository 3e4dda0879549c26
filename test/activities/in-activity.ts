/**
 * Runs an activity of ours outside a worker, in a context like the one that Temporal's worker makes for it.
 * Rule: only what the frame around every activity reads; the sites behind it are real ones on the lab's edges.
 */
import { asyncLocalStorage, type Context } from '@temporalio/activity';
import type { Earlier } from '../../activities/vain.ts';

/** Temporal's side of it. */
export interface Server {
  /** Answers a heartbeat that is awaited; rejects as the client does. */
  heartbeat(taskToken: Uint8Array, details: unknown): Promise<void>;
}

export const taskToken = Uint8Array.of(7);

/** When the step was handed out first, when this attempt of it was, how long Temporal bears its silence, and its word to end. */
type HandedOut = Pick<
  Context['info'],
  'scheduledTimestampMs' | 'currentAttemptScheduledTimestampMs' | 'heartbeatTimeoutMs'
> &
  Pick<Context, 'cancellationSignal'>;

export function inActivity<T>(
  act: () => Promise<T>,
  server?: Server,
  earlier: Earlier & Partial<HandedOut> = { attempt: 1 },
  heartbeat: (details: unknown) => void = () => undefined,
  warnings: string[] = [],
): Promise<T> {
  const { cancellationSignal = new AbortController().signal, ...counted } = earlier;
  const info = { heartbeatTimeoutMs: 30_000, taskToken, ...counted };
  const client = { withDeadline: <R>(_: number, call: () => Promise<R>) => call(), activity: server };
  const log = { warn: (text: string) => void warnings.push(text) };
  const context = { cancellationSignal, info, heartbeat, client, log };
  return asyncLocalStorage.run(context as unknown as Context, act);
}
