/**
 * Lists of ranges of a disk, and the changes of one that are made of two.
 * Rule: whatever the order in which ranges are added, `merged` is the same bytes in order. Never knows what a range means.
 */
import type { Range } from './geometry.ts';

/** Ranges in a piece of 128 KiB, which the allocator gives back as soon as it is free (setup/process-options.json). */
const aPiece = 8192;
const smallest = 64;
const none: Piece = new Float64Array(0);
const nowhere: Range = { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY };

/** Start and end of each range, one after another. */
export type Piece = Float64Array<ArrayBuffer>;

/** 16 bytes a range, in pieces, since a large disk may have a million of them. */
export class RangeList {
  /** All but the last are full; only the first may be smaller than others. */
  private readonly pieces: Piece[] = [];
  private readonly spare: Piece[];
  /** Pieces that are left behind. */
  private left = 0;
  /** Whether each range begins behind the one before. */
  ordered = true;
  count = 0;

  /** `spare`: pieces to be used before new ones are asked for. */
  constructor(spare: Piece[] = []) {
    this.spare = spare;
  }

  /** The range at `index`; behind the last one there is one that begins nowhere. */
  at(index: number): Range {
    if (index >= this.count) return nowhere;
    const [piece, at] = [this.pieces[Math.floor(index / aPiece)], 2 * (index % aPiece)];
    const [start, end] = [piece?.[at], piece?.[at + 1]];
    return start === undefined || end === undefined ? nowhere : { start, end };
  }

  add(start: number, end: number): void {
    if (end <= start) return;
    if (this.count > 0) {
      const last = this.at(this.count - 1);
      if (start >= last.start && start <= last.end) {
        this.put(this.count - 1, last.start, Math.max(end, last.end));
        return;
      }
      if (start < last.start) this.ordered = false;
    }
    this.put(this.count, start, end);
    this.count++;
  }

  /** What it takes of memory. */
  get heldBytes(): number {
    return this.pieces.reduce((bytes, piece) => bytes + piece.byteLength, 0);
  }

  /** Leaves the first `count` ranges. */
  cut(count: number): void {
    this.count = count;
  }

  /** Nothing before `index` is looked at again: its memory is `spare`. */
  leaveBehind(index: number, spare: Piece[]): void {
    for (; this.left < this.pieces.length && (this.left + 1) * aPiece <= index; this.left++) {
      const [piece] = this.pieces.splice(this.left, 1, none);
      if (piece?.length === 2 * aPiece) spare.push(piece);
    }
  }

  private put(index: number, start: number, end: number): void {
    const [number, at] = [Math.floor(index / aPiece), 2 * (index % aPiece)];
    let piece = this.pieces[number];
    if (piece === undefined) piece = this.spare.pop() ?? new Float64Array(2 * (number === 0 ? smallest : aPiece));
    else if (at >= piece.length) {
      const larger = new Float64Array(2 * piece.length);
      larger.set(piece);
      piece = larger;
    }
    piece[at] = start;
    piece[at + 1] = end;
    this.pieces[number] = piece;
  }

  /** The same bytes, ascending, without overlap; neighbours that touch are one. */
  merged(): RangeList {
    if (this.ordered) return this;
    const order = Uint32Array.from({ length: this.count }, (_, index) => index);
    order.sort((a, b) => this.at(a).start - this.at(b).start);
    const list = new RangeList();
    for (const index of order) list.add(this.at(index).start, this.at(index).end);
    return list;
  }

  /** What is here and not in `other`; both merged. */
  minus(other: RangeList): RangeList {
    if (!this.meets(other)) return this;
    const list = new RangeList();
    let cut = 0;
    for (let index = 0; index < this.count; index++) {
      let { start, end } = this.at(index);
      while (cut > 0 && other.at(cut - 1).end > start) cut--;
      while (cut < other.count && other.at(cut).end <= start) cut++;
      for (let next = cut; next < other.count && other.at(next).start < end; next++) {
        list.add(start, other.at(next).start);
        start = Math.max(start, other.at(next).end);
      }
      end = Math.max(start, end);
      list.add(start, end);
    }
    return list;
  }

  private meets(other: RangeList): boolean {
    for (let [mine, its] = [0, 0]; mine < this.count && its < other.count; ) {
      const [one, two] = [this.at(mine), other.at(its)];
      if (one.start < two.end && two.start < one.end) return true;
      if (one.end < two.end) mine++;
      else its++;
    }
    return false;
  }

  total(): number {
    let bytes = 0;
    for (let index = 0; index < this.count; index++) bytes += this.at(index).end - this.at(index).start;
    return bytes;
  }
}

export interface Changes {
  /** Near ones are one: what lies between is read with them in any case (disk/block-plan.ts). */
  readonly data: RangeList;
  /** Never overlaps `data`: where both were named, the bytes themselves decide. */
  readonly zero: RangeList;
  /** What was named, and nothing of what lies between. */
  readonly changedBytes: number;
  /** Below it the gap between two of `data` is read with them; that of the attempt, so that another one may have another. */
  readonly joinGapBytes: number;
  /** The same for the same changes, however they were cut or ordered; a resumed round must find it again. */
  readonly fingerprint: string;
}
