/**
 * What lies between small changes is fetched with them where that costs less than requests, which hangs on how many bytes may pass.
 * Rule: L2 S3, an attempt plans by the limit of its own moment; what one of another plan left half written is mended all the same.
 */
import fc from 'fast-check';
import {
  blockWork,
  inTurns,
  isZeroRun,
  joinGapAt,
  lengthOf,
  maxPieces,
  partOf,
  zerosOf,
} from '../../disk/block-plan.ts';
import { collectChanges } from '../../disk/extents.ts';
import { geometryOf, type Range } from '../../disk/geometry.ts';
import type { Extent } from '../../disk/point-reader.ts';
import { Turn } from '../../disk/turn.ts';
import { data, firstDifference, ImagePoint, mib, onWorkbench, patternImage, zero } from './workbench.ts';

const size = 12 * mib;
const image = patternImage(1, size);
const page = 4096;
const changes = Array.from({ length: 75 }, (_, at) => 2 * mib + at * 100 * 1024);
const next = Buffer.from(image);
for (const at of changes) next.fill(7, at, at + page);
/** Between two of them, at times; in the same leaf as both or not. */
const cleared = changes.filter((_, at) => at % 3 === 0).map((at) => at + 8 * page);
for (const at of cleared) next.fill(0, at, at + page);
const extents = [...changes.map((at) => data(at, page)), ...cleared.map((at) => zero(at, page))];

const slow = 2 * mib;
const { signal } = new AbortController();

test('R11 two changes are fetched as one where what lies between passes within 10 ms, from 4 KiB on and up to 128 KiB', () => {
  const gaps = [undefined, 100 * mib, 12.5 * mib, 12 * mib, slow, 64 * 1024].map((limit) => joinGapAt(limit));
  expect(gaps).toEqual([131_072, 131_072, 131_072, 125_829, 20_972, 4096]);
});

test.each([
  ['without a limit', undefined, 7 * mib, 8 * mib],
  ['behind a limit of 2 MiB/s', slow, 75 * page, 75 * page],
])(
  'R11 75 single pages 100 KiB apart are fetched with what lies between them or alone: %s',
  async (_, limit, least, most) => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const source = new ImagePoint(next, extents);
      const proof = await bench.transfer(source, 'p1', { base: 'p0', limitedTo: () => limit });
      const fetched = source.reads.reduce((bytes, { length }) => bytes + length, 0);
      expect(fetched).toBeGreaterThanOrEqual(least);
      expect(fetched).toBeLessThanOrEqual(most);
      expect([proof.copiedBytes, proof.changedBytes]).toEqual([fetched, (75 + 25) * page]);
      await bench.seal(new ImagePoint(next), 'p1');
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  },
);

test('L5 a map of all the disk is fetched in few reads behind a limit, too', async () => {
  await onWorkbench(size, async (bench) => {
    const source = new ImagePoint(
      image,
      changes.map((at) => data(at, page)),
    );
    await bench.transfer(source, 'p0', { limitedTo: () => slow });
    expect(source.reads).toHaveLength(3);
  });
});

test.each([
  ['lifted', slow, undefined],
  ['set', undefined, slow],
])(
  'L2 S3 R11 a round goes on where it was when a limit was %s between two attempts, and mends what the first left half written',
  async (_, before, after) => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      let reads = 0;
      const cut = new ImagePoint(next, extents, (offset) => {
        if (before === undefined ? offset > 8 * mib : ++reads > 50) throw new RangeError('cut off');
      });
      const first = bench.transfer(cut, 'p1', { base: 'p0', limitedTo: () => before, inFlight: 1 });
      await expect(first).rejects.toThrow('cut off');
      // As a kill leaves a block in the middle of its writes: a change, and zeros, that nobody recorded.
      const [half, zeros] = [changes.at(-4) ?? 0, cleared.at(-2) ?? 0];
      for (const at of [half, zeros]) bench.damage(at, next.subarray(at, at + page / 2));
      const source = new ImagePoint(next, extents);
      const proof = await bench.transfer(source, 'p1', { base: 'p0', limitedTo: () => after });
      expect(proof.resumedBytes).toBeGreaterThan(0);
      expect(proof.changedBytes).toBe((75 + 25) * page);
      expect(source.reads.every(({ offset }) => offset >= 4 * mib)).toBe(true);
      await bench.seal(new ImagePoint(next), 'p1');
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  },
);

