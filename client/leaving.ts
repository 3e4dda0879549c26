/**
 * How a process that has worked for long ends: a worker, the lab, a watch that somebody leaves.
 * Rule: whoever calls it has said and given back what it has; nothing is waited for but what V8 has begun to compile. Not for
 * what must do nothing more at all: the process works on for a tenth of a second.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';

/** V8's threads compile beside the main one whatever is used much. */
const compilers = ['--no-sparkplug', '--no-concurrent-sparkplug', '--no-maglev', '--no-turbofan'] as const;
/** For what they have begun; most take a few milliseconds. */
const compiledMs = 100;

/**
 * Ends this process, for certain: an exit waits for V8's threads, and one of them that compiles and finds the heap full waits for
 * the main thread to collect garbage, which it does no more (nodejs/node#54918: seen once in some thousand exits, and for ever).
 */
export async function leave(code: number): Promise<never> {
  for (const flag of compilers) setFlagsFromString(flag);
  await sleep(compiledMs);
  process.exit(code);
}
