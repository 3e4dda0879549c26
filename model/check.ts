/**
 * A preflight check's answer: one named question to a world, what was seen, and what to do.
 * Rule: a check looks and never changes anything.
 */
export type Verdict = 'pass' | 'warn' | 'refuse' | 'wait';

export interface Check {
  /** Stable name in kebab-case, for scripts: `target-powered-off`. */
  readonly id: string;
  /** The requirement it keeps, where there is one: `S000-27`. */
  readonly requirement?: string;
  readonly verdict: Verdict;
  /** What was looked at: a machine, a disk, a mover. */
  readonly subject: string;
  /** What was seen, in one sentence. */
  readonly seen: string;
  /** What to do, and where. Present unless the verdict is `pass`. */
  readonly remedy?: string;
}

/** The checks that stop a run, worst first; empty when it may go on. */
export const blocking = (checks: readonly Check[]): Check[] =>
  checks.filter((check) => check.verdict === 'refuse' || check.verdict === 'wait');

/** The answer of a preflight alone. */
export interface PreflightReport {
  readonly checks: readonly Check[];
  /** Sizes of the disks that would come home; their sum is the most that can have to be moved (S000-21). */
  readonly sizesBytes: readonly number[];
}
