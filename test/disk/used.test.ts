/**
 * Another point after the machine had the disk in use: the target becomes the point that is wished for, and over the link come
 * only what the machine wrote and what changed between the points. Rule: every byte of the end is compared, and every byte
 * that is asked of the source is counted.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { decodeMarker } from '../../disk/open-marker.ts';
import { observeDisk } from '../../disk/target-disk.ts';
import type { TransferProgress } from '../../model/progress.ts';
import { type HostCall, watchHost } from './host-edge.ts';
import {
  data,
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternBytes,
  patternImage,
  type Workbench,
  zero,
} from './workbench.ts';

const kib = 1024;
const leaf = 64 * kib;
const size = 21 * mib + 512;
const tailStart = size - mib;

/** What lies between the two points: the second one, and the changes from either to the other. */
const around = [data(5 * mib, 8 * kib), data(9 * mib + leaf, 2 * mib), data(size - 512, 512)];
const latest = patternImage(1, size);
latest.writeUInt16LE(0xaa55, 510);
const older = Buffer.from(latest);
for (const { offset, length } of around) patternBytes(2, offset, older.subarray(offset, offset + length));

/** Where the machine writes once it runs: at both ends, which are withheld while the disk is open, and far from each other. */
const written = [0, 700 * kib, 2 * mib + 512, 6 * mib, 14 * mib + 100 * kib, tailStart - 512, size - 1024];
const usedReads = [
  { offset: 2 * mib, length: leaf },
  { offset: 6 * mib, length: leaf },
  { offset: 14 * mib + leaf, length: leaf },
  { offset: tailStart - 512, length: 512 },
];
const usedBytes = 3 * leaf + 512;
const namedReads = [
  { offset: 5 * mib, length: 8 * kib },
  { offset: 9 * mib + leaf, length: 2 * mib },
];

const ascending = <T extends { readonly offset: number }>(all: readonly T[]): T[] =>
  [...all].sort((one, other) => one.offset - other.offset);

function use(bench: Workbench): void {
  const content = bench.content();
  for (const at of written) content.fill(0x77, at, at + 512);
  writeFileSync(bench.path, content);
}

/** A disk that was sealed at the latest point and in use since. */
async function onUsedDisk(work: (bench: Workbench) => Promise<void>): Promise<void> {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(latest), 'latest');
    await bench.seal(new ImagePoint(latest), 'latest');
    use(bench);
    await work(bench);
  });
}

const toOlder = { base: 'latest', uses: 1 };

test('S001-13 S3 S9 a disk that was in use becomes another point by the leaves that were written and what changed around it, and nothing else is fetched', async () => {
  await onUsedDisk(async (bench) => {
    const source = new ImagePoint(older, around);
    const seen: TransferProgress[] = [];
    const proof = await bench.transfer(source, 'older', { ...toOlder, report: (one) => void seen.push(one) });
    expect(ascending(source.reads)).toEqual(ascending([...namedReads, ...usedReads]));
    const copiedBytes = source.reads.reduce((sum, { length }) => sum + length, 0);
    expect(proof).toMatchObject({ mode: 'delta', point: 'older', base: 'latest', usedBytes, copiedBytes });
    expect(seen.every(({ doneBytes, totalBytes }) => doneBytes <= totalBytes)).toBe(true);
    expect(seen.at(-1)?.fetchBytes).toBe(copiedBytes);
    await bench.seal(new ImagePoint(older), 'older', { reread: true });
    expect(firstDifference(bench.content(), older)).toBe(-1);
  });
});

test('S001-13 S9 any number of changes there and back ends with every byte of the last one, and an order of an earlier use is refused', async () => {
  await onUsedDisk(async (bench) => {
    await bench.transfer(new ImagePoint(older, around), 'older', toOlder);
    await bench.seal(new ImagePoint(older), 'older');
    use(bench);
    const cleared = Buffer.from(latest);
    cleared.fill(0, 12 * mib, 20 * mib);
    const back = [...around, zero(12 * mib, 8 * mib)];
    const proof = await bench.transfer(new ImagePoint(cleared, back), 'cleared', { base: 'older', uses: 2 });
    // What the machine wrote into a block that is cleared now counts too.
    expect(proof.usedBytes).toBe(usedBytes);
    await bench.seal(new ImagePoint(cleared), 'cleared', { reread: true });
    expect(firstDifference(bench.content(), cleared)).toBe(-1);
    const late = bench.transfer(new ImagePoint(older, around), 'older', { base: 'cleared', uses: 2 });
    expect(await failureOf(late)).toBe('Refused lineage');
    expect(firstDifference(bench.content(), cleared)).toBe(-1);
  });
});

