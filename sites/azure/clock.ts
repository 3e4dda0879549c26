/**
 * How far Azure's clock is ahead of ours, from the Date header of one of its answers, and the check on it.
 * Rule: a reading is only as exact as the header's second and the time the answer took; what lies within is no difference.
 */
import type { Check } from '../../model/check.ts';
import { passed, seenAs } from './check-outcome.ts';

export interface ClockReading {
  /** Milliseconds that Azure's clock is ahead of ours; below zero: behind. */
  readonly aheadMs: number;
  /** By how much that may be wrong. */
  readonly doubtMs: number;
}

/** The header tells whole seconds, cut off: on the average half a second is missing. */
const halfSecondMs = 500;

/** `askedAt` and `answeredAt`: epoch milliseconds of our clock. Undefined when the answer has no time that can be read. */
export function readClock(date: string | undefined, askedAt: number, answeredAt: number): ClockReading | undefined {
  const told = Date.parse(date ?? '');
  if (Number.isNaN(told)) return undefined;
  return {
    aheadMs: told + halfSecondMs - (askedAt + answeredAt) / 2,
    doubtMs: halfSecondMs + (answeredAt - askedAt) / 2,
  };
}

/** From here on tokens and grants are refused by some service or other: the usual leeway is five minutes. */
const refuseFromMs = 300_000;
const warnFromMs = 60_000;

export function clockCheck(site: string, reading: ClockReading | undefined): Check {
  const id = 'azure-clock';
  if (reading === undefined)
    return seenAs(id, 'warn', site, {
      seen: 'Azure’s answer carried no time, so the clocks could not be compared',
      remedy: 'See that this worker keeps its time by NTP; a proxy on the way may have taken the Date header.',
    });
  const apart = Math.max(0, Math.abs(reading.aheadMs) - reading.doubtMs);
  const words = `Azure’s clock is ${(Math.abs(reading.aheadMs) / 1000).toFixed(1)} s ${reading.aheadMs < 0 ? 'behind' : 'ahead of'} this worker’s (± ${(reading.doubtMs / 1000).toFixed(1)} s)`;
  if (apart < warnFromMs) return passed(id, site, words);
  return seenAs(id, apart < refuseFromMs ? 'warn' : 'refuse', site, {
    seen: `${words}; tokens and grants are valid by Azure’s clock`,
    remedy: 'Set the clock of the worker’s computer right (timedatectl set-ntp true), then ask again.',
  });
}
