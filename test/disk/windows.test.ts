/**
 * L2, S3: what is written, flushed and proven at the same time, and how much of it. Rule: the host's own calls are held or made
 * to fail at its edge, with all lanes at work, and what came through by then is counted.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type HostCall, systemError, watchHost } from './host-edge.ts';
import {
  data,
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternImage,
  type Workbench,
} from './workbench.ts';

const size = 160 * mib;
const image = patternImage(1, size);
const eio = (): Promise<never> => Promise.reject(systemError('EIO'));

/** Copies the image while `held` calls wait; answers what `look` sees once nothing has moved any more, then lets all go on. */
async function whileHeld<T>(bench: Workbench, held: (call: HostCall) => boolean, look: (calls: HostCall[]) => T) {
  const calls: HostCall[] = [];
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let open = false;
  const restore = await watchHost(async (call) => {
    if (!open && held(call)) {
      reached.resolve();
      await released.promise;
    }
    const answer = await call.all();
    calls.push(call);
    return answer;
  });
  try {
    const copy = bench.transfer(new ImagePoint(image), 'p0');
    await reached.promise;
    for (let before = -1; before !== calls.length; await pause(300)) before = calls.length;
    const seen = look(calls);
    open = true;
    released.resolve();
    await copy;
    return seen;
  } finally {
    restore();
  }
}

/** Counts the flushes of blocks: what opens the disk is shorter than any of this image. Answers 0 for every other call. */
function countFlushes(bench: Workbench): (call: HostCall) => number {
  let [blocks, flushes] = [false, 0];
  return ({ path, name, length }) => {
    if (path !== bench.path) return 0;
    if (name === 'write') blocks ||= length > mib;
    return blocks && name === 'flush' ? ++flushes : 0;
  };
}

const writesTo = (bench: Workbench, calls: readonly HostCall[]): HostCall[] =>
  calls.filter(({ name, path }) => path === bench.path && name === 'write');
const durable = (bench: Workbench): number =>
  readFileSync(bench.statePath('journal'), 'utf8').split('"t":"durable"').length - 1;

async function equal(bench: Workbench): Promise<void> {
  await bench.seal(new ImagePoint(image), 'p0', { reread: true });
  expect(firstDifference(bench.content(), image)).toBe(-1);
}

test('L2 while a flush hangs other blocks are written, but what is not durable stays within 32 MiB', async () => {
  await onWorkbench(size, async (bench) => {
    const flushes = countFlushes(bench);
    const written = await whileHeld(
      bench,
      (call) => flushes(call) > 0,
      (calls) =>
        writesTo(bench, calls)
          .filter(({ length }) => length > mib)
          .reduce((sum, { length }) => sum + length, 0),
    );
    expect(written).toBeGreaterThan(24 * mib);
    expect(written).toBeLessThanOrEqual(32 * mib);
    await equal(bench);
  });
});

test('L2 where nothing can be read back, three windows wait for their proof at most', async () => {
  await onWorkbench(size, async (bench) => {
    const ofBlocks = ({ path, name, length }: HostCall): boolean =>
      path === bench.path && name === 'read' && length > mib;
    expect(await whileHeld(bench, ofBlocks, () => durable(bench))).toBe(3);
    await equal(bench);
  });
});

test('S3 after a flush that failed none is made again, and nothing is recorded of what was written beside it', async () => {
  await onWorkbench(size, async (bench) => {
    const flushes = countFlushes(bench);
    let failed = 0;
    const restore = await watchHost(async (call) => {
      if (flushes(call) === 0) return call.all();
      failed++;
      // So that another window is full by then.
      await pause(200);
      return eio();
    });
    try {
      expect(await failureOf(bench.transfer(new ImagePoint(image), 'p0'))).toBe('Refused target.flush');
    } finally {
      restore();
    }
    expect(failed).toBe(1);
    expect(durable(bench)).toBe(0);
    await bench.transfer(new ImagePoint(image), 'p0');
    await equal(bench);
  });
});

