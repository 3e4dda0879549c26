/**
 * The one file that knows both our six kinds of failure and Temporal's classes: what is retried, when, and what is not.
 * Rule: Transient and Expired are retried by Temporal and by nobody else; all others end the activity at once.
 * The details carry op, subject and hint for the operator; never a cause, which may hold request bodies (S13).
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Failure, type FailureKind } from '../model/failure.ts';

/** What rides in an ApplicationFailure's first detail. */
export interface FailureDetail {
  readonly op: string;
  readonly subject: string;
  readonly hint: string;
  /** The step is known to have changed nothing. */
  readonly untouched?: true;
}

const retried: ReadonlySet<FailureKind> = new Set(['Transient', 'Expired']);

/**
 * What to throw at Temporal for `error`. `enough`: waiting has not cured it, and a person is asked (L1). When the attempt was told to stop, its own reason is rethrown: an AbortError
 * would be taken for a cancel even when a person only paused the activity.
 */
export function toTemporal(error: unknown, activity: string, signal: AbortSignal, enough: boolean): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (error instanceof Failure) {
    const { op, subject, hint, untouched } = error;
    const detail: FailureDetail = { op, subject, hint, ...(untouched ? { untouched } : {}) };
    return ApplicationFailure.create({
      type: error.kind,
      message: error.message,
      nonRetryable: !retried.has(error.kind) || enough,
      details: [detail],
      ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
    });
  }
  const detail: FailureDetail = {
    op: activity,
    subject: 'worker',
    hint: 'This is a fault of Homeward. Keep the run, look at the worker’s log and report it; then resolve with retry.',
  };
  const seen = error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error was thrown';
  return ApplicationFailure.create({ type: 'Defect', message: seen, nonRetryable: true, details: [detail] });
}
