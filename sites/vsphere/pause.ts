/**
 * A pause that ends when the caller is told to stop.
 * Rule: it then throws the caller's own reason, not a wrapper around it, because the reason says what to do.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
