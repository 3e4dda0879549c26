/**
 * S8 across movers: one that Temporal no longer counts on reaches the disk's file all the same (a mounted datastore), while
 * another has the disk or has sealed it. Rule: the late one keeps a state folder of its own, as on its own machine.
 */
import { existsSync } from 'node:fs';
import { forgetDisk, observeDisk } from '../../disk/target-disk.ts';
import { fenced } from '../../model/failure.ts';
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

const size = 24 * mib;
const earlier = patternImage(1, size);
const later = patternImage(2, size);
const stale = patternImage(9, size);

const elsewhere = (bench: Workbench) => ({ stateDir: `${bench.folder}/state of the late mover`, inFlight: 1 });

/** Lets the first call pass and holds the others back until it is opened. */
function gate() {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let calls = 0;
  return {
    reached: reached.promise,
    open: opened.resolve,
    async pass(): Promise<void> {
      if (++calls < 2) return;
      reached.resolve();
      await opened.promise;
    },
  };
}

async function expectSealed(bench: Workbench): Promise<void> {
  expect((await observeDisk(bench.options())).state).toBe('sealed');
  expect(firstDifference(bench.content(), later)).toBe(-1);
}

test('S3 S8 a mover whose source is slow writes not one block more once another mover has the disk', async () => {
  await onWorkbench(stale, async (bench) => {
    const source = gate();
    const slow = new ImagePoint(earlier, undefined, () => source.pass());
    const late = failureOf(bench.transfer(slow, 'p0', elsewhere(bench)));
    // One block of it is written, and its window has room for three more.
    await source.reached;
    await bench.transfer(new ImagePoint(later), 'p1', { handovers: 1 });
    source.open();
    expect(await late).toBe('Fenced fence');
    await bench.seal(new ImagePoint(later), 'p1', { handovers: 1 });
    await expectSealed(bench);
  });
});

test('S3 S8 a mover that a limit held back writes nothing on the disk that another one has sealed meanwhile', async () => {
  await onWorkbench(stale, async (bench) => {
    const limit = gate();
    const late = failureOf(
      bench.transfer(new ImagePoint(earlier), 'p0', { ...elsewhere(bench), pace: () => limit.pass() }),
    );
    await limit.reached;
    await bench.transfer(new ImagePoint(later), 'p1', { handovers: 1 });
    await bench.seal(new ImagePoint(later), 'p1', { handovers: 1 });
    limit.open();
    expect(await late).toBe('Corrupt fence');
    await expectSealed(bench);
  });
});

