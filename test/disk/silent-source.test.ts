/**
 * Machines whose sources say nothing, beside one that is well: what the silent hold of the memory for all disks.
 * Rule: no clock decides; a silent read ends when the test says so, as the reader ends one by itself (`SourceSilent`).
 */
import { poolBlocks } from '../../disk/block-pool.ts';
import { type PointReader, SourceSilent } from '../../disk/point-reader.ts';
import { transferDisk } from '../../disk/target-disk.ts';
import { failureOf, firstDifference, ImagePoint, mib, onWorkbench, patternImage, Workbench } from './workbench.ts';

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

/** The disks of one machine, all at once, each until it is stopped. */
function copyMany(bench: Workbench, source: (disk: number) => PointReader, urgent: boolean) {
  const stop = new AbortController();
  const copies = Array.from({ length: many }, (_, at) => {
    const own = new Workbench(size, bench.folder, `silent-${at}.raw`);
    const options = own.options({ machine: 'silent', signal: stop.signal });
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

test.each([false, true])(
  'L5 a machine whose 24 disks say nothing keeps no disk of another machine from its point (urgent: %s)',
  async (urgent) => {
    await onWorkbench(size, async (bench) => {
      const quiet = new Silence();
      const silent = copyMany(
        bench,
        () => new ImagePoint(pattern, undefined, (_, signal) => quiet.fall(signal)),
        urgent,
      );
      while (quiet.waiting.size < 2) await ticks(1);
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
