/**
 * The changes of a disk as the source names them, brought into order: sorted, merged, whole sectors, data before zero.
 * Rule: S10, a cleared range is a change like any other and becomes zeros; a range nobody names is left alone in a
 * delta and is zeros in a whole map. Never trusts the order, and never takes a range outside the disk.
 */
import { corrupt } from '../model/failure.ts';
import { ChangeList, type ListOptions } from './change-list.ts';
import { geometryOf, type Range, sectorBytes } from './geometry.ts';
import type { Extent } from './point-reader.ts';
import type { Changes } from './range-list.ts';

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

export interface ListedDisk extends Pick<ListOptions, 'whole' | 'joinGapBytes'> {
  readonly sizeBytes: number;
  readonly subject: string;
  /** Called once when the list turns out longer than most are, before more of it is read. */
  long?(): void;
}

/**
 * Reads the whole list; `whole`: a map of all the disk, not a delta. Throws `Corrupt` when a range lies outside the disk, and
 * whatever the source or `long` throws.
 */
export async function collectChanges(extents: AsyncIterable<Extent>, disk: ListedDisk): Promise<Changes> {
  const { sizeBytes, subject } = disk;
  const list = new ChangeList(geometryOf(sizeBytes, subject), disk);
  let asked = false;
  for await (const extent of extents) {
    const { start, end } = checked(extent, sizeBytes, subject);
    if (start === end) continue;
    if (extent.kind === 'data') list.add('data', down(start), up(end));
    else if (up(start) >= down(end)) list.add('data', down(start), up(end));
    else {
      // S10: a sector that is only partly cleared is read, never assumed.
      list.add('data', down(start), up(start));
      list.add('zero', up(start), down(end));
      list.add('data', down(end), up(end));
    }
    if (list.long && !asked) {
      asked = true;
      disk.long?.();
    }
    if (list.full) await list.settle();
  }
  return list.end();
}
