/**
 * Reads numbers and ids of runs from the command line.
 * Rule: what is not exactly a number in range is refused with the range, and what cannot be the id of any run as none; nothing
 * is rounded or clipped silently.
 */
import { InvalidArgumentError } from 'commander';

/** A parser for an option in seconds, both ends included. */
export const seconds =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`Give seconds from ${least} to ${most}.`);
    return value;
  };

/**
 * Temporal's ids of runs, or `unknown`, as a record without one is called: what is neither, a name or a part of an id, would give
 * up nothing and say nothing.
 */
export function runId(text: string): string {
  if (!/^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|unknown)$/.test(text))
    throw new InvalidArgumentError(
      'Give the whole id of a run, like 01a21bd2-2614-7ce8-a0d6-5bf75a91d742, as the preflight names it (target-not-half-written).',
    );
  return text;
}
