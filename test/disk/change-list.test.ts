/**
 * The list of changes while it arrives: bounded, and the work is what it would be if every range had been kept.
 * Rule: the comparison is with a map of the disk, a mark a sector, that knows nothing of lists.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { blockWork, inTurns, joinGapAt } from '../../disk/block-plan.ts';
import { ChangeList, type ListOptions, mostRangesOf } from '../../disk/change-list.ts';
import { coarser } from '../../disk/coarser.ts';
import { blockBytes, geometryOf } from '../../disk/geometry.ts';
import { type Changes, RangeList } from '../../disk/range-list.ts';
import { mib } from './workbench.ts';

const gib = 1024 * mib;
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const geometry = geometryOf(16 * mib, 'erp/os');

/** Nobody's work. */
const withheld = new RangeList();
withheld.add(0, geometry.headEnd);
withheld.add(geometry.tailStart, geometry.sizeBytes);

interface Named {
  readonly kind: 'data' | 'zero';
  readonly start: number;
  readonly end: number;
}

/** Small ranges close to each other, as a database leaves them; some gaps are wider than what is read through. */
const gap = fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0, max: 24 }) }, fc.integer({ min: 200, max: 900 }));
/** The first `count` steps of a disk, 4 KiB of each. */
function* small(count: number, step: number, kindOf: (at: number) => Named['kind']): Generator<Named> {
  for (let at = 0; at < count; at++) yield { kind: kindOf(at), start: at * step, end: at * step + 4096 };
}

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

async function filled(list: ChangeList, all: Iterable<Named>): Promise<Changes> {
  for (const { kind, start, end } of all) {
    list.add(kind, start, end);
    if (list.full) await list.settle();
  }
  return list.end();
}

const collected = (all: readonly Named[], options: ListOptions): Promise<Changes> =>
  filled(new ChangeList(geometry, options), all);

/** What is near enough to be fetched as one, without a limit and under some. */
const joinGaps = fc.constantFrom(joinGapAt(), joinGapAt(2 * mib), joinGapAt(1));

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
  async (whole) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), joinGaps, async (list, entries, joinGapBytes) => {
        const all = namedBy(list);
        const early = { whole, joinGapBytes, onTheirWay: 16 };
        const changes = await collected(inPieces(all, entries), early);
        const wanted = exact(all);
        expect([...blockWork(geometry, changes, whole)]).toEqual([
          ...blockWork(geometry, { ...wanted, joinGapBytes, fingerprint: '' }, whole),
        ]);
        expect(changes.changedBytes).toBe(wanted.changedBytes);
        // Whatever is fetched with what was named.
        expect(changes.fingerprint).toBe((await collected([...all].reverse(), { whole })).fingerprint);
        // However late a range comes, it is in the work.
        const late = await collected([...all].reverse(), early);
        const missed = exact(all).data.minus(late.data.merged()).count;
        expect(missed).toBe(0);
        expect([late.data.ordered, late.zero.ordered]).toEqual([true, true]);
        // Nothing that was to be read is zeros because it is named anew.
        const anew = [...all, ...all.map((one) => ({ ...one, kind: 'zero' as const }))];
        expect((await collected(anew, early)).zero.minus(wanted.zero).minus(withheld).count).toBe(0);
      }),
      { numRuns: 40 },
    );
  },
);

test.each<[string, (at: number) => Named['kind']]>([
  ['to be read', () => 'data'],
  ['to be cleared', () => 'zero'],
  ['to be read and to be cleared in turn', (at) => (at % 2 === 0 ? 'data' : 'zero')],
])('L5 keeps at most 64 ranges a block of a disk whose every other 4 KiB is named %s', async (_, kindOf) => {
  const large = geometryOf(gib, 'erp/os');
  const named = small(large.sizeBytes / 8192, 8192, kindOf);
  const { data, zero, changedBytes } = await filled(new ChangeList(large), named);
  expect(changedBytes).toBe(512 * mib);
  expect(data.count + zero.count).toBeLessThanOrEqual((64 * large.sizeBytes) / blockBytes);
});

