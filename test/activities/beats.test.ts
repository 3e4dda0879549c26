/** How often an attempt shows that it lives, by the frame around every activity; the time is the test's own. */
import { activity, type ReportingWork } from '../../activities/attempt.ts';
import { inActivity } from './in-activity.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** The seconds at which an attempt is heard in its first ten, which is at `stage` and tells it anew at each of `news`. */
async function heardAt(heartbeatTimeoutMs: number, stage: string, news: readonly number[] = []): Promise<number[]> {
  const heard: number[] = [];
  const begun = Date.now();
  const told = (): void => void heard.push((Date.now() - begun) / 1000);
  const { promise, resolve } = Promise.withResolvers<void>();
  const act = activity('copy', async (_: undefined, work: ReportingWork) => {
    work.beat({ stage });
    for (const second of news) setTimeout(() => work.beat({ stage }), 1000 * second);
    await promise;
  });
  const attempt = inActivity(() => act(undefined), undefined, { attempt: 1, heartbeatTimeoutMs }, told);
  await jest.advanceTimersByTimeAsync(10_000);
  resolve();
  await attempt;
  return heard;
}

test('what only waits for its turn is heard every third second: often enough for a pause to reach it within five', async () => {
  expect(await heardAt(30_000, 'waiting')).toEqual([0, 0, 3, 6, 9]);
});

test('L1 whoever works is heard each second, and where Temporal bears little silence whoever waits, too', async () => {
  const eachSecond = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  expect(await heardAt(30_000, 'copying')).toEqual(eachSecond);
  expect(await heardAt(3_000, 'waiting')).toEqual(eachSecond);
});

test('what is new is told at once', async () => {
  expect(await heardAt(30_000, 'waiting', [1.5, 2.5, 8.2])).toEqual([0, 0, 1.5, 2.5, 5, 8, 8.2]);
});

test('S1 an attempt is told to end by Temporal’s word and by its own silence alike, each with its reason', async () => {
  const reasons: unknown[] = [];
  const act = activity('copy', async (_: undefined, work: ReportingWork) => {
    await new Promise((resolve) => work.signal.addEventListener('abort', resolve));
    reasons.push(work.signal.reason);
  });
  const told = new AbortController();
  const cancelled = inActivity(() => act(undefined), undefined, { attempt: 1, cancellationSignal: told.signal });
  await jest.advanceTimersByTimeAsync(1_000);
  told.abort('a person cancelled');
  await cancelled;
  const silent = inActivity(() => act(undefined), undefined, { attempt: 1 });
  jest.setSystemTime(Date.now() + 60_000);
  await jest.advanceTimersByTimeAsync(5_000);
  await silent;
  expect(reasons).toEqual(['a person cancelled', expect.objectContaining({ kind: 'Transient', op: 'heartbeat' })]);
});