const sectors = (count: number): number => count * 512;
const pieces = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 20 }), fc.boolean()), {
  minLength: 40,
  maxLength: 400,
});
const gaps = fc.constantFrom(joinGapAt(), joinGapAt(slow), joinGapAt(1));

/** What of `ranges` no one of `by` holds, in bytes. */
const missed = (ranges: readonly Range[], by: readonly Range[]): number =>
  lengthOf(ranges.filter(({ start, end }) => !by.some((one) => one.start <= start && end <= one.end)));

test('S9 S10 L5 a block in many pieces is cut into 64 at most: all that was to be read is read, and nothing becomes zeros that was not named', () => {
  fc.assert(
    fc.property(pieces, gaps, (list, gap) => {
      let at = 0;
      const named: { data: Range[]; zero: Range[] } = { data: [], zero: [] };
      for (const [skip, length, isData] of list) {
        const start = at + sectors(skip);
        at = start + sectors(length);
        named[isData ? 'data' : 'zero'].push({ start, end: at });
      }
      const job = partOf(1, named.data, named.zero, gap);
      const zeros = [...zerosOf(job)];
      expect(job.reads.length + zeros.length).toBeLessThanOrEqual(maxPieces);
      expect(missed(named.data, job.reads)).toBe(0);
      expect(missed([...named.data, ...named.zero], job.writes)).toBe(0);
      const marks = new Uint8Array(at / 512);
      for (const { start, end } of named.zero) marks.fill(1, start / 512, end / 512);
      expect(zeros.every(({ start, end }) => !marks.subarray(start / 512, end / 512).includes(0))).toBe(true);
      // What is planned once is planned so again (disk/change-list.ts).
      expect(partOf(1, job.reads, zeros, gap)).toEqual(job);
    }),
  );
});

test('L5 of a block in too many pieces the nearest pieces are read as one, and the others alone', () => {
  const pages = Array.from({ length: maxPieces + 2 }, (_, at) => ({ start: at * 8 * page, end: (at * 8 + 1) * page }));
  const near = [9, 41].map((at) => ({ start: (at * 8 + 3) * page, end: (at * 8 + 4) * page }));
  const { reads, writes } = partOf(1, [...pages.slice(2), ...near], [], joinGapAt(1));
  expect([reads.length, writes]).toEqual([maxPieces, reads]);
  expect(reads.filter((read) => lengthOf([read]) > page)).toEqual(
    near.map(({ start, end }) => ({ start: start - 3 * page, end })),
  );
});

test('L5 blocks in many pieces are listed and planned in turns with others', async () => {
  const dense = 512 * mib;
  async function* extents(): AsyncGenerator<Extent> {
    for (let at = 0; at + 8192 < dense; at += 8192) yield data(at, page);
  }
  const turns = jest.spyOn(Turn.prototype, 'next');
  try {
    const changes = await collectChanges(extents(), {
      sizeBytes: dense,
      subject: 'erp/os',
      joinGapBytes: joinGapAt(1),
    });
    const listed = turns.mock.calls.length;
    // 65,536 pages, each ten looks, and a hundred thousand looks a turn.
    expect(listed).toBeGreaterThanOrEqual(6);
    for await (const work of inTurns(blockWork(geometryOf(dense, 'erp/os'), changes, false), signal))
      expect(isZeroRun(work)).toBe(false);
    expect(turns.mock.calls.length - listed).toBeGreaterThanOrEqual(1);
  } finally {
    turns.mockRestore();
  }
});
