/**
 * Makes one preflight check from its two possible outcomes.
 * Rule: a check that passes carries no remedy, one that does not always carries one.
 */
import type { Check } from '../../model/check.ts';

export interface CheckFacts {
  readonly id: string;
  readonly requirement?: string;
  readonly subject: string;
  /** What is wrong; absent when the check passes. */
  readonly wrong?: string | undefined;
  /** What was seen when nothing is wrong. */
  readonly right: string;
  readonly remedy: string;
  readonly verdict?: 'warn' | 'refuse' | 'wait';
}

/** One check from its two possible outcomes. */
export function check(facts: CheckFacts): Check {
  const { id, requirement, subject, wrong, right, remedy, verdict = 'refuse' } = facts;
  const named = { id, subject, ...(requirement !== undefined && { requirement }) };
  return wrong === undefined ? { ...named, verdict: 'pass', seen: right } : { ...named, verdict, seen: wrong, remedy };
}
