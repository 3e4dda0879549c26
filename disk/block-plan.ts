/**
 * From a list of changes to the work on each block of the grid: what to read from the source, what to write.
 * Rule: a whole map decides about every writable byte (what is not named becomes zeros, S10); a delta touches only
 * what was named, and gap bytes that were read from the same point (S9). Never reaches into a withheld region (S4).
 */
import { inFewer, type Named } from './coarser.ts';
import { blockBytes, type Geometry, type Range, writableRange } from './geometry.ts';
import type { Changes, RangeList } from './range-list.ts';
import { Turn } from './turn.ts';

/** Reading through a gap below this is cheaper than one more request, however fast the way (60 MiB/s and 500 requests/s a blob). */
export const widestJoinBytes = 128 * 1024;
/** A request and its answer have more than half of this in headers alone. */
const narrowestJoinBytes = 4096;
/** What one more request costs a disk, in seconds: six are on their way at once, some 60 ms each. */
const requestSeconds = 0.01;
/** A block in more pieces than this is cut less fine: bounds its requests, the journal's lines and the system calls. */
export const maxPieces = 64;

/** The gap in bytes below which two reads are one, where so many bytes a second may pass; undefined: as many as can. */
export const joinGapAt = (bytesPerSecond = Number.POSITIVE_INFINITY): number =>
  Math.round(Math.min(widestJoinBytes, Math.max(narrowestJoinBytes, bytesPerSecond * requestSeconds)));

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

/** What of a job's writes is not read: zeros, all of it. Both ascend. */
export function* zerosOf({ reads, writes }: Pick<BlockJob, 'reads' | 'writes'>): Generator<Range, void, undefined> {
  let next = 0;
  for (const { start, end } of writes) {
    let at = start;
    for (let read = reads[next]; read && read.start < end; read = reads[next]) {
      if (read.start > at) yield { start: at, end: read.start };
      at = Math.max(at, read.end);
      if (read.end > end) break;
      next++;
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
    else out.push({ start: range.start, end: range.end });
  }
  return out;
}

/** A block in part: `data` read from the source, also where `zero`, which is cleared, names it. Both may be unordered. */
export function partOf(block: number, data: readonly Range[], zero: readonly Range[], gap: number): BlockJob {
  const job = jobOf(block, joined(data, gap), zero);
  const zeros = [...zerosOf(job)];
  if (job.reads.length + zeros.length <= maxPieces) return job;
  const pieces = inFewer([...job.reads.map(toRead), ...zeros.map(toClear)], maxPieces);
  const ofKind = (kind: Named['kind']): Named[] => pieces.filter((piece) => piece.kind === kind);
  return jobOf(block, joined(ofKind('data'), gap), ofKind('zero'));
}

const jobOf = (block: number, reads: readonly Range[], zeros: readonly Range[]): BlockJob => ({
  ...{ block, reads },
  writes: joined([...reads, ...zeros], 1),
});

const toRead = ({ start, end }: Range): Named => ({ kind: 'data', start, end });
const toClear = ({ start, end }: Range): Named => ({ kind: 'zero', start, end });

/** The work in ascending order of blocks; blocks without any are left out. `whole`: a full map, not a delta. */
export function* blockWork(
  geometry: Geometry,
  changes: Changes,
  whole: boolean,
): Generator<BlockWork, void, undefined> {
  const { joinGapBytes } = changes;
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
      if (touched && writable.start < writable.end)
        yield whole
          ? { block, reads: joined(named, joinGapBytes), writes: [writable] }
          : partOf(block, named, cleared, joinGapBytes);
    }
    block = Math.max(block + 1, zeroEnd);
    if (whole) continue;
    // A delta of a large disk is mostly untouched blocks; go to the next one that is named.
    const offset = Math.min(data.next(block * blockBytes), zero.next(block * blockBytes));
    block = Number.isFinite(offset) ? Math.max(block, Math.floor(offset / blockBytes)) : geometry.blocks;
  }
}

/** What a piece of a block costs to plan, in looks at a range (disk/turn.ts): it is put in order, joined and told. */
export const looksAPiece = 10;

/** The same work, in turns with all else that the process does. Throws the reason of `signal`. */
export async function* inTurns(
  list: Iterable<BlockWork>,
  signal: AbortSignal,
): AsyncGenerator<BlockWork, void, undefined> {
  const turn = new Turn();
  for (const work of list) {
    const pieces = isZeroRun(work) ? 0 : work.reads.length + work.writes.length;
    if (turn.isOver(1 + looksAPiece * pieces)) {
      await turn.next();
      signal.throwIfAborted();
    }
    yield work;
  }
}
