/**
 * Whether another side's clock agrees with ours: grants and sign-ins end by the other side's, deadlines by ours.
 * Rule: only what the journey of the answer cannot explain counts as a difference. Pure.
 */
import type { Check } from './check.ts';

/** Sign-ins are refused from five minutes on (Kerberos and OAuth alike); a warning comes well before. */
const warnFromMs = 60_000;

export interface ClockSeen {
  /** What the other side said, ISO 8601 or an HTTP date. */
  readonly theirs: string;
  /** Our clock before the question and after the answer, epoch ms. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** Milliseconds the other clock is ahead (or, negative, behind), as far as it is certain; NaN when it is no time. */
export function skewMs({ theirs, askedAt, answeredAt }: ClockSeen): number {
  const said = Date.parse(theirs);
  if (said >= askedAt && said <= answeredAt) return 0;
  return said > answeredAt ? said - answeredAt : said - askedAt;
}

export function clockCheck(id: string, subject: string, seen: ClockSeen): Check {
  const ms = skewMs(seen);
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (Math.abs(ms) < warnFromMs)
    return { id, subject, verdict: 'pass', seen: `its clock agrees with ours within ${Math.max(seconds, 1)} s` };
  return {
    id,
    subject,
    verdict: 'warn',
    seen: Number.isNaN(ms)
      ? `its clock says “${seen.theirs.slice(0, 40)}”, which is no time`
      : `its clock is ${seconds} s ${ms > 0 ? 'ahead of' : 'behind'} ours`,
    remedy: 'Set both clocks by NTP: times in the record would not fit, and from five minutes on sign-ins are refused.',
  };
}
