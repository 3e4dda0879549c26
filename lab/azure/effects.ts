/**
 * Tells the lab's witness of each completed effect and waits until it has looked.
 * Rule: an effect is never reported done before the witness has answered; a witness that is gone is logged, not fatal.
 */
import type { Witness } from './arm-entry.ts';

const patienceMs = 10_000;

export function tellWitness(url: string | undefined): Witness {
  return async (op, resource, vm) => {
    if (url === undefined) return;
    const effect = { world: 'azure', op, resource, ...(vm === undefined ? {} : { vm }), at: new Date().toISOString() };
    try {
      await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(effect),
        signal: AbortSignal.timeout(patienceMs),
      });
    } catch (error) {
      process.stderr.write(`the witness did not answer: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  };
}
