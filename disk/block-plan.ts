/**
 * From a list of changes to the work on each block of the grid: what to read from the source, what to write.
 * Rule: a whole map decides about every writable byte (what is not named becomes zeros, S10); a delta touches only
 * what was named, and gap bytes that were read from the same point (S9). Never reaches into a withheld region (S4).
 */
import { blockBytes, type Geometry, type Range, writableRange } from './geometry.ts';
import type { Changes, RangeList } from './range-list.ts';
import { Turn } from './turn.ts';

/** Reading through a gap below this is cheaper than one more request (60 MiB/s and 500 requests/s a blob). */
export const joinGapBytes = 128 * 1024;
/** A block cut finer than this is read whole: bounds the journal's lines and the system calls. */
export const maxWrites = 64;

export interface BlockJob {
  readonly block: number;
  /** Read from the source, ascending. All other bytes of `writes` are zeros. */
  readonly reads: readonly Range[];
  /** Written to the target, ascending. */
  readonly writes: readonly Range[];
  /** What of it was found written by others, in whole leaves (disk/used-disk.ts). */
  readonly usedBytes?: number;
}

/** Whole blocks that must be zeros, `count` of them from `first` on. */
export interface ZeroRun {
  readonly first: number;
  readonly count: number;
}

export type BlockWork = BlockJob | ZeroRun;

export const isZeroRun = (work: BlockWork): work is ZeroRun => 'count' in work;

export const lengthOf = (ranges: readonly Range[]): number =>
  ranges.reduce((bytes, { start, end }) => bytes + end - start, 0);

/** What of a job's writes is not read: zeros, all of it. */
export function* zerosOf({ reads, writes }: Pick<BlockJob, 'reads' | 'writes'>): Generator<Range, void, undefined> {
  for (const { start, end } of writes) {
    let at = start;
    for (const read of reads) {
      if (read.start > at && read.start < end) yield { start: at, end: read.start };
      if (read.start < end) at = Math.max(at, read.end);
    }
    if (at < end) yield { start: at, end };
  }
}

/** A walk over an ordered list that gives what lies inside a window; windows must ascend. */
class Walk {
  private index = 0;
  private readonly list: RangeList;
  constructor(list: RangeList) {
    this.list = list;
  }
  inside(window: Range): Range[] {
    const found: Range[] = [];
    while (this.index < this.list.count && this.list.at(this.index).end <= window.start) this.index++;
    for (let next = this.index; next < this.list.count && this.list.at(next).start < window.end; next++) {
      const { start, end } = this.list.at(next);
      found.push({ start: Math.max(start, window.start), end: Math.min(end, window.end) });
    }
    return found;
  }
  /** Where the next range not behind `offset` begins. */
  next(offset: number): number {
    while (this.index < this.list.count && this.list.at(this.index).end <= offset) this.index++;
    return Math.max(offset, this.list.at(this.index).start);
  }
  /** The end of the range `offset` lies in, or `offset`. */
  endAt(offset: number): number {
    return this.next(offset) === offset ? Math.max(offset, this.list.at(this.index).end) : offset;
  }
}

/** Joins ranges whose gap is smaller than `gap`; 1 joins only those that touch or overlap. Input may be unordered. */
export function joined(ranges: readonly Range[], gap: number): Range[] {
  const out: { start: number; end: number }[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = out.at(-1);
    if (last !== undefined && range.start - last.end < gap) last.end = Math.max(last.end, range.end);
    else out.push({ ...range });
  }
  return out;
}

function jobFor(block: number, writable: Range, data: Range[], zero: Range[], whole: boolean): BlockJob {
  const reads = joined(data, joinGapBytes);
  if (whole) return { block, reads, writes: [writable] };
  return partOf(block, data, zero);
}

/** A block in part: `data` read from the source, `zero` cleared. Both may be unordered. */
export function partOf(block: number, data: readonly Range[], zero: readonly Range[]): BlockJob {
  const reads = joined(data, joinGapBytes);
  const writes = joined([...reads, ...zero], 1);
  const [first, last] = [writes[0], writes.at(-1)];
  if (writes.length > maxWrites && first !== undefined && last !== undefined) {
    const span = { start: first.start, end: last.end };
    return { block, reads: [span], writes: [span] };
  }
  return { block, reads, writes };
}

/** The work in ascending order of blocks; blocks without any are left out. `whole`: a full map, not a delta. */
export function* blockWork(
  geometry: Geometry,
  changes: Changes,
  whole: boolean,
): Generator<BlockWork, void, undefined> {
  const data = new Walk(changes.data);
  const zero = new Walk(changes.zero);
  const [firstWhole, endWhole] = [
    Math.ceil(geometry.headEnd / blockBytes),
    Math.floor(geometry.tailStart / blockBytes),
  ];
  let block = 0;
  while (block < geometry.blocks) {
    const start = block * blockBytes;
    // What is zeros by the map is one piece of work, however long: most of a large disk may be that.
    const zerosEnd = whole ? data.next(start) : zero.endAt(start);
    const zeroEnd = block < firstWhole ? block : Math.min(endWhole, Math.floor(zerosEnd / blockBytes));
    if (zeroEnd > block) yield { first: block, count: zeroEnd - block };
    else {
      const writable = writableRange(geometry, block);
      const [named, cleared] = [data.inside(writable), zero.inside(writable)];
      const touched = whole || named.length + cleared.length > 0;
      if (touched && writable.start < writable.end) yield jobFor(block, writable, named, cleared, whole);
    }
    block = Math.max(block + 1, zeroEnd);
    if (whole) continue;
    // A delta of a large disk is mostly untouched blocks; go to the next one that is named.
    const offset = Math.min(data.next(block * blockBytes), zero.next(block * blockBytes));
    block = Number.isFinite(offset) ? Math.max(block, Math.floor(offset / blockBytes)) : geometry.blocks;
  }
}

/** The same work, in turns with all else that the process does. Throws the reason of `signal`. */
export async function* inTurns(
  list: Iterable<BlockWork>,
  signal: AbortSignal,
): AsyncGenerator<BlockWork, void, undefined> {
  const turn = new Turn();
  for (const work of list) {
    if (turn.isOver(isZeroRun(work) ? 1 : 1 + work.writes.length)) {
      await turn.next();
      signal.throwIfAborted();
    }
    yield work;
  }
}