describe('an attempt that Temporal no longer counts on', () => {
  /** What a lease answers whose attempt was given up. */
  const gone = {
    assure: (): Promise<void> =>
      Promise.reject(fenced({ op: 'lease', subject: 'transferDisk', message: 'it was given up', hint: 'Nothing.' })),
  };
  const delta = [data(5 * mib, 4096)];

  /** The disk was sealed, by whomever: the late one neither opens nor writes it, nor begins its own record anew. */
  async function expectUntouched(bench: Workbench, late: () => Promise<unknown>): Promise<void> {
    const before = bench.content();
    expect(await failureOf(late())).toBe('Fenced lease');
    expect(firstDifference(bench.content(), before)).toBe(-1);
  }

  test('S8 does not take over in full what another mover has sealed', async () => {
    await onWorkbench(stale, async (bench) => {
      await bench.transfer(new ImagePoint(later), 'p1', { handovers: 1 });
      await bench.seal(new ImagePoint(later), 'p1', { handovers: 1 });
      const late = { ...elsewhere(bench), ...gone };
      await expectUntouched(bench, () => bench.transfer(new ImagePoint(earlier), 'p0', late));
      await expectSealed(bench);
    });
  });

  test('S8 does not go on with a copy of its own record on what another mover has sealed', async () => {
    await onWorkbench(stale, async (bench) => {
      const late = elsewhere(bench);
      const stop = new AbortController();
      const cut = new ImagePoint(earlier, undefined, (offset) => {
        if (offset > 6 * mib) stop.abort(new Error('cut off'));
      });
      await expect(bench.transfer(cut, 'p0', { ...late, signal: stop.signal })).rejects.toThrow('cut off');
      await bench.transfer(new ImagePoint(later), 'p1', { handovers: 1 });
      await bench.seal(new ImagePoint(later), 'p1', { handovers: 1 });
      await expectUntouched(bench, () => bench.transfer(new ImagePoint(earlier), 'p0', { ...late, ...gone }));
    });
  });

  test('S8 does not reopen for another point what another mover has sealed since', async () => {
    await onWorkbench(stale, async (bench) => {
      const late = elsewhere(bench);
      await bench.transfer(new ImagePoint(earlier), 'p0', late);
      await bench.seal(new ImagePoint(earlier), 'p0', late);
      await bench.transfer(new ImagePoint(later), 'p1', { handovers: 1, uses: 1 });
      await bench.seal(new ImagePoint(later), 'p1', { handovers: 1, uses: 1 });
      const order = { ...late, ...gone, base: 'p0', uses: 1 };
      await expectUntouched(bench, () => bench.transfer(new ImagePoint(later, delta), 'p1', order));
      // Its own record still says what it sealed, and was not reopened.
      expect((await bench.seal(new ImagePoint(earlier), 'p0', late)).point).toBe('p0');
      await expectSealed(bench);
    });
  });

  test('S8 S11 does not begin anew once the run has released the record of the disk it sealed', async () => {
    await onWorkbench(stale, async (bench) => {
      await bench.transfer(new ImagePoint(later), 'p1');
      await bench.seal(new ImagePoint(later), 'p1');
      const { machine, disk, run, signal, stateDir } = bench.options();
      await forgetDisk({ machine, disk, run, signal, stateDir });
      await expectUntouched(bench, () => bench.transfer(new ImagePoint(earlier), 'p0', gone));
      expect(existsSync(bench.statePath('checkpoint'))).toBe(false);
    });
  });

  test('S8 of an older run does not take the disk back from the run that sealed it, nor spoil its record', async () => {
    await onWorkbench(stale, async (bench) => {
      await bench.transfer(new ImagePoint(later), 'p1', { run: 'run-2' });
      await bench.seal(new ImagePoint(later), 'p1', { run: 'run-2' });
      await expectUntouched(bench, () => bench.transfer(new ImagePoint(earlier), 'p0', gone));
      // Asked again, the newer run's seal still answers from its record.
      expect((await bench.seal(new ImagePoint(later), 'p1', { run: 'run-2' })).point).toBe('p1');
    });
  });

  test('S4 S8 that loses the disk between the fence and a write of its seal ends there', async () => {
    await onWorkbench(stale, async (bench) => {
      await bench.transfer(new ImagePoint(later), 'p1');
      const sector = bench.sector();
      let writes = 0;
      // The marker of the sealing attempt, then the tail; the head comes no more.
      const assure = (): Promise<void> =>
        bench.sector().equals(sector) || ++writes < 2 ? Promise.resolve() : gone.assure();
      expect(await failureOf(bench.seal(new ImagePoint(later), 'p1', { assure }))).toBe('Fenced lease');
      expect(firstDifference(bench.content().subarray(512, mib), Buffer.alloc(mib - 512))).toBe(-1);
    });
  });

  test('S8 is asked again before every write, however long the one before took', async () => {
    await onWorkbench(stale, async (bench) => {
      let held = true;
      const slow = new ImagePoint(earlier, undefined, (offset) => {
        if (offset >= 8 * mib) held = false;
      });
      const assure = (): Promise<void> => (held ? Promise.resolve() : gone.assure());
      expect(await failureOf(bench.transfer(slow, 'p0', { inFlight: 1, assure }))).toBe('Fenced lease');
      expect(firstDifference(bench.content().subarray(8 * mib, 23 * mib), stale.subarray(8 * mib, 23 * mib))).toBe(-1);
    });
  });
});
