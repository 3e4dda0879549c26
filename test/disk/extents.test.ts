/**
 * The order brought into a source's list of changes, and the jobs made of it.
 * Rule: S9, S10: every named byte is decided, no other byte is touched, the withheld regions never (S4).
 */
import fc from 'fast-check';
import { type BlockJob, blockWork, isZeroRun, zerosOf } from '../../disk/block-plan.ts';
import { collectChanges } from '../../disk/extents.ts';
import { blockBytes, blockRange, type Geometry, geometryOf, writableRange } from '../../disk/geometry.ts';
import type { Extent } from '../../disk/point-reader.ts';
import type { Changes } from '../../disk/range-list.ts';
import { data, failureOf, mib, zero } from './workbench.ts';

async function* listed(extents: readonly Extent[]): AsyncGenerator<Extent> {
  yield* extents;
}

const collect = (extents: readonly Extent[], size = 16 * mib) =>
  collectChanges(listed(extents), { sizeBytes: size, subject: 'erp/os' });

/** A map of the disk, one mark a sector: what a list of ranges covers. */
function painted(size: number, ranges: Iterable<{ start: number; end: number }>): Uint8Array {
  const map = new Uint8Array(size / 512);
  for (const { start, end } of ranges) map.fill(1, start / 512, end / 512);
  return map;
}

const sector = fc.integer({ min: 0, max: (16 * mib) / 512 - 1 });
const extent = fc.tuple(sector, fc.integer({ min: 0, max: 4096 }), fc.boolean()).map(([at, count, isData]): Extent => {
  const length = Math.min(count * 512, 16 * mib - at * 512);
  return isData ? data(at * 512, length) : zero(at * 512, length);
});

/** The work block by block, a run of zeros as the blocks it is made of. */
function jobsOf(geometry: Geometry, changes: Changes, whole: boolean): BlockJob[] {
  return [...blockWork(geometry, changes, whole)].flatMap((work) => {
    if (!isZeroRun(work)) return [work];
    const blocks = Array.from({ length: work.count }, (_, at) => work.first + at);
    return blocks.map((block) => ({ block, reads: [], writes: [blockRange(geometry, block)] }));
  });
}

