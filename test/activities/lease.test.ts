/**
 * When an attempt may write on the word of one heartbeat, by clocks of the test's own and a server that answers as told.
 */
import { ActivityCancelledError, ActivityNotFoundError, ActivityPausedError } from '@temporalio/client';
import { activity } from '../../activities/attempt.ts';
import { Lease } from '../../activities/lease.ts';
import { Failure } from '../../model/failure.ts';
import { leaseMs, partingMs } from '../../model/lease.ts';
import { testClock } from './clock.ts';
import { inActivity, taskToken } from './in-activity.ts';

const timeoutMs = 30_000;
const never = new AbortController().signal;

function open(answer: () => Promise<void> = async () => undefined, heartbeatTimeoutMs = timeoutMs) {
  const clock = testClock(1_700_000_000_000);
  const server = { answer, asked: 0 };
  const send = (): Promise<void> => {
    server.asked++;
    return server.answer();
  };
  const lease = new Lease({ subject: 'transferDisk', heartbeatTimeoutMs, send, clock });
  return { clock, server, lease };
}

/** `held`, `waits` for Temporal, or what it was refused with; the waiting call is the test's to await. */
async function asked(lease: Lease): Promise<string> {
  const waits = new Promise<string>((resolve) => setImmediate(resolve, 'waits'));
  const told = lease.assure(never).then(() => 'held', outcome);
  return Promise.race([told, waits]);
}
const outcome = (error: unknown): string => (error instanceof Failure ? `${error.kind} ${error.op}` : String(error));

const cutOff = (): Promise<void> => Promise.reject(new Error('14 UNAVAILABLE: no connection'));

test('S8 nothing is written before Temporal has acknowledged the attempt, and nothing is asked of it before', async () => {
  const { lease, server, clock } = open();
  await clock.run(timeoutMs);
  expect(server.asked).toBe(0);
  const answer = Promise.withResolvers<void>();
  server.answer = () => answer.promise;
  const first = lease.assure(never).then(() => 'held');
  expect(await asked(lease)).toBe('waits');
  answer.resolve();
  expect(await first).toBe('held');
  expect(server.asked).toBe(1);
});

test('the leave is renewed beside the work, so that a copy of hours waits for no heartbeat', async () => {
  const { lease, server, clock } = open();
  expect(await asked(lease)).toBe('held');
  for (let minute = 0; minute < 120; minute++) {
    await clock.run(60_000);
    expect(await asked(lease)).toBe('held');
  }
  expect(server.asked).toBeLessThan((120 * 60_000) / 5_000);
  lease.end();
  const { asked: before } = server;
  await clock.run(60_000);
  expect(server.asked).toBe(before);
});

test('S8 a worker that is cut off from Temporal writes no longer than half of its time-out, and goes on once it is heard again', async () => {
  const { lease, server, clock } = open();
  expect(await asked(lease)).toBe('held');
  server.answer = cutOff;
  await clock.run(timeoutMs / 2 - 1);
  expect(await asked(lease)).toBe('held');
  await clock.run(1);
  const waiting = lease.assure(never).then(() => 'held', outcome);
  expect(await asked(lease)).toBe('waits');
  server.answer = async () => undefined;
  await clock.run(1_000);
  expect(await waiting).toBe('held');
});

test('S8 L1 one that stays cut off ends, to be tried again', async () => {
  const { lease, clock } = open(cutOff);
  const waiting = lease.assure(never).then(() => 'held', outcome);
  await clock.run(timeoutMs + 1_000);
  expect(await waiting).toBe('Transient lease');
});

test('S8 the leave counts from when the heartbeat was sent, not from when its answer came', async () => {
  const { lease, server, clock } = open();
  const answers: (() => void)[] = [];
  server.answer = () => new Promise((resolve) => answers.push(resolve));
  const waiting = lease.assure(never).then(() => 'held', outcome);
  await clock.run(timeoutMs / 2);
  answers[0]?.();
  await clock.run(1_000);
  expect(await asked(lease)).toBe('waits');
  answers[1]?.();
  expect(await waiting).toBe('held');
});

test('S8 a machine whose monotonic clock stood still with it has no leave when it wakes', async () => {
  const { lease, server, clock } = open();
  expect(await asked(lease)).toBe('held');
  server.answer = cutOff;
  const { wallMs } = clock;
  clock.wallMs = () => wallMs() + timeoutMs;
  expect(await asked(lease)).toBe('waits');
});

test('S8 an attempt that Temporal has given up is fenced at once, and stays so', async () => {
  const { lease, server, clock } = open();
  expect(await asked(lease)).toBe('held');
  server.answer = () => Promise.reject(new ActivityNotFoundError('Not found'));
  await clock.run(timeoutMs / 2 - 1);
  expect(lease.signal.reason).toMatchObject({ kind: 'Fenced', op: 'lease' });
  server.answer = async () => undefined;
  await clock.run(timeoutMs);
  expect(await asked(lease)).toBe('Fenced lease');
});

test.each([new ActivityCancelledError('cancelled'), new ActivityPausedError('paused')])(
  'S8 an answer that says the attempt is %s renews nothing, and ends nothing by itself',
  async (told) => {
    const { lease, server, clock } = open();
    expect(await asked(lease)).toBe('held');
    server.answer = () => Promise.reject(told);
    await clock.run(timeoutMs / 2);
    expect(lease.signal.aborted).toBe(false);
    const stop = new AbortController();
    const waiting = lease.assure(stop.signal).catch((error: unknown) => error);
    await clock.run(100);
    stop.abort(told);
    expect(await waiting).toBe(told);
  },
);

test('S8 what an attempt leaves behind when it ends has no leave any more', async () => {
  const { lease } = open();
  expect(await asked(lease)).toBe('held');
  lease.end();
  expect(await asked(lease)).toBe('Fenced lease');
});

test('S8 a mover that is left after a minute has no leave any more by then, however long its time-out is', () => {
  for (const seconds of [3, 30, 60, 61, 600]) {
    expect(leaseMs(seconds * 1000)).toBeLessThanOrEqual(partingMs / 2);
    expect(leaseMs(seconds * 1000)).toBeLessThanOrEqual((seconds * 1000) / 2);
  }
});

describe('an activity', () => {
  const writing = activity('transferDisk', async (signals: AbortSignal[], work) => {
    work.beat({ disk: 'os', doneBytes: 7 });
    await work.assure(work.signal);
    signals.push(work.signal);
    return 'written';
  });

  test('S8 asks Temporal with its own task and the details of its last heartbeat', async () => {
    const heard: unknown[] = [];
    const heartbeat = async (...told: unknown[]): Promise<void> => void heard.push(told);
    expect(await inActivity(() => writing([]), { heartbeat })).toBe('written');
    expect(heard).toEqual([[taskToken, { disk: 'os', doneBytes: 7, reachedBytes: 7, workedMs: expect.any(Number) }]]);
  });

  test('S8 that Temporal has given up ends as fenced, and what it does is told to stop', async () => {
    const heartbeat = (): Promise<void> => Promise.reject(new ActivityNotFoundError('Not found'));
    const signals: AbortSignal[] = [];
    await expect(inActivity(() => writing(signals), { heartbeat })).rejects.toMatchObject({ type: 'Fenced' });
    expect(signals).toEqual([]);
  });
});
