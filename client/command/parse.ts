/**
 * Reads numbers from the command line.
 * Rule: what is not exactly a number in range is refused with the range; nothing is rounded or clipped silently.
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
