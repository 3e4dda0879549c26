/**
 * How a disk is cut: a grid of 4 MiB blocks, and the two regions at its ends that are withheld while it is open.
 * Rule: ranges are half-open and in bytes, and computed by arithmetic on numbers. Never shifts an offset: `<<` is
 * 32 bits wide and wrong from 2 GiB on.
 */
import { refused } from '../model/failure.ts';

/** The unit of copying, proving and digesting; measured best between 1 and 8 MiB. */
export const blockBytes = 4 * 1024 * 1024;
/** What of a target is in memory at once while it is read back: half a block, since a block's digest is made of its leaves'. */
export const readBackBytes = 2 * 1024 * 1024;
/** The smallest unit any disk of ours can be addressed by. */
export const sectorBytes = 512;
/**
 * S4: the first and the last MiB are withheld while a disk is open. The first holds the boot sector, the primary
 * partition table and every superblock of an unpartitioned disk; the last one the backup table and the old RAID
 * superblocks. Partitions begin at 1 MiB by convention, so nothing large is delayed until the seal.
 */
export const withheldBytes = 1024 * 1024;

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Geometry {
  readonly sizeBytes: number;
  readonly blocks: number;
  /** [0, headEnd) and [tailStart, sizeBytes) are withheld; they never overlap and may cover the whole disk. */
  readonly headEnd: number;
  readonly tailStart: number;
}

/** Throws `Refused` for a size no disk can have. */
export function geometryOf(sizeBytes: number, subject: string): Geometry {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % sectorBytes !== 0) {
    throw refused({
      op: 'geometry',
      subject,
      message: `a disk cannot have ${sizeBytes} bytes`,
      hint: 'Sizes are whole sectors of 512 bytes; see what the sites report for this disk.',
    });
  }
  const headEnd = Math.min(withheldBytes, sizeBytes);
  return {
    sizeBytes,
    blocks: Math.ceil(sizeBytes / blockBytes),
    headEnd,
    tailStart: Math.max(headEnd, sizeBytes - withheldBytes),
  };
}

/** The block's bytes; the last one may be shorter. */
export function blockRange(geometry: Geometry, block: number): Range {
  const start = block * blockBytes;
  return { start, end: Math.min(start + blockBytes, geometry.sizeBytes) };
}

/** What of a range lies within another; where nothing does, it does not end behind its start. */
export const clipped = (range: Range, within: Range): Range => ({
  start: Math.max(range.start, within.start),
  end: Math.min(range.end, within.end),
});

/** The part of a block that may be written while the disk is open; empty when start equals end. */
export function writableRange(geometry: Geometry, block: number): Range {
  const { start, end } = blockRange(geometry, block);
  const from = Math.max(start, geometry.headEnd);
  return { start: from, end: Math.max(from, Math.min(end, geometry.tailStart)) };
}

/** The blocks that touch a withheld region, ascending: the first, and the last one or two. */
export function withheldBlocks(geometry: Geometry): number[] {
  const touched = new Set([0]);
  for (let block = Math.floor(geometry.tailStart / blockBytes); block < geometry.blocks; block++) touched.add(block);
  return [...touched].sort((a, b) => a - b);
}

/**
 * Blanks the withheld bytes among those of the disk's range as read back, so that the digest of an open disk's block does not
 * depend on the open marker. `bytes` begins where the range does.
 */
export function blankWithheld(geometry: Geometry, { start, end }: Range, bytes: Uint8Array): void {
  if (start < geometry.headEnd) bytes.fill(0, 0, Math.min(geometry.headEnd, end) - start);
  if (end > geometry.tailStart) bytes.fill(0, Math.max(geometry.tailStart, start) - start, end - start);
}
