/**
 * The list of a disk's changes while it arrives, kept small: what the plan will fetch as one is one range here.
 * Rule: the plan made of the kept list is the one made of all that was named (disk/block-plan.ts), or where that would be too
 * many ranges one that reads more (disk/coarser.ts); what was named is counted and fingerprinted exactly. L5: at most four
 * ranges for each block of 4 MiB are kept, 65,536 of a small disk and a quarter of a million of any, and 65,536 are on their way; 16 bytes
 * each, in memory that is used again, and in turns with others. A list that runs back by more than 16,384 ranges may count twice
 * what it names twice, may be planned otherwise where a block has too many pieces, and is sorted in one turn: Azure's ascend.
 */
import { createHash } from 'node:crypto';
import { looksAPiece, maxPieces, partOf, widestJoinBytes, zerosOf } from './block-plan.ts';
import { coarser, type NamedRanges, rangesIn } from './coarser.ts';
import { blockBytes, blockRange, clipped, type Geometry, type Range, writableRange } from './geometry.ts';
import { RangeHash } from './range-hash.ts';
import { type Changes, type Piece, RangeList } from './range-list.ts';
import { Turn } from './turn.ts';

/** A piece of Azure's list has up to 10,000 ranges, and those that are cleared follow those that are read. */
const onTheirWay = 65_536;
/**
 * A blob gives 500 requests a second or 60 MiB/s: so many ranges take as many as nine minutes, and to read 1 TiB five hours, so
 * that joining a part of them costs less than it looks. 4 MiB.
 */
const mostKept = 2 ** 18;
const keptABlock = 4;

const aRange = 16;
/** As most lists are: 16,384 ranges. */
export const shortListBytes = 256 * 1024;
export const largestListBytes = aRange * (mostKept + onTheirWay);

export const mostRangesOf = ({ blocks }: Geometry): number =>
  Math.min(mostKept, Math.max(onTheirWay, keptABlock * blocks));

type Kind = 'data' | 'zero';

const blockOf = (offset: number): number => Math.floor(offset / blockBytes);

export interface ListOptions {
  readonly whole?: boolean;
  readonly joinGapBytes?: number;
  /** Most ranges on their way, and most that are kept; the defaults suit, less are for tests. */
  readonly onTheirWay?: number;
  readonly kept?: number;
}

export class ChangeList {
  private readonly geometry: Geometry;
  private readonly whole: boolean;
  /** As named, until no more is to come so low. */
  private named: NamedRanges;
  private kept: NamedRanges;
  /** Memory of lists that are used up. */
  private readonly spare: Piece[] = [];
  /** Where what was settled ends, and whether anything came that lies before that: it may be in what is kept already. */
  private settledEnd = 0;
  private late = false;
  private readonly hashes = { data: new RangeHash(), zero: new RangeHash() };
  private changedBytes = 0;
  /** The block that is being kept now. */
  private block = 0;
  private readonly turn = new Turn();
  private readonly most: number;
  private readonly mostKept: number;

  private readonly joinGapBytes: number;

  /** `whole`: a map of all the disk. `joinGapBytes`: what is nearer is fetched as one (disk/block-plan.ts). */
  constructor(geometry: Geometry, { whole = false, joinGapBytes = widestJoinBytes, ...bounds }: ListOptions = {}) {
    this.geometry = geometry;
    this.whole = whole;
    this.joinGapBytes = joinGapBytes;
    this.most = bounds.onTheirWay ?? onTheirWay;
    this.mostKept = bounds.kept ?? mostRangesOf(geometry);
    this.named = this.lists();
    this.kept = this.lists();
  }

  add(kind: Kind, start: number, end: number): void {
    this.named[kind].add(start, end);
  }

  /** Longer than most are. */
  get long(): boolean {
    return aRange * (rangesIn(this.named) + rangesIn(this.kept)) > shortListBytes;
  }

  /** Then it is to be settled before more is added. */
  get full(): boolean {
    return rangesIn(this.named) >= this.most;
  }

  async end(): Promise<Changes> {
    await this.settle(true);
    await this.enter(this.geometry.blocks);
    this.spare.length = 0;
    return {
      ...this.apart(),
      changedBytes: this.changedBytes,
      joinGapBytes: this.joinGapBytes,
      fingerprint: createHash('sha256')
        .update(`${this.geometry.sizeBytes} ${this.hashes.data.end()} ${this.hashes.zero.end()}`)
        .digest('hex')
        .slice(0, 32),
    };
  }

