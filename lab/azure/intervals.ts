/**
 * A set of byte ranges [from, to), kept sorted and merged: what was written, what was cleared.
 * Rule: ranges never overlap and never touch; it knows nothing about what the bytes are.
 */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export class Intervals {
  private ranges: Range[];

  constructor(ranges: readonly Range[] = []) {
    this.ranges = [...ranges];
  }

  /** The first range that ends at or behind `offset`. */
  private firstTouching(offset: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.ranges[middle]?.to ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(from: number, to: number): void {
    if (to <= from) return;
    const start = this.firstTouching(from);
    let end = start;
    let merged: Range = { from, to };
    for (let next = this.ranges[end]; next && next.from <= to; next = this.ranges[++end])
      merged = { from: Math.min(merged.from, next.from), to: Math.max(merged.to, next.to) };
    this.ranges.splice(start, end - start, merged);
  }

  remove(from: number, to: number): void {
    if (to <= from) return;
    const start = this.firstTouching(from);
    const kept: Range[] = [];
    let end = start;
    for (let next = this.ranges[end]; next && next.from < to; next = this.ranges[++end]) {
      if (next.from < from) kept.push({ from: next.from, to: Math.min(next.to, from) });
      if (next.to > to) kept.push({ from: Math.max(next.from, to), to: next.to });
    }
    this.ranges.splice(start, end - start, ...kept);
  }

  addAll(other: Intervals): void {
    for (const range of other.ranges) this.add(range.from, range.to);
  }

  removeAll(other: Intervals): void {
    for (const range of other.ranges) this.remove(range.from, range.to);
  }

  /** The parts inside [from, to), ascending. */
  within(from: number, to: number): Range[] {
    const found: Range[] = [];
    for (let index = this.firstTouching(from); index < this.ranges.length; index++) {
      const range = this.ranges[index];
      if (!range || range.from >= to) break;
      const clipped = { from: Math.max(range.from, from), to: Math.min(range.to, to) };
      if (clipped.to > clipped.from) found.push(clipped);
    }
    return found;
  }

  copy(): Intervals {
    return new Intervals(this.ranges);
  }
}

/** What happened to a disk between two moments. */
export interface Change {
  readonly written: Intervals;
  readonly cleared: Intervals;
}

export const noChange = (): Change => ({ written: new Intervals(), cleared: new Intervals() });

/** Adds a later change to an earlier one, in place: what came last decides. */
export function follow(earlier: Change, later: Change): void {
  earlier.written.removeAll(later.cleared);
  earlier.cleared.removeAll(later.written);
  earlier.written.addAll(later.written);
  earlier.cleared.addAll(later.cleared);
}
