/** How often what is written at home is counted while a commit is waited for. */
import { nextPauseMs } from '../../model/count-pauses.ts';

const day = 86_400_000;
/** Timer, activity and the two workflow tasks after them. */
const eventsACount = 11;

/** The moments of the counts in so long a wait, in milliseconds after the machine went live. */
function countsWithin(waitMs: number): number[] {
  const counts: number[] = [];
  for (
    let at = 0, pause = nextPauseMs(0);
    pause !== undefined && at + pause <= waitMs;
    pause = nextPauseMs(at, pause)
  ) {
    at += pause;
    counts.push(at);
  }
  return counts;
}

test('L1 L4 a commit that is waited for a year costs 600 events of counting at the most, and all of them in the first day', () => {
  const counts = countsWithin(365 * day);
  expect(counts.length * eventsACount).toBeLessThan(600);
  expect(counts.at(-1)).toBeLessThanOrEqual(day);
});

test('S5 in the first day it is counted after a minute and then ever later, and never so late that vCenter has dropped a sample', () => {
  const counts = countsWithin(day);
  expect(counts.slice(0, 4)).toEqual([1, 3, 7, 15].map((minutes) => minutes * 60_000));
  expect(counts.at(-1)).toBeGreaterThan(day - 3_600_000);
  const pauses = counts.map((at, index) => at - (counts[index - 1] ?? 0));
  expect(Math.max(...pauses)).toBe(1_800_000);
});

test('S5 a change of phase begins with a short pause again, and after the first day with none', () => {
  expect(nextPauseMs(3 * 3_600_000)).toBe(60_000);
  expect(nextPauseMs(day)).toBeUndefined();
  expect(nextPauseMs(40 * day)).toBeUndefined();
});
