/**
 * The list of changes while it arrives: bounded, and the work is what it would be if every range had been kept.
 * Rule: the comparison is with a map of the disk, a mark a sector, that knows nothing of lists.
 */
import fc from 'fast-check';
import { blockWork } from '../../disk/block-plan.ts';
import { ChangeList, mostRangesOf } from '../../disk/change-list.ts';
import { blockBytes, geometryOf } from '../../disk/geometry.ts';
import { type Changes, RangeList } from '../../disk/range-list.ts';
import { mib } from './workbench.ts';

const geometry = geometryOf(16 * mib, 'erp/os');

interface Named {
  readonly kind: 'data' | 'zero';
  readonly start: number;
  readonly end: number;
}

/** Small ranges close to each other, as a database leaves them; some gaps are wider than what is read through. */
const gap = fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0, max: 24 }) }, fc.integer({ min: 200, max: 900 }));
/** How many of ten are to be read, and all of them: the gap before each in sectors, its length, which of the ten it is. */
const steps = fc.tuple(
  fc.constantFrom(0, 0, 1, 5, 10),
  fc.array(fc.tuple(gap, fc.integer({ min: 1, max: 9 }), fc.nat(9)), { minLength: 300, maxLength: 2_500 }),
);

function namedBy([toRead, list]: readonly [number, readonly (readonly [number, number, number])[]]): Named[] {
  let at = 0;
  return list.flatMap(([skip, length, die]) => {
    const start = at + skip * 512;
    at = start + length * 512;
    const kind = die < toRead ? ('data' as const) : ('zero' as const);
    return at <= geometry.sizeBytes ? [{ kind, start, end: at }] : [];
  });
}

/** In pieces, and in each of them what is read before what is cleared, as Azure gives it. */
function inPieces(all: readonly Named[], entries: number): Named[] {
  const pieces = Array.from({ length: Math.ceil(all.length / entries) }, (_, at) =>
    all.slice(at * entries, (at + 1) * entries),
  );
  return pieces.flatMap((piece) => ['data', 'zero'].flatMap((kind) => piece.filter((one) => one.kind === kind)));
}

function collected(all: readonly Named[], whole: boolean, most?: number): Changes {
  const list = new ChangeList(geometry, whole, most);
  for (const { kind, start, end } of all) list.add(kind, start, end);
  return list.end();
}

/** Every range as it was named, the marked sectors of a map. */
function exact(all: readonly Named[]): Pick<Changes, 'data' | 'zero' | 'changedBytes'> {
  const marks = new Uint8Array(geometry.sizeBytes / 512);
  for (const { kind, start, end } of all)
    for (let at = start / 512; at < end / 512; at++) marks[at] = kind === 'data' ? 1 : marks[at] || 2;
  const lists = [new RangeList(), new RangeList()] as const;
  for (const [at, mark] of marks.entries()) if (mark > 0) lists[mark - 1]?.add(at * 512, (at + 1) * 512);
  return { data: lists[0], zero: lists[1], changedBytes: marks.filter((mark) => mark > 0).byteLength * 512 };
}

test.each([false, true])(
  'S9 S10 makes the work that every single range would make, counts what was named, and has one fingerprint (whole map: %s)',
  (whole) => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (list, entries) => {
        const all = namedBy(list);
        const changes = collected(inPieces(all, entries), whole, 16);
        const wanted = exact(all);
        expect([...blockWork(geometry, changes, whole)]).toEqual([
          ...blockWork(geometry, { ...wanted, fingerprint: '' }, whole),
        ]);
        expect(changes.changedBytes).toBe(wanted.changedBytes);
        expect(changes.fingerprint).toBe(collected([...all].reverse(), whole).fingerprint);
        // However late a range comes, it is in the work.
        const late = collected([...all].reverse(), whole, 16);
        const missed = exact(all).data.minus(late.data.merged()).count;
        expect(missed).toBe(0);
      }),
      { numRuns: 40 },
    );
  },
);

test.each<[string, (at: number) => Named['kind']]>([
  ['to be read', () => 'data'],
  ['to be cleared', () => 'zero'],
  ['to be read and to be cleared in turn', (at) => (at % 2 === 0 ? 'data' : 'zero')],
])('L5 keeps at most 64 ranges a block of a disk whose every other 4 KiB is named %s', (_, kindOf) => {
  const large = geometryOf(1024 * mib, 'erp/os');
  const list = new ChangeList(large, false);
  for (let at = 0; at < large.sizeBytes / 8192; at++) list.add(kindOf(at), at * 8192, at * 8192 + 4096);
  const { data, zero, changedBytes } = list.end();
  expect(changedBytes).toBe(512 * mib);
  expect(data.count + zero.count).toBeLessThanOrEqual((64 * large.sizeBytes) / blockBytes);
});

test('L5 S9 S10 keeps no more ranges than it may: all that was named is in the work, and what was not is read or left alone', () => {
  fc.assert(
    fc.property(steps, fc.boolean(), fc.integer({ min: 4, max: 40 }), (list, whole, most) => {
      const all = namedBy(list);
      const kept = new ChangeList(geometry, whole, 16, most);
      for (const { kind, start, end } of all) kept.add(kind, start, end);
      const changes = kept.end();
      expect(changes.data.count + changes.zero.count).toBeLessThanOrEqual(most);
      const wanted = exact(all);
      // What is withheld is nobody's work.
      const { headEnd, tailStart } = geometry;
      const open = exact(all.filter(({ start, end }) => start >= headEnd && end <= tailStart));
      expect(open.data.minus(changes.data).count).toBe(0);
      // Only what was named to be cleared is zeros without a look.
      expect(changes.zero.minus(wanted.zero).count).toBe(0);
      if (!whole) expect(open.zero.minus(changes.zero).minus(changes.data).count).toBe(0);
      expect([changes.changedBytes, changes.fingerprint]).toEqual([
        wanted.changedBytes,
        collected(all, whole).fingerprint,
      ]);
    }),
    { numRuns: 60 },
  );
});

test('L5 a list of small changes all over a large disk is bounded, and no more is read than must be', () => {
  const large = geometryOf(256 * 1024 * mib, 'erp/os');
  const most = mostRangesOf(large);
  const [step, named] = [136 * 1024, 2 * most - 1_000];
  const list = new ChangeList(large, false);
  for (let at = 0; at < named; at++) list.add('data', at * step, at * step + 4096);
  const { data, changedBytes } = list.end();
  expect([most, changedBytes]).toEqual([2 ** 18, named * 4096]);
  expect(data.count).toBeLessThanOrEqual(most);
  expect(data.heldBytes).toBeLessThanOrEqual(32 * most);
  expect(data.total()).toBeLessThan(0.66 * named * step);
});
