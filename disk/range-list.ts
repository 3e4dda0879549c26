/**
 * Lists of ranges of a disk, and the changes of one that are made of two.
 * Rule: whatever the order in which ranges are added, `merged` is the same bytes in order. Never knows what a range means.
 */
import type { Range } from './geometry.ts';

/** Ranges in typed arrays (16 bytes each), since a large disk may have a million of them. */
export class RangeList {
  private starts = new Float64Array(64);
  private ends = new Float64Array(64);
  /** Whether each range begins behind the one before. */
  ordered = true;
  count = 0;

  /** The range at `index`; behind the last one there is one that begins nowhere. */
  at(index: number): Range {
    const [start, end] = [this.starts[index], this.ends[index]];
    if (index < this.count && start !== undefined && end !== undefined) return { start, end };
    return { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY };
  }

  add(start: number, end: number): void {
    if (end <= start) return;
    const last = this.count - 1;
    const { start: lastStart, end: lastEnd } = this.at(last);
    if (last >= 0 && start >= lastStart && start <= lastEnd) {
      this.ends[last] = Math.max(end, lastEnd);
      return;
    }
    if (last >= 0 && start < lastStart) this.ordered = false;
    if (this.count === this.starts.length) this.grow();
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.count++;
  }

  /** What it takes of memory. */
  get heldBytes(): number {
    return this.starts.byteLength + this.ends.byteLength;
  }

  /** Leaves the first `count` ranges. */
  cut(count: number): void {
    this.count = count;
  }

  private grow(): void {
    const starts = new Float64Array(this.count * 2);
    const ends = new Float64Array(this.count * 2);
    starts.set(this.starts);
    ends.set(this.ends);
    this.starts = starts;
    this.ends = ends;
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

  total(): number {
    let bytes = 0;
    for (let index = 0; index < this.count; index++) bytes += this.at(index).end - this.at(index).start;
    return bytes;
  }

  /** Start and end of each range, one after another: what two lists give together is what their one list gives. */
  bytes(): Uint8Array {
    const all = new Float64Array(2 * this.count);
    for (let index = 0; index < this.count; index++) {
      const { start, end } = this.at(index);
      all[2 * index] = start;
      all[2 * index + 1] = end;
    }
    return new Uint8Array(all.buffer);
  }
}

export interface Changes {
  /** Near ones are one: what lies between is read with them in any case (disk/block-plan.ts). */
  readonly data: RangeList;
  /** Never overlaps `data`: where both were named, the bytes themselves decide. */
  readonly zero: RangeList;
  /** What was named, and nothing of what lies between. */
  readonly changedBytes: number;
  /** The same for the same changes, however they were cut or ordered; a resumed round must find it again. */
  readonly fingerprint: string;
}
