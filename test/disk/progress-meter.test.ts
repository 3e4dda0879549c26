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