test('S8 the same order again goes on or answers what was proven, and one that knows of no use is fenced', async () => {
  await onUsedDisk(async (bench) => {
    const cut = new ImagePoint(older, around, (offset) => {
      if (offset >= 9 * mib) throw new RangeError('cut off');
    });
    await expect(bench.transfer(cut, 'older', { ...toOlder, inFlight: 1 })).rejects.toThrow('cut off');
    expect(await failureOf(bench.transfer(new ImagePoint(latest), 'latest'))).toBe('Fenced lineage');
    expect(await failureOf(bench.seal(new ImagePoint(older), 'older'))).toBe('Corrupt lineage');
    const source = new ImagePoint(older, around);
    const proof = await bench.transfer(source, 'older', toOlder);
    // What the cut attempt had proven is not fetched again, and counts in what was found used.
    expect(source.reads.filter(({ offset }) => offset < 8 * mib)).toEqual([]);
    expect(proof.usedBytes).toBe(usedBytes);
    const again = new ImagePoint(older, around);
    expect(await bench.transfer(again, 'older', toOlder)).toEqual(proof);
    expect(again.reads).toEqual([]);
    await bench.seal(new ImagePoint(older), 'older', { reread: true });
    expect(firstDifference(bench.content(), older)).toBe(-1);
  });
});

test('S4 S8 its record is open first, then its marker and its withheld ends are on the medium, and only then is it written', async () => {
  await onUsedDisk(async (bench) => {
    const calls: string[] = [];
    let dirty = false;
    const look = (call: HostCall): void => {
      if (call.path === bench.statePath('journal') && call.name === 'append') calls.push('record');
      if (call.path !== bench.path) return;
      if (call.name === 'flush') dirty = false;
      if (call.name !== 'write' && call.name !== 'punch') return;
      const content = readFileSync(bench.path);
      const open = decodeMarker(content) !== undefined;
      const ends = [content.subarray(512, mib), content.subarray(tailStart)];
      const withheld = open && ends.every((end) => end.every((byte) => byte === 0)) && !dirty;
      const inside = call.offset >= mib && call.offset < tailStart;
      calls.push(inside ? `data ${withheld}` : `end ${open || call.offset === 0}`);
      if (!inside) dirty = true;
    };
    const restore = await watchHost((call) => {
      look(call);
      return call.all();
    });
    try {
      await bench.transfer(new ImagePoint(older, around), 'older', toOlder);
    } finally {
      restore();
    }
    expect(calls[0]).toBe('record');
    expect(calls.indexOf('end true')).toBeGreaterThan(calls.lastIndexOf('record', calls.indexOf('end true')));
    expect(calls).not.toContain('end false');
    expect(calls).not.toContain('data false');
    expect(calls.filter((call) => call === 'data true').length).toBeGreaterThan(4);
  });
});

test('S3 a block whose leaves nobody remembers is fetched as a whole, when it differs', async () => {
  await onUsedDisk(async (bench) => {
    rmSync(bench.statePath('leaves'));
    const source = new ImagePoint(older, around);
    await bench.transfer(source, 'older', toOlder);
    expect(source.reads).toContainEqual({ offset: 12 * mib, length: 4 * mib });
    expect(source.reads.filter(({ offset }) => offset >= 16 * mib && offset < 20 * mib)).toEqual([]);
    await bench.seal(new ImagePoint(older), 'older', { reread: true });
    expect(firstDifference(bench.content(), older)).toBe(-1);
  });
});

test('S9 a disk of which this mover has no record, or another one, is never guessed at: a full copy of the chosen point is what is left', async () => {
  await onUsedDisk(async (bench) => {
    const elsewhere = { ...toOlder, stateDir: `${bench.stateDir}-of-another-mover` };
    const delta = (more: object): Promise<unknown> =>
      bench.transfer(new ImagePoint(older, around), 'older', { ...toOlder, ...more });
    expect(await failureOf(delta(elsewhere))).toBe('Corrupt lineage');
    expect(await failureOf(delta({ base: 'older' }))).toBe('Corrupt lineage');
    expect(await failureOf(delta({ uses: 2 }))).toBe('Corrupt lineage');
    const proof = await bench.transfer(new ImagePoint(older), 'older', { uses: 1 });
    expect(proof.mode).toBe('full');
    await bench.seal(new ImagePoint(older), 'older', { reread: true });
    expect(firstDifference(bench.content(), older)).toBe(-1);
    expect((await observeDisk(bench.options())).state).toBe('sealed');
    // The use before it counts on: the next one is the second.
    use(bench);
    expect(await failureOf(bench.transfer(new ImagePoint(latest), 'latest', { base: 'older', uses: 1 }))).toBe(
      'Refused lineage',
    );
    await bench.transfer(new ImagePoint(latest, around), 'latest', { base: 'older', uses: 2 });
    await bench.seal(new ImagePoint(latest), 'latest', { reread: true });
    expect(firstDifference(bench.content(), latest)).toBe(-1);
  });
});
