/**
 * Machines whose sources say nothing, beside one that is well: what the silent hold of the memory for all disks.
 * Rule: no clock decides; a silent read ends when the test says so, as the reader ends one by itself (`SourceSilent`).
 */
import { setTimeout } from 'node:timers/promises';
import { poolBlocks } from '../../disk/block-pool.ts';
import { type PointReader, SourceSilent } from '../../disk/point-reader.ts';
import { transferDisk } from '../../disk/target-disk.ts';
import {
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternImage,
  Workbench,
  zero,
} from './workbench.ts';

const size = 40 * mib;
const many = 24;

const silence = (): SourceSilent =>
  new SourceSilent({ op: 'read a range', subject: 'a-snapshot', message: 'nothing came', hint: 'Look at the way.' });

/** Reads that are silent until they are told off, or stopped. */
class Silence {
  readonly waiting = new Set<() => void>();

  fall(signal: AbortSignal): Promise<never> {
    const { promise, reject } = Promise.withResolvers<never>();
    const end = (reason: unknown): void => {
      this.waiting.delete(mine);
      reject(reason);
    };
    const mine = (): void => end(silence());
    signal.addEventListener('abort', () => end(signal.reason), { once: true });
    this.waiting.add(mine);
    return promise;
  }

  /** All that are silent now have been so for too long. */
  passed(): void {
    for (const end of [...this.waiting]) end();
  }
}

const ticks = async (turns: number): Promise<void> => {
  for (let turn = 0; turn < turns; turn++) await new Promise((next) => setImmediate(next));
};

/** The disks of one machine or several, all at once, each until it is stopped. */
function copyMany(bench: Workbench, source: (disk: number) => PointReader, urgent: boolean, machines = 1) {
  const stop = new AbortController();
  const copies = Array.from({ length: many }, (_, at) => {
    const own = new Workbench(size, bench.folder, `silent-${at}.raw`);
    const options = own.options({ machine: `silent-${at % machines}`, signal: stop.signal });
    return transferDisk({ ...options, disk: `data-${at}`, urgent, source: source(at), point: 'p0' });
  });
  const ended = Promise.allSettled(copies);
  const end = async (): Promise<void> => {
    stop.abort(new RangeError('told to stop'));
    await ended;
  };
  return { end };
}

/** Gives up where it is kept waiting, so that the test ends. */
async function copyWell(bench: Workbench, urgent: boolean): Promise<void> {
  const image = patternImage(2, size);
  const own = new Workbench(size, bench.folder, 'well.raw');
  const options = own.options({ machine: 'well', signal: AbortSignal.timeout(10_000) });
  await transferDisk({ ...options, urgent, source: new ImagePoint(image), point: 'p0' });
  expect(firstDifference(own.content().subarray(mib, size - mib), image.subarray(mib, size - mib))).toBe(-1);
}

const pattern = patternImage(1, size);

// Two blocks a machine are on trial while there are few, and one where there are many: at the most 2 + 2 + 1, and 1 + 1.
test.each([
  [1, 2, false],
  [1, 2, true],
  [3, 5, false],
  [3, 5, true],
  [5, 7, false],
])(
  'L5 24 disks of %i machine(s) that say nothing hold %i blocks at most and keep no disk of another machine from its point (urgent: %s)',
  async (machines, most, urgent) => {
    await onWorkbench(size, async (bench) => {
      const quiet = new Silence();
      const source = () => new ImagePoint(pattern, undefined, (_, signal) => quiet.fall(signal));
      const silent = copyMany(bench, source, urgent, machines);
      while (quiet.waiting.size < Math.min(most, 5)) await ticks(1);
      await ticks(20);
      expect(quiet.waiting.size).toBeLessThanOrEqual(most);
      // Not one of the silent reads ends meanwhile.
      await copyWell(bench, urgent).finally(silent.end);
    });
  },
);

test.each([false, true])(
  'L5 disks that fall silent in the middle of their copies hold the others up for one silence, not for all their tries (urgent: %s)',
  async (urgent) => {
    await onWorkbench(size, async (bench) => {
      const quiet = new Silence();
      let good = 0;
      const source = () =>
        new ImagePoint(pattern, undefined, (_, signal) => (good++ > 3 * many ? quiet.fall(signal) : ticks(1)));
      const silent = copyMany(bench, source, urgent);
      const most = poolBlocks.fetch - (urgent ? 0 : 2);
      while (quiet.waiting.size < most) await ticks(1);
      const well = copyWell(bench, urgent);
      await ticks(20);
      quiet.passed();
      await well.finally(silent.end);
    });
  },
);

