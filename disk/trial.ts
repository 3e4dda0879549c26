/**
 * How much memory goes on trial: to disks whose sources have still to answer, or failed last.
 * Rule (L5): what a silent source holds, it holds for long; so each other machine has its own trial, and some blocks are left
 * to sources that answer.
 */

/** Blocks to fetch into that are lent at one time to disks whose sources have still to answer; the urgent have as many apart. */
export interface Trial {
  readonly ofDisk: number;
  readonly ofMachine: number;
  /** Once so many are lent, only a machine that has none gets one. */
  readonly manyFrom: number;
  /** The others above the reserve are left to sources that answer. */
  readonly inAll: number;
}
export const trialBlocks: Trial = { ofDisk: 1, ofMachine: 2, manyFrom: 5, inAll: 8 };
const most = Number.POSITIVE_INFINITY;
export const noTrial: Trial = { ofDisk: most, ofMachine: most, manyFrom: most, inAll: most };