test('S3 once a block was found to be lost, the window that is on its way is the last one', async () => {
  await onWorkbench(size, async (bench) => {
    const count = countFlushes(bench);
    let flushes = 0;
    const restore = await watchHost(async (call) => {
      flushes = Math.max(flushes, count(call));
      if (call.path !== bench.path) return call.all();
      if (call.name === 'write' && call.offset === 4 * mib) return { bytesWritten: call.length };
      // The second window's: by then the first one was read back, and a third one is full.
      if (call.name === 'flush' && flushes === 2) await pause(500);
      return call.all();
    });
    try {
      expect(await failureOf(bench.transfer(new ImagePoint(image), 'p0'))).toBe('Corrupt proof');
    } finally {
      restore();
    }
    expect(flushes).toBe(2);
  });
});

test('S3 a round ends only with the window that the end of another one began: a flush of it that fails is told', async () => {
  const end = image.subarray(0, 40 * mib);
  const changed = { offset: 4 * mib, length: 32 * mib };
  const begin = Buffer.from(end).fill(7, changed.offset, changed.offset + changed.length);
  const delta = (): ImagePoint => new ImagePoint(end, [data(changed.offset, changed.length)]);
  await onWorkbench(end.byteLength, async (bench) => {
    await bench.transfer(new ImagePoint(begin), 'p0');
    const flushes = countFlushes(bench);
    let written = 0;
    const restore = await watchHost(async (call) => {
      const flush = flushes(call);
      // So that all else is written by then, and is just one window.
      while (flush === 1 && written < 8) await pause(10);
      if (flush === 2) return eio();
      const answer = await call.all();
      if (call.path === bench.path && call.name === 'write' && call.length > mib) written++;
      return answer;
    });
    try {
      expect(await failureOf(bench.transfer(delta(), 'p1', { base: 'p0' }))).toBe('Refused target.flush');
    } finally {
      restore();
    }
    expect(await failureOf(bench.seal(new ImagePoint(end), 'p1'))).toBe('Corrupt lineage');
    await bench.transfer(delta(), 'p1', { base: 'p0' });
    await bench.seal(new ImagePoint(end), 'p1', { reread: true });
    expect(firstDifference(bench.content(), end)).toBe(-1);
  });
});

test('L2 R11 what a slow limit lets through is durable, proven and told within seconds, and not sent again after a kill', async () => {
  await onWorkbench(12 * mib, async (bench) => {
    const small = image.subarray(0, 12 * mib);
    const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
    let [paced, seen] = [0, 0];
    const pace = (): Promise<void> => (paced++ === 0 ? Promise.resolve() : stopped);
    const copy = bench.transfer(new ImagePoint(small), 'p0', {
      ...{ pace, inFlight: 1 },
      report: ({ doneBytes }) => {
        seen = doneBytes;
      },
    });
    copy.catch(() => undefined);
    // The first block is smaller by what is withheld.
    for (let waits = 0; seen < 3 * mib && waits < 300; waits++) await pause(100);
    expect(seen).toBe(3 * mib);
    // As a kill leaves it: what follows the copy of the folder is another's.
    const left = bench.copy();
    stop(new RangeError('killed'));
    await expect(copy).rejects.toThrow('killed');
    const again = await left.transfer(new ImagePoint(small), 'p0');
    left.remove();
    expect(again.resumedBytes).toBe(3 * mib);
  });
});

test('L2 what waited behind a slow flush is made durable with its end, and does not begin to wait anew', async () => {
  await onWorkbench(12 * mib, async (bench) => {
    const [slow, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
    let flushed = 0;
    const flushes = countFlushes(bench);
    const restore = await watchHost(async (call) => {
      const flush = flushes(call);
      flushed = Math.max(flushed, flush);
      if (flush === 1) {
        goesOn.resolve();
        await slow.promise;
      }
      return call.all();
    });
    try {
      const passes = [Promise.resolve(), goesOn.promise];
      const pace = (): Promise<void> => passes.shift() ?? stopped;
      const copy = bench.transfer(new ImagePoint(image.subarray(0, 12 * mib)), 'p0', { pace, inFlight: 1 });
      copy.catch(() => undefined);
      await goesOn.promise;
      // Longer than the second block waits.
      await pause(6_500);
      const waits = jest.spyOn(globalThis, 'setTimeout');
      slow.resolve();
      for (let looks = 0; flushed < 2 && looks < 300; looks++) await pause(50);
      expect(flushed).toBe(2);
      expect(waits.mock.calls.filter(([, ms]) => ms === 5_000)).toEqual([]);
      stop(new RangeError('stopped'));
      await expect(copy).rejects.toThrow('stopped');
    } finally {
      restore();
      jest.restoreAllMocks();
    }
  });
});
