/** How many requests of a snapshot run at once, and that the service and the link are heard when they take fewer. */
import { blobLimits } from '../../sites/azure/blob-port.ts';
import { type Flow, flowOfDisk, flowOfMover } from '../../sites/azure/flow.ts';
import { FellSilent, TooSlow } from '../../sites/azure/request-deadline.ts';

const never = new AbortController().signal;

/** Runs `count` requests together, each answered with `status`; returns how many were on their way at once. */
async function burst(flow: Flow, count: number, status: number): Promise<number> {
  let [inside, most] = [0, 0];
  const request = (): Promise<void> =>
    flow.run(never, async (hear) => {
      most = Math.max(most, ++inside);
      await new Promise((turn) => setImmediate(turn));
      hear(status);
      inside--;
    });
  await Promise.all(Array.from({ length: count }, request));
  return most;
}

test('a burst of busy answers halves the requests at once a single time, and never stops them', async () => {
  const flow = flowOfDisk(blobLimits);
  expect(await burst(flow, 8, 206)).toBe(8);
  expect(await burst(flow, 8, 503)).toBe(8);
  expect(flow.atOnce).toBe(4);
  for (let turn = 0; turn < 5; turn++) await burst(flow, 1, 429);
  expect(flow.atOnce).toBe(1);
  expect(await burst(flow, 5, 206)).toBeLessThanOrEqual(3);
});

test('good answers bring the requests at once back, step by step', async () => {
  const flow = flowOfDisk(blobLimits);
  for (let turn = 0; turn < 9; turn++) await burst(flow, 1, 503);
  let before = flow.atOnce;
  for (let answers = 0; answers < 60; answers++) {
    await burst(flow, 1, 206);
    expect(flow.atOnce - before).toBeLessThanOrEqual(1);
    before = flow.atOnce;
  }
  expect(flow.atOnce).toBe(8);
});

test('a request that waits for room ends with the reason of the one who stops it, and takes nobody’s place', async () => {
  const flow = flowOfDisk(blobLimits);
  const stop = new AbortController();
  const hold = Promise.withResolvers<void>();
  const busy = Array.from({ length: 8 }, () => flow.run(never, () => hold.promise));
  const waiting = flow.run(stop.signal, async () => 'sent');
  const behind = flow.run(never, async () => 'sent');
  stop.abort(new RangeError('told to stop'));
  await expect(waiting).rejects.toThrow('told to stop');
  hold.resolve();
  await Promise.all(busy);
  expect(await behind).toBe('sent');
});

describe('a request that fails after a while', () => {
  let nowMs = 0;
  const now = (): number => nowMs;
  const { stallMs, requestMs } = blobLimits;
  const cut = Object.assign(new Error('cut'), { code: 'ECONNRESET' });

  const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
  /** As many as are sent at once end with `error` after `ms`. */
  async function fail(flow: Flow, ms: number, error: Error): Promise<void> {
    const end = Promise.withResolvers<never>();
    const all = Array.from({ length: flow.atOnce }, () => flow.run(never, () => end.promise));
    await turn();
    nowMs += ms;
    end.reject(error);
    for (const one of await Promise.allSettled(all)) expect(one.status).toBe('rejected');
  }

  test.each([
    ['whose time is over', requestMs, new TooSlow('late')],
    ['that falls silent', stallMs, new FellSilent('silent')],
    ['that somebody cuts after longer than a silence may last', stallMs, cut],
  ])('halves what its disk asks at once, when it is one %s', async (_name, ms, error) => {
    const flow = flowOfDisk(blobLimits, now);
    for (const atOnce of [4, 2, 1, 1]) {
      await fail(flow, ms, error);
      expect(flow.atOnce).toBe(atOnce);
    }
  });

  test('says nothing of the link when it broke at once, or when its caller ended it', async () => {
    const flow = flowOfDisk(blobLimits, now);
    await fail(flow, stallMs - 1, cut);
    const stop = new AbortController();
    const end = Promise.withResolvers<never>();
    const run = flow.run(stop.signal, () => end.promise);
    await turn();
    nowMs += requestMs;
    stop.abort(cut);
    end.reject(cut);
    await expect(run).rejects.toBe(cut);
    expect(flow.atOnce).toBe(8);
  });

  test('L5 takes nothing from the mover’s other disks, unless the link itself is too slow', async () => {
    const flow = flowOfMover(blobLimits, now);
    await fail(flow, requestMs, new FellSilent('silent'));
    await fail(flow, requestMs, cut);
    expect(flow.atOnce).toBe(32);
    await fail(flow, requestMs, new TooSlow('late'));
    expect(flow.atOnce).toBe(16);
  });
});

test('a good answer that took half of its time raises nothing: one more at once might be too late', async () => {
  let nowMs = 0;
  const flow = flowOfDisk(blobLimits, () => nowMs);
  for (let turn = 0; turn < 3; turn++) await burst(flow, 1, 503);
  const good = async (ms: number): Promise<number> => {
    await flow.run(never, async () => {
      nowMs += ms;
    });
    return flow.atOnce;
  };
  for (let turn = 0; turn < 5; turn++) expect(await good(blobLimits.requestMs / 2)).toBe(1);
  expect(await good(blobLimits.requestMs / 2 - 1)).toBe(2);
});
