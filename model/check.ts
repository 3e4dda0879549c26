/**
 * A preflight check's answer: one named question to a world, what was seen, and what to do.
 * Rule: a check looks and never changes anything.
 */
import type { Power } from './machine.ts';

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

/** What a side was seen to do; absent when it could not be seen. */
interface Sides {
  readonly source?: Power | undefined;
  readonly target?: Power | undefined;
}

/**
 * S1: the checks of the target with advice that spares what may be the only live copy. A target that runs beside a source
 * which does not is not to be switched off on our word, and where the source is not there nothing of the target is touched.
 */
export function sparingTarget(checks: readonly Check[], { source, target }: Sides): Check[] {
  const stands = source === 'stopped' || source === 'running' || source === 'changing';
  if (stands && (source !== 'stopped' || target === 'stopped')) return [...checks];
  const seen = source === undefined ? 'could not be seen' : 'was not found';
  return checks.map((check) => {
    if (check.remedy === undefined) return check;
    const remedy = stands
      ? `The source is stopped and the on-prem machine is not: find out which one serves before you touch either. If it is the source: ${check.remedy}`
      : `The source ${seen}, so the on-prem machine may be the only live copy: leave it as it is, and its disks too.`;
    return { ...check, remedy };
  });
}

/** The answer of a preflight alone. */
export interface PreflightReport {
  readonly checks: readonly Check[];
  /** Sizes of the disks that would come home; their sum is the most that can have to be moved (S000-21). */
  readonly sizesBytes: readonly number[];
}
