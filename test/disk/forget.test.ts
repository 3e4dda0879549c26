/**
 * S11: what a mover keeps of a disk goes with the end of the run it belongs to, and with no other.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forgetDisk, observeDisk } from '../../disk/target-disk.ts';
import { watchHost } from './host-edge.ts';
import { failureOf, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from './workbench.ts';

const size = 9 * mib;
const image = patternImage(1, size);

const forget = (bench: Workbench, run = 'run-1'): Promise<string[]> =>
  forgetDisk({ machine: 'erp', disk: 'os', run, stateDir: bench.stateDir, signal: new AbortController().signal });

test('S11 nothing of a sealed disk stays on the mover, and asking twice is as good', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    await bench.seal(new ImagePoint(image), 'p0');
    writeFileSync(bench.statePath('checkpoint.new'), 'what a crash left of a replacement');
    expect(await forget(bench)).toEqual([]);
    expect(readdirSync(bench.stateDir)).toEqual([]);
    expect(await forget(bench)).toEqual([]);
  });
});

test('S11 another disk of the machine, and whatever else lies in the state folder, stays', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    mkdirSync(join(bench.stateDir, 'erp', 'data-0'));
    writeFileSync(join(bench.stateDir, 'limits.json'), '{}');
    await forget(bench);
    expect(readdirSync(bench.stateDir).sort()).toEqual(['erp', 'limits.json']);
    expect(readdirSync(join(bench.stateDir, 'erp'))).toEqual(['data-0']);
  });
});

test('S2 S11 a record of a newer run is not touched by the end of an older one', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p1', { run: 'run-2' });
    expect(await forget(bench, 'run-1')).toEqual([join(bench.stateDir, 'erp', 'os')]);
    expect((await observeDisk(bench.options())).point).toBe('p1');
    expect(existsSync(bench.statePath('lock'))).toBe(false);
  });
});

test('L1 a record is looked into piece by piece, however large it is, so that many runs may end at once', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p1', { run: 'run-2' });
    const asked: { name: string; length: number }[] = [];
    const restore = await watchHost((call) => {
      if (call.path === bench.statePath('checkpoint')) asked.push({ name: call.name, length: call.length });
      return call.all();
    });
    try {
      expect(await forget(bench, 'run-1')).toHaveLength(1);
    } finally {
      restore();
    }
    expect(asked.some(({ name }) => name === 'read')).toBe(true);
    expect(asked.filter(({ name, length }) => name === 'readFile' || length > 256 * 1024)).toEqual([]);
  });
});

test('S11 a record that is damaged is nobody’s, and goes with any run', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p1', { run: 'run-2' });
    const record = readFileSync(bench.statePath('checkpoint'));
    record[record.byteLength - 40] = (record.at(-40) ?? 0) ^ 1;
    writeFileSync(bench.statePath('checkpoint'), record);
    expect(await forget(bench, 'run-1')).toEqual([]);
    expect(readdirSync(bench.stateDir)).toEqual([]);
  });
});

test('S8 S11 a disk that somebody works on keeps its record: the one who removes it gives way', async () => {
  await onWorkbench(size, async (bench) => {
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = new ImagePoint(image, undefined, async () => {
      reached.resolve();
      await released.promise;
    });
    const copy = bench.transfer(slow, 'p0');
    await reached.promise;
    expect(await failureOf(forget(bench))).toBe('Transient state.remove');
    released.resolve();
    expect((await copy).point).toBe('p0');
  });
});

test('S4 S9 a disk left open without a record is repaired by the next run, by a full copy only', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    await forget(bench);
    const next = { run: 'run-2' };
    expect(await failureOf(bench.transfer(new ImagePoint(image), 'p1', { ...next, base: 'p0' }))).toBe(
      'Corrupt lineage',
    );
    expect((await bench.transfer(new ImagePoint(image), 'p1', next)).mode).toBe('full');
    // The epoch on the disk is not forgotten with the record (S8).
    expect((await observeDisk(bench.options(next))).epoch).toBe(2);
  });
});