describe('a list of changes', () => {
  test('decides every named sector and leaves every other sector of a delta alone, whatever its order', async () => {
    const geometry = geometryOf(16 * mib, 'erp/os');
    await fc.assert(
      fc.asyncProperty(fc.array(extent, { maxLength: 40 }), async (extents) => {
        const jobs = [...jobsOf(geometry, await collect(extents), false)];
        const named = painted(
          geometry.sizeBytes,
          extents.map((e) => ({ start: e.offset, end: e.offset + e.length })),
        );
        const asData = extents.filter((e) => e.kind === 'data');
        const mustRead = painted(
          geometry.sizeBytes,
          asData.map((e) => ({ start: e.offset, end: e.offset + e.length })),
        );
        const read = painted(
          geometry.sizeBytes,
          jobs.flatMap((job) => job.reads),
        );
        const written = painted(
          geometry.sizeBytes,
          jobs.flatMap((job) => job.writes),
        );
        let wrong = 0;
        for (let index = 0; index < named.length; index++) {
          const withheld = index * 512 < geometry.headEnd || index * 512 >= geometry.tailStart;
          const missed = !withheld && (named[index] ?? 0) > (written[index] ?? 0);
          const assumed = !withheld && (mustRead[index] ?? 0) > (read[index] ?? 0);
          // A sector nobody named may be written only with bytes of the same point.
          const invented = written[index] === 1 && named[index] === 0 && read[index] === 0;
          if (missed || assumed || invented || (withheld && written[index] === 1)) wrong++;
        }
        expect(wrong).toBe(0);
        const blocks = jobs.map((job) => job.block);
        expect(blocks).toEqual([...new Set(blocks)].sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });

  test('as a whole map decides about every writable byte', async () => {
    const geometry = geometryOf(13 * mib + 512, 'erp/os');
    const changes = await collect([data(5 * mib, 512)], geometry.sizeBytes);
    const jobs = [...jobsOf(geometry, changes, true)];
    expect(jobs.map((job) => job.writes)).toEqual(
      [0, 1, 2, 3].map((block) => [writableRange(geometry, block)]).slice(0, jobs.length),
    );
    expect(jobs.at(-1)?.writes.at(-1)?.end).toBe(geometry.tailStart);
  });

  test('names whole blocks of zeros as one run, however many they are', async () => {
    const geometry = geometryOf(1024 * 1024 * mib, 'erp/os');
    const changes = await collect([data(5 * mib, 512), data(1000 * 1024 * mib, 512)], geometry.sizeBytes);
    const map = [...blockWork(geometry, changes, true)];
    expect(map.map((work) => (isZeroRun(work) ? [work.first, work.count] : work.block))).toEqual([
      0,
      1,
      [2, 255_998],
      256_000,
      [256_001, 6_142],
      262_143,
    ]);
    const cleared = await collect([zero(3 * mib, 14 * mib)], geometry.sizeBytes);
    expect([...blockWork(geometry, cleared, false)].filter(isZeroRun)).toEqual([{ first: 1, count: 3 }]);
  });

  test('in which data and zero overlap is read there', async () => {
    const changes = await collect([zero(2 * mib, mib), data(2 * mib + 512, 512)]);
    expect(changes.data.at(0)).toEqual({ start: 2 * mib + 512, end: 2 * mib + 1024 });
    expect(changes.zero.count).toBe(2);
    expect(changes.changedBytes).toBe(mib);
  });

  test('that clears a part of a sector reads that sector instead of assuming zeros', async () => {
    const length = 256 * 1024;
    const changes = await collect([zero(2 * mib + 100, length)]);
    expect([changes.zero.at(0), changes.zero.count]).toEqual([{ start: 2 * mib + 512, end: 2 * mib + length }, 1]);
    expect(changes.data.at(0)).toEqual({ start: 2 * mib, end: 2 * mib + 512 });
    expect(changes.data.at(1)).toEqual({ start: 2 * mib + length, end: 2 * mib + length + 512 });
    const near = await collect([zero(2 * mib + 100, 2048)]);
    expect([near.data.at(0), near.data.count]).toEqual([{ start: 2 * mib, end: 2 * mib + 2560 }, 1]);
    expect([near.zero.count, near.changedBytes]).toEqual([0, 2560]);
  });

  test('S10 that clears no whole sector reads every sector it touches', async () => {
    const inside = await collect([zero(2 * mib + 100, 50)]);
    expect([inside.data.at(0), inside.zero.count]).toEqual([{ start: 2 * mib, end: 2 * mib + 512 }, 0]);
    const across = await collect([zero(2 * mib + 500, 24)]);
    expect([across.data.at(0), across.zero.count]).toEqual([{ start: 2 * mib, end: 2 * mib + 1024 }, 0]);
  });

  test('S9 S10 of a disk of 2 TiB finds its blocks where offsets no longer fit 31, 32 or 40 bits', async () => {
    const size = 2 ** 41 + 512;
    const geometry = geometryOf(size, 'erp/os');
    const spots = [2 ** 31 - 512, 2 ** 32 - 512, 2 ** 32, 2 ** 40, size - 2 * mib];
    const changes = await collect([...spots.map((at) => data(at, 1024)), zero(2 ** 40 + 8 * mib, 4 * mib)], size);
    const work = [...blockWork(geometry, changes, false)];
    const jobs = work.filter((one): one is BlockJob => !isZeroRun(one));
    expect(jobs.map((job) => job.block)).toEqual([511, 512, 1023, 1024, 262_144, 524_287]);
    expect(work.filter(isZeroRun)).toEqual([{ first: 262_146, count: 1 }]);
    expect(jobs.flatMap((job) => job.reads)).toEqual([
      { start: 2 ** 31 - 512, end: 2 ** 31 },
      { start: 2 ** 31, end: 2 ** 31 + 512 },
      { start: 2 ** 32 - 512, end: 2 ** 32 },
      { start: 2 ** 32, end: 2 ** 32 + 1024 },
      { start: 2 ** 40, end: 2 ** 40 + 1024 },
      { start: size - 2 * mib, end: size - 2 * mib + 1024 },
    ]);
  });

  test('S10 of a block is zeros wherever it is written and not read', () => {
    const cases = [
      { writes: [[0, 100]], reads: [], zeros: [[0, 100]] },
      { writes: [[0, 100]], reads: [[0, 100]], zeros: [] },
      {
        writes: [
          [0, 10],
          [20, 60],
          [80, 90],
        ],
        reads: [
          [25, 30],
          [40, 60],
          [80, 85],
        ],
        zeros: [
          [0, 10],
          [20, 25],
          [30, 40],
          [85, 90],
        ],
      },
    ] as const;
    const ranges = (list: readonly (readonly [number, number])[]) => list.map(([start, end]) => ({ start, end }));
    for (const { writes, reads, zeros } of cases)
      expect([...zerosOf({ writes: ranges(writes), reads: ranges(reads) })]).toEqual(ranges(zeros));
  });

  test('joins reads across a gap below 128 KiB within a block and never across blocks', async () => {
    const geometry = geometryOf(16 * mib, 'erp/os');
    const gap = 64 * 1024;
    const near = await collect([data(5 * mib, 512), data(5 * mib + gap, 512)]);
    expect([...jobsOf(geometry, near, false)][0]?.reads).toHaveLength(1);
    const far = await collect([data(5 * mib, 512), data(5 * mib + 3 * gap, 512)]);
    expect([...jobsOf(geometry, far, false)][0]?.reads).toHaveLength(2);
    const across = await collect([data(2 * blockBytes - 512, 1024)]);
    expect([...jobsOf(geometry, across, false)]).toHaveLength(2);
  });

  test('has one fingerprint however it is cut or ordered, and another when a sector differs', async () => {
    const one = await collect([data(4 * mib, 2 * mib), zero(8 * mib, mib)]);
    const same = await collect([zero(8 * mib, mib), data(5 * mib, mib), data(4 * mib, mib + 512)]);
    const other = await collect([data(4 * mib, 2 * mib + 512), zero(8 * mib, mib)]);
    expect(same.fingerprint).toBe(one.fingerprint);
    expect(other.fingerprint).not.toBe(one.fingerprint);
  });

  test.each([
    ['behind the end', data(16 * mib - 512, 1024)],
    ['before the start', data(-512, 1024)],
    ['of no whole number', data(0.5, 512)],
    ['past what numbers hold', data(Number.MAX_SAFE_INTEGER, 512)],
  ])('with a range %s is refused as corrupt', async (_, bad) => {
    expect(await failureOf(collect([bad]))).toBe('Corrupt changes');
  });
});
