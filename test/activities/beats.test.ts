/** How often an attempt shows that it lives, by the frame around every activity; the time is the test's own. */
import { activity, type ReportingWork } from '../../activities/attempt.ts';
import { inActivity } from './in-activity.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** The seconds at which an attempt is heard in its first ten, which tells something new at each of `news`. */
async function heardAt(heartbeatTimeoutMs: number, news: readonly number[] = []): Promise<number[]> {
  const heard: number[] = [];
  const begun = Date.now();
  const told = (): void => void heard.push((Date.now() - begun) / 1000);
  const { promise, resolve } = Promise.withResolvers<void>();
  const act = activity('copy', async (_: undefined, work: ReportingWork) => {
    for (const second of news) setTimeout(() => work.beat({ second }), 1000 * second);
    await promise;
  });
  const attempt = inActivity(() => act(undefined), undefined, { attempt: 1, heartbeatTimeoutMs }, told);
  await jest.advanceTimersByTimeAsync(10_000);
  resolve();
  await attempt;
  return heard;
}

test('an attempt that tells nothing new is heard every third second: often enough for a pause to reach it within five', async () => {
  expect(await heardAt(30_000)).toEqual([0, 3, 6, 9]);
});

test('L1 where Temporal bears little silence it is heard each second', async () => {
  expect(await heardAt(3_000)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('what is new is told at once', async () => {
  expect(await heardAt(30_000, [1.5, 2.5, 8.2])).toEqual([0, 1.5, 2.5, 5, 8, 8.2]);
});
