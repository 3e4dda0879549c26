/**
 * When a step that fails again and again asks a person, by a clock of the test's own.
 */
import { InVain } from '../../activities/vain.ts';

const clock = { ms: 0, monotonicMs: () => clock.ms };

/**
 * Attempts that end as told, each after so many ms and after its first heartbeat, with so many bytes done in the last one;
 * answers the number of the one that asks.
 */
function asksAt(
  attempts: number,
  lastsMs: (attempt: number) => number,
  beats = (_attempt: number) => true,
  doneBytes = (_attempt: number) => 0,
): number {
  let heartbeatDetails: unknown;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const inVain = new InVain({ attempt, heartbeatDetails }, clock);
    if (beats(attempt)) heartbeatDetails = inVain.with({ disk: 'os', doneBytes: 0 });
    clock.ms += lastsMs(attempt);
    if (beats(attempt)) heartbeatDetails = inVain.with({ disk: 'os', doneBytes: doneBytes(attempt) });
    if (inVain.enough) return attempt;
  }
  return 0;
}

const second = 1_000;
const hour = 3_600 * second;

test('L1 the sixtieth attempt in a row that is in vain asks a person', () => {
  expect(asksAt(100, () => 30 * second)).toBe(60);
});

test('a transfer or a watch of days that meets a short trouble now and then never asks', () => {
  expect(asksAt(1_000, () => hour)).toBe(0);
  expect(asksAt(1_000, (attempt) => (attempt % 20 === 0 ? hour : second))).toBe(0);
});

test('L1 a trouble that stays is counted from its beginning, whatever was got over before', () => {
  expect(asksAt(1_000, (attempt) => (attempt <= 500 ? hour : second))).toBe(559);
});

const always = (): boolean => true;
const block = 4 * 1024 * 1024;

test('L1 attempts of seconds that each bring more of the disk than any before were not in vain', () => {
  expect(
    asksAt(
      1_000,
      () => 9 * second,
      always,
      (attempt) => attempt * block,
    ),
  ).toBe(0);
  // Every tenth gets through; the others end while they still skip what is proven.
  expect(
    asksAt(
      1_000,
      () => second,
      always,
      (attempt) => (attempt % 10 === 0 ? attempt * block : block),
    ),
  ).toBe(0);
});

test('L1 what an earlier attempt had brought already is no progress: from where the copy stands still sixty are counted', () => {
  expect(
    asksAt(
      1_000,
      () => second,
      always,
      (attempt) => Math.min(attempt, 500) * block,
    ),
  ).toBe(559);
  expect(
    asksAt(
      1_000,
      () => second,
      always,
      (attempt) => (attempt > 500 && attempt % 2 ? 0 : Math.min(attempt, 500) * block),
    ),
  ).toBe(559);
});

test('L1 attempts that could not send a word do not hide those that could', () => {
  expect(
    asksAt(
      200,
      () => second,
      (attempt) => attempt % 2 === 0,
    ),
  ).toBeGreaterThan(60);
});

test('L1 an operator’s reset begins the count anew', () => {
  expect(new InVain({ attempt: 1, heartbeatDetails: { inVain: 59 } }, clock).enough).toBe(false);
  expect(new InVain({ attempt: 2, heartbeatDetails: { inVain: 58 } }, clock).enough).toBe(true);
});

test('what was reported before goes on being reported', () => {
  const inVain = new InVain({ attempt: 3, heartbeatDetails: { inVain: 1, paused: true } }, clock);
  expect(inVain.with({ disk: 'os', doneBytes: 0 })).toEqual({ disk: 'os', doneBytes: 0, inVain: 2 });
  expect(inVain.with({ disk: 'os', doneBytes: 7 })).toEqual({ disk: 'os', doneBytes: 7, reachedBytes: 7 });
});