test.each([false, true])(
  'L5 disks whose machine waits for new grants in the middle of their copies hold no memory meanwhile (urgent: %s)',
  async (urgent) => {
    await onWorkbench(size, async (bench) => {
      const grants = new Silence();
      let reads = 0;
      const ended = (): boolean => reads > 3 * many;
      const waitsFor = (): Promise<void> | undefined =>
        ended() ? grants.fall(new AbortController().signal) : undefined;
      const read = (): Promise<void> => {
        reads++;
        return ended() ? Promise.reject(silence()) : ticks(1);
      };
      const source = () => Object.assign(new ImagePoint(pattern, undefined, read), { waitsFor });
      const waiting = copyMany(bench, source, urgent);
      const late = AbortSignal.timeout(10_000);
      while (grants.waiting.size < 4 * many && !late.aborted) await ticks(1);
      await copyWell(bench, urgent).finally(waiting.end);
      expect(late.aborted).toBe(false);
      // Only who had a block in hand when the grants ended asked with it.
      expect(reads).toBeLessThanOrEqual(3 * many + poolBlocks.fetch);
    });
  },
);

describe('a delta that only clears parts of blocks, beside eight machines that say nothing', () => {
  const image = patternImage(2, size);
  const holes = Array.from({ length: 8 }, (_, block) => zero(4 * mib * (block + 1) + mib, 4096));
  const cleared = Buffer.from(image);
  for (const { offset, length } of holes) cleared.fill(0, offset, offset + length);

  /** An attempt that was killed when it had cleared one sector of the first hole, and told nobody. */
  async function killedAttempt(well: Workbench, options: ReturnType<Workbench['options']>): Promise<void> {
    const cut = new ImagePoint(cleared, holes);
    cut.changes = () => {
      throw new RangeError('cut off');
    };
    await expect(transferDisk({ ...options, source: cut, point: 'p1', base: 'p0' })).rejects.toThrow('cut off');
    well.damage(5 * mib, Buffer.alloc(512));
  }

  test.each([
    ['asks no source, and waits for none', 0],
    ['begins anew as one that asks its source where a leaf has to be mended, on trial like any other', 1],
  ])('L5 %s', async (_, halfWritten) => {
    await onWorkbench(size, async (bench) => {
      const well = new Workbench(size, bench.folder, 'well.raw');
      const options = well.options({ machine: 'well', signal: AbortSignal.timeout(10_000) });
      await transferDisk({ ...options, source: new ImagePoint(image), point: 'p0' });
      if (halfWritten > 0) await killedAttempt(well, options);
      const quiet = new Silence();
      const silent = copyMany(bench, () => new ImagePoint(pattern, undefined, (_, on) => quiet.fall(on)), false, 8);
      try {
        while (quiet.waiting.size < 8) await ticks(1);
        const source = new ImagePoint(cleared, holes);
        const delta = transferDisk({ ...options, source, point: 'p1', base: 'p0' });
        if (halfWritten > 0) {
          // A read that must not be is made well within this time.
          const ended = await Promise.race([delta, setTimeout(500)]);
          expect([ended, source.reads]).toEqual([undefined, []]);
        }
        // It has its turn behind the disks that waited before it.
        for (const ended = delta.then(() => true); halfWritten > 0 && !(await Promise.race([ended, ticks(20)])); )
          quiet.passed();
        await delta;
        expect(source.reads).toHaveLength(halfWritten);
        expect(firstDifference(well.content().subarray(mib, size - mib), cleared.subarray(mib, size - mib))).toBe(-1);
      } finally {
        await silent.end();
      }
    });
  });
});

test('L1 L5 a source that is silent four times in a row ends the attempt, three times do not, eight at once are one', async () => {
  await onWorkbench(size, async (bench) => {
    const quiet = new Silence();
    const answers = [true, false, false, false, true, false, false, false, false];
    let reads = 0;
    const source = new ImagePoint(pattern, undefined, (_, signal) =>
      answers[reads++] ? undefined : quiet.fall(signal),
    );
    const copy = failureOf(bench.transfer(source, 'p0', { inFlight: 1 }));
    let silences = 0;
    const ended = copy.then(() => 'ended' as const);
    while ((await Promise.race([ended, ticks(1)])) !== 'ended') {
      silences += quiet.waiting.size;
      quiet.passed();
    }
    expect(await copy).toBe('Transient read a range');
    expect([silences, reads]).toEqual([7, 9]);
  });
});
