/** What a copy says of its pace: time in which nothing moved counts, at the beginning too. */
import { ProgressMeter } from '../../disk/progress-meter.ts';
import type { TransferProgress } from '../../model/progress.ts';

const MiB = 1024 ** 2;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('R4 pieces that come in bursts have the rate they come at, and not that of a burst', () => {
  const said: TransferProgress[] = [];
  const meter = new ProgressMeter('os', (progress) => void said.push(progress));
  jest.advanceTimersByTime(60_000);
  meter.enter('listing');
  jest.advanceTimersByTime(10_000);
  meter.enter('proving', 100 * MiB);
  meter.enter('copying');
  // Four MiB at once every four seconds, as a limit of 1 MiB/s lets them through.
  for (let piece = 0; piece < 10; piece++) {
    jest.advanceTimersByTime(4_000);
    meter.done(4 * MiB);
  }
  for (const { bytesPerSecond } of said.slice(3)) {
    expect(bytesPerSecond).toBeGreaterThan(0.7 * MiB);
    expect(bytesPerSecond).toBeLessThan(1.7 * MiB);
  }
  expect(said.length).toBe(13);
});

/** A copy of which so many MiB come every so many ms; what it said once it was under way. */
function toldOf(pieceMiB: number, everyMs: number, sentMiB = pieceMiB): TransferProgress[] {
  const said: TransferProgress[] = [];
  const meter = new ProgressMeter('os', (progress) => void said.push(progress));
  meter.enter('listing');
  meter.enter('copying', 1000 * MiB);
  for (let piece = 0; piece < 20; piece++) {
    jest.advanceTimersByTime(everyMs);
    meter.done(pieceMiB * MiB, true, sentMiB * MiB);
  }
  return said.slice(2);
}

test.each([
  [16, 3_200],
  [16, 4_900],
  [16, 12_000],
  [1, 700],
])('R11 pieces of %d MiB every %d ms are never told to be faster than they are', (pieceMiB, everyMs) => {
  const truth = (pieceMiB * MiB * 1000) / everyMs;
  for (const { bytesPerSecond } of toldOf(pieceMiB, everyMs)) expect(bytesPerSecond / truth).toBeCloseTo(1, 2);
});

test('R11 zeros that are written without being sent are no part of what is told to be sent', () => {
  for (const one of toldOf(16, 1_000, 4)) {
    expect(one.bytesPerSecond / MiB).toBeCloseTo(16, 2);
    expect((one.sentPerSecond ?? 0) / MiB).toBeCloseTo(4, 2);
  }
});
