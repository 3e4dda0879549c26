/**
 * The changes of a disk as the source names them, brought into order: sorted, merged, whole sectors, data before zero.
 * Rule: S10, a cleared range is a change like any other and becomes zeros; a range nobody names is left alone in a
 * delta and is zeros in a whole map. Never trusts the order, and never takes a range outside the disk.
 */
import { createHash } from 'node:crypto';
import { corrupt } from '../model/failure.ts';
import { type Range, sectorBytes } from './geometry.ts';
import type { Extent } from './point-reader.ts';

/** Ranges in typed arrays (16 bytes each), since a large disk may have a million of them. */
export class RangeList {
  private starts = new Float64Array(64);
  private ends = new Float64Array(64);
  private ordered = true;
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

  bytes(): Uint8Array[] {
    const size = this.count * Float64Array.BYTES_PER_ELEMENT;
    return [new Uint8Array(this.starts.buffer, 0, size), new Uint8Array(this.ends.buffer, 0, size)];
  }
}

export interface Changes {
  readonly data: RangeList;
  /** Never overlaps `data`: where both were named, the bytes themselves decide. */
  readonly zero: RangeList;
  readonly changedBytes: number;
  /** The same for the same changes, however they were cut or ordered; a resumed round must find it again. */
  readonly fingerprint: string;
}

function checked(extent: Extent, sizeBytes: number, subject: string): Range {
  const { offset, length } = extent;
  const end = offset + length;
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && end <= sizeBytes) {
    return { start: offset, end };
  }
  throw corrupt({
    op: 'changes',
    subject,
    message: `the source named [${offset}, ${end}) on a disk of ${sizeBytes} bytes`,
    hint: 'Compare the sizes of the source disk and of its snapshot (a container footer is no part of the disk).',
  });
}

const down = (value: number): number => value - (value % sectorBytes);
const up = (value: number): number => down(value + sectorBytes - 1);

/** Reads the whole list. Throws `Corrupt` when a range lies outside the disk, and whatever the source throws. */
export async function collectChanges(
  extents: AsyncIterable<Extent>,
  sizeBytes: number,
  subject: string,
): Promise<Changes> {
  const data = new RangeList();
  const zero = new RangeList();
  for await (const extent of extents) {
    const { start, end } = checked(extent, sizeBytes, subject);
    if (start === end) continue;
    if (extent.kind === 'data') data.add(down(start), up(end));
    else if (up(start) >= down(end)) data.add(down(start), up(end));
    else {
      // S10: a sector that is only partly cleared is read, never assumed.
      data.add(down(start), up(start));
      zero.add(up(start), down(end));
      data.add(down(end), up(end));
    }
  }
  const merged = data.merged();
  const cleared = zero.merged().minus(merged);
  const hash = createHash('sha256').update(`${sizeBytes} ${merged.count} ${cleared.count} `);
  for (const part of [...merged.bytes(), ...cleared.bytes()]) hash.update(part);
  return {
    data: merged,
    zero: cleared,
    changedBytes: merged.total() + cleared.total(),
    fingerprint: hash.digest('hex').slice(0, 32),
  };
}