  /** Keeps the lower half of what was named, or all of it. */
  async settle(all = false): Promise<void> {
    const data = this.named.data.merged();
    const zero = this.named.zero.merged().minus(data);
    const more = data.count >= zero.count ? data : zero;
    const until = all ? Number.POSITIVE_INFINITY : more.at(Math.floor(more.count / 2)).start;
    this.named = this.lists();
    for (let [d, z] = [0, 0]; d < data.count || z < zero.count; ) {
      const kind = data.at(d).start < zero.at(z).start ? 'data' : 'zero';
      const { start, end } = kind === 'data' ? data.at(d++) : zero.at(z++);
      if (end >= until) this.named[kind].add(start, end);
      else {
        this.hashes[kind].add(start, end);
        if (blockOf(start) > this.block) await this.enter(blockOf(start));
        this.keep(kind, start, end);
      }
      if (this.turn.isOver()) await this.turn.next();
    }
    for (const list of [data, zero]) list.leaveBehind(Number.POSITIVE_INFINITY, this.spare);
  }

  private lists(): NamedRanges {
    return { data: new RangeList(this.spare), zero: new RangeList(this.spare) };
  }

  private async enter(block: number): Promise<void> {
    if (this.turn.isOver(looksAPiece * this.closeBlock())) await this.turn.next();
    if (rangesIn(this.kept) > this.mostKept) await this.bound();
    this.block = block;
  }

  private keep(kind: Kind, start: number, end: number): void {
    this.changedBytes += end - start;
    if (start < this.settledEnd) this.late = true;
    this.settledEnd = Math.max(this.settledEnd, end);
    if (kind === 'data') this.keepData(start, end);
    // What a whole map does not name as data becomes zeros anyway.
    else if (!this.whole) this.kept.zero.add(start, end);
  }

  private keepData(start: number, end: number): void {
    const { data, zero } = this.kept;
    const before = data.count === 0 ? undefined : data.at(data.count - 1).end;
    const joins = before !== undefined && this.near(before, start);
    data.add(joins ? before : start, end);
    if (!joins) return;
    // S10: what was cleared between the two is read with them, and is zeros at the point.
    while (zero.count > 0 && zero.at(zero.count - 1).start >= before && zero.at(zero.count - 1).end <= start)
      zero.cut(zero.count - 1);
  }

  /** By a quarter at once, so that it is seldom done. */
  private async bound(): Promise<void> {
    this.kept = await coarser(this.apart(), Math.floor(this.mostKept * 0.75), this.spare);
  }

  /** What is kept, in order, and nothing in both lists. */
  private apart(): NamedRanges {
    if (!this.late) return this.kept;
    const data = this.kept.data.merged();
    return { data, zero: this.kept.zero.merged().minus(data) };
  }

  /** Whether the plan reads through the gap between the two. */
  private near(before: number, start: number): boolean {
    if (start < before || start - before >= this.joinGapBytes || blockOf(before - 1) !== blockOf(start)) return false;
    const { headEnd, tailStart } = this.geometry;
    return [headEnd, tailStart].every((edge) => before > edge || start < edge);
  }

  /** A block in so many pieces that the plan makes fewer of them is in those here. Answers how many they were. */
  private closeBlock(): number {
    const { data, zero } = this.kept;
    if (this.late || this.whole) return 0;
    const range = blockRange(this.geometry, this.block);
    const first = { data: firstBehind(data, range.start), zero: firstBehind(zero, range.start) };
    const pieces = data.count - first.data + zero.count - first.zero;
    if (pieces <= maxPieces) return 0;
    const writable = writableRange(this.geometry, this.block);
    const [named, cleared] = [inside(data, first.data, writable), inside(zero, first.zero, writable)];
    const job = partOf(this.block, named, cleared, this.joinGapBytes);
    replaceFrom(data, first.data, job.reads, range);
    replaceFrom(zero, first.zero, [...zerosOf(job)], range);
    return pieces;
  }
}

/** Of an ordered list: the first range that reaches behind `offset`. */
function firstBehind(list: RangeList, offset: number): number {
  let index = list.count;
  while (index > 0 && list.at(index - 1).end > offset) index--;
  return index;
}

function inside(list: RangeList, first: number, within: Range): Range[] {
  const found: Range[] = [];
  for (let index = first; index < list.count; index++) {
    const part = clipped(list.at(index), within);
    if (part.start < part.end) found.push(part);
  }
  return found;
}

/** Puts `ranges` in the place of what lies within `block`, from the range `first` on; what reaches beyond it stays. */
function replaceFrom(list: RangeList, first: number, ranges: readonly Range[], block: Range): void {
  if (first < list.count) {
    const [before, after] = [list.at(first), list.at(list.count - 1)];
    list.cut(first);
    list.add(before.start, Math.min(before.end, block.start));
    for (const { start, end } of ranges) list.add(start, end);
    list.add(Math.max(after.start, block.end), after.end);
  } else for (const { start, end } of ranges) list.add(start, end);
}
