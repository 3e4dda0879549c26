/** How many requests of a snapshot run at once, and that the service is heard when it asks for fewer. */
import { Flow } from '../../sites/azure/flow.ts';

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
  const flow = new Flow();
  expect(await burst(flow, 8, 206)).toBe(8);
  expect(await burst(flow, 8, 503)).toBe(8);
  expect(flow.atOnce).toBe(4);
  for (let turn = 0; turn < 5; turn++) await burst(flow, 1, 429);
  expect(flow.atOnce).toBe(1);
  expect(await burst(flow, 5, 206)).toBeLessThanOrEqual(3);
});

test('good answers bring the requests at once back, step by step', async () => {
  const flow = new Flow();
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
  const flow = new Flow();
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