test('L5 S9 S10 keeps no more ranges than it may: all that was named is in the work, and what was not is read or left alone', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), fc.integer({ min: 4, max: 40 }), async (list, whole, most) => {
      const all = namedBy(list);
      const changes = await filled(new ChangeList(geometry, { whole, onTheirWay: 16, kept: most }), all);
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
        (await collected(all, { whole })).fingerprint,
      ]);
    }),
    { numRuns: 60 },
  );
});

test('L5 the nearest are joined first, and no more of them than must be', async () => {
  const lists = { data: new RangeList(), zero: new RangeList() };
  for (const { start, end } of small(64, 8 * mib, () => 'data')) lists.data.add(start, end);
  for (const { start, end } of small(64, mib, () => 'data')) lists.data.add(start + gib, end + gib);
  const { data, zero } = await coarser(lists, 100, []);
  expect([data.count, zero.count]).toEqual([100, 0]);
  expect(data.total()).toBe(128 * 4096 + 28 * (mib - 4096));
});

/** A range is looked at several times in a turn. */
const looksAllowed = 1_200_000;

/** What `work` takes: the most memory of arrays in use, and the most ranges it looks at without a pause for others. */
async function cost(work: () => Promise<unknown>): Promise<{ bytes: number; looks: number }> {
  const look = RangeList.prototype.at;
  const bytesInUse = (): number => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const before = bytesInUse();
  const most = { bytes: 0, looks: 0 };
  let [looks, sinceTurn] = [0, 0];
  RangeList.prototype.at = function at(index) {
    if (++looks % 100_000 === 0) most.bytes = Math.max(most.bytes, bytesInUse() - before);
    most.looks = Math.max(most.looks, ++sinceTurn);
    return look.call(this, index);
  };
  let turn = setImmediate(function begins() {
    sinceTurn = 0;
    turn = setImmediate(begins);
  });
  try {
    await work();
  } finally {
    clearImmediate(turn);
    RangeList.prototype.at = look;
  }
  return most;
}

test('L5 a list of small changes all over a large disk is bounded, and no more is read than must be', async () => {
  const large = geometryOf(256 * gib, 'erp/os');
  const most = mostRangesOf(large);
  const [step, named] = [136 * 1024, 2 * most - 1_000];
  const { data, changedBytes } = await filled(
    new ChangeList(large),
    small(named, step, () => 'data'),
  );
  expect([most, changedBytes]).toEqual([2 ** 18, named * 4096]);
  expect(data.count).toBeLessThanOrEqual(most);
  expect(data.heldBytes).toBeLessThanOrEqual(17 * most);
  expect(data.total()).toBeLessThan(0.66 * named * step);
});

test.each<[string, (at: number) => Named['kind']]>([
  ['to be read', () => 'data'],
  ['to be read and to be cleared in turn', (at) => (at % 2 === 0 ? 'data' : 'zero')],
])('L5 changes %s are bounded in the memory that their list may have, and in turns with others', async (_, kindOf) => {
  const large = geometryOf(256 * gib, 'erp/os');
  const most = mostRangesOf(large);
  const { bytes, looks } = await cost(() => filled(new ChangeList(large), small(most + 20_000, 900 * 1024, kindOf)));
  expect(bytes).toBeLessThan(16 * most + 3 * mib);
  expect(looks).toBeLessThan(looksAllowed);
});

test('L5 the work of a large disk is told in turns with others, and a stop is heard in between', async () => {
  const large = geometryOf(1024 * gib, 'erp/os');
  const changes = await filled(
    new ChangeList(large),
    small(240_000, 4 * mib, () => 'data'),
  );
  const stop = new AbortController();
  let told = 0;
  const walk = async (): Promise<void> => {
    for await (const _ of inTurns(blockWork(large, changes, false), stop.signal)) told++;
  };
  expect((await cost(walk)).looks).toBeLessThan(looksAllowed);
  // The first lies in what is withheld.
  expect(told).toBe(239_999);
  setImmediate(() => stop.abort(new RangeError('a pause')));
  await expect(walk()).rejects.toThrow('a pause');
});
