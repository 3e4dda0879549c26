/**
 * Short ways to word a check's answer.
 * Rule: whatever does not pass carries a remedy.
 */
import type { Check, Verdict } from '../../model/check.ts';
import type { Failure } from '../../model/failure.ts';

export const passed = (id: string, subject: string, seen: string, requirement?: string): Check => ({
  id,
  verdict: 'pass',
  subject,
  seen,
  ...(requirement === undefined ? {} : { requirement }),
});

export const seenAs = (
  id: string,
  verdict: Exclude<Verdict, 'pass'>,
  subject: string,
  words: { readonly seen: string; readonly remedy: string; readonly requirement?: string },
): Check => ({ id, verdict, subject, ...words });

export const refusedBy = (id: string, subject: string, failure: Failure): Check =>
  seenAs(id, 'refuse', subject, { seen: failure.message, remedy: failure.hint });
