/**
 * The frame around every call to Azure: abort signal in, Failure out, "not there" as a value.
 * Rule: only the three codes that mean "this resource does not exist" count as gone; a subscription we may not see does not.
 * Never retries; Temporal does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Work } from '../source.ts';
import { answerOf, azureFailure } from './failure.ts';

export interface What {
  /** As an SRE would name it: `snapshots.createOrUpdate`. */
  readonly op: string;
  readonly subject: string;
}

export interface CallOptions {
  readonly abortSignal: AbortSignal;
}

const goneCodes: ReadonlySet<string> = new Set(['ResourceNotFound', 'ResourceGroupNotFound', 'NotFound']);

/** Whether Azure said that this resource does not exist. S2 rests on it: nothing else proves a deletion. */
export const saysGone = (error: unknown): boolean => {
  const { status, code } = answerOf(error);
  return status === 404 && goneCodes.has(code ?? '');
};

/** What to throw for `error`: the caller's own reason when it told us to stop. */
export const thrown = (what: What, error: unknown, signal: AbortSignal): unknown =>
  signal.aborted ? signal.reason : azureFailure(what, error);

/** Sends one call. */
export async function ask<T>(what: What, work: Work, send: (options: CallOptions) => Promise<T>): Promise<T> {
  work.signal.throwIfAborted();
  try {
    return await send({ abortSignal: work.signal });
  } catch (error) {
    throw thrown(what, error, work.signal);
  }
}

/** Sends one reading call; undefined when the resource does not exist. */
export async function look<T>(
  what: What,
  work: Work,
  send: (options: CallOptions) => Promise<T>,
): Promise<T | undefined> {
  work.signal.throwIfAborted();
  try {
    return await send({ abortSignal: work.signal });
  } catch (error) {
    if (!work.signal.aborted && saysGone(error)) return undefined;
    throw thrown(what, error, work.signal);
  }
}

/** Waits; ends at once with the caller's reason when told to stop. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}

/** Runs all, waits for all, then throws the first failure: nothing of ours goes on behind the caller's back. */
export async function together<T>(acts: readonly Promise<T>[]): Promise<T[]> {
  const ends = await Promise.allSettled(acts);
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}
