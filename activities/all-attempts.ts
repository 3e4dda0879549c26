/**
 * How long all attempts of a step have worked together, so that what lay between them (a pause, a dead worker, a reset) does not
 * count as work.
 * Rule: each attempt tells it in its heartbeats, because the next one may be another process's; what no attempt told is not
 * known, and never guessed. What a killed one worked behind its last heartbeat is missing: some seconds.
 */
import { Context } from '@temporalio/activity';
import type { TransferProof } from '../model/machine.ts';

/** What is known of the attempts before this one, as Temporal tells it. */
interface Begun {
  /** From 1; Temporal counts anew after a reset. */
  readonly attempt: number;
  readonly heartbeatDetails?: unknown;
  /** When the step was handed out first, and when this attempt of it was: after a reset this alone tells of others. */
  readonly scheduledTimestampMs?: number;
  readonly currentAttemptScheduledTimestampMs?: number;
}

/** How long the attempts before this one worked, in milliseconds; undefined where that is not known. */
export function workedBefore(begun: Begun): number | undefined {
  const {
    attempt,
    heartbeatDetails: told,
    scheduledTimestampMs: firstAt,
    currentAttemptScheduledTimestampMs: thisAt,
  } = begun;
  const { workedMs } = (told ?? {}) as { readonly workedMs?: unknown };
  if (typeof workedMs === 'number') return workedMs;
  return attempt === 1 && told === undefined && firstAt === thisAt ? 0 : undefined;
}

/** What a heartbeat tells, with how long all attempts have worked by now. */
export function withWorked(begun: Begun): (details: unknown) => unknown {
  const before = workedBefore(begun);
  const startedAt = performance.now();
  return (details) =>
    before === undefined || typeof details !== 'object'
      ? details
      : { ...details, workedMs: before + Math.round(performance.now() - startedAt) };
}

/** The same copy, whose proof tells what all its attempts took by their movers' clocks. */
export const countingAttempts =
  <Input>(copy: (input: Input) => Promise<TransferProof>) =>
  async (input: Input): Promise<TransferProof> => {
    const before = workedBefore(Context.current().info);
    const startedAt = performance.now();
    const proof = await copy(input);
    if (!proof.retried || before === undefined) return proof;
    // A proof that an attempt before had made already is part of what that one told.
    return { ...proof, workedMs: Math.max(proof.durationMs, before + Math.round(performance.now() - startedAt)) };
  };
