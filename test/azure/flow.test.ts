/** How many requests of a snapshot run at once, and that the service and the link are heard when they take fewer. */
import { newShare, type Share } from '../../disk/block-pool.ts';
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

describe('on a mover with disks that nobody answers', () => {
  let flow: Flow;
  let sent: string[] = [];
  /** Ends the first request on its way of that machine. */
  let ends: { machine: string; end: (error?: Error) => void }[] = [];
  const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
  const sentOf = (machine: string): number => sent.filter((one) => one === machine).length;

  beforeEach(() => {
    flow = flowOfMover(blobLimits);
    [sent, ends] = [[], []];
  });

  /** `count` requests of one disk, none of which ends by itself. */
  async function ask(share: Share, count = 1): Promise<void> {
    for (let nth = 0; nth < count; nth++) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      const send = (): Promise<void> => {
        sent.push(share.machine);
        ends.push({ machine: share.machine, end });
        return promise;
      };
      flow.run(never, send, share).catch(() => undefined);
    }
    await turn();
  }

  async function end(machine: string, error?: Error): Promise<void> {
    const at = ends.findIndex((one) => one.machine === machine);
    ends.splice(at, 1)[0]?.end(error);
    await turn();
  }

  const disks = (count: number, urgent: boolean, name: (at: number) => string): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, (_, at) => ask(newShare(name(at), urgent))));

  test('L5 these have twelve of its 32 places, the urgent among them twelve more, and whoever is answered the rest', async () => {
    await disks(40, false, (at) => `silent-${at}`);
    expect(sent).toHaveLength(12);
    await disks(40, true, (at) => `urgent-${at}`);
    expect(sent).toHaveLength(24);
    await ask({ ...newShare('well', false), answers: true }, 8);
    expect(sentOf('well')).toBe(8);
  });

  test('L5 a disk asks on trial until it was answered, and again once it fell silent', async () => {
    const well = newShare('well', false);
    await ask(well);
    await disks(40, false, (at) => `silent-${at}`);
    await ask(well, 4);
    expect(sentOf('well')).toBe(1);
    await end('well');
    expect(sentOf('well')).toBe(5);
    await end('well', new Error('the service is busy'));
    await ask(well);
    expect(sentOf('well')).toBe(6);
    await end('well', new FellSilent('silent'));
    await ask(well);
    expect(sentOf('well')).toBe(6);
  });

  test('L5 the next place is for the urgent, then for the machine that has fewest', async () => {
    await disks(40, false, () => 'silent');
    await ask(newShare('other', false));
    await end('silent', new FellSilent('silent'));
    expect([sentOf('silent'), sentOf('other')]).toEqual([12, 1]);
    const answered = (machine: string, urgent: boolean): Share => ({ ...newShare(machine, urgent), answers: true });
    await ask(answered('well', false), 22);
    await ask(answered('cutover', true), 2);
    expect([sentOf('well'), sentOf('cutover')]).toEqual([20, 0]);
    await end('well');
    await end('well');
    await end('well');
    expect([sentOf('well'), sentOf('cutover')]).toEqual([21, 2]);
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
