/**
 * Blocks as they lie on a target, through memory that holds only a piece of one.
 * Rule: pieces begin at multiples of their length, so that each begins where a leaf and a page do. S3, past the page cache where
 * the reader is a fresh one. Never holds more of a block in memory than one piece.
 */
import type { Digest } from './digest.ts';
import type { DiskMemory } from './disk-memory.ts';
import { blankWithheld, blockRange, clipped, type Geometry, type Range, readBackBytes } from './geometry.ts';
import { digestRange, leafDigests } from './leaves.ts';
import type { FreshReader } from './target-handle.ts';

/** A range in pieces that fit into memory to read back into, ascending; the first and the last may be shorter. */
export function* readBackPieces({ start, end }: Range): Generator<Range, void, undefined> {
  for (let at = start; at < end; ) {
    const next = Math.min(end, at - (at % readBackBytes) + readBackBytes);
    yield { start: at, end: next };
    at = next;
  }
}

/** What of ascending ranges lies in a piece. */
export const partsIn = (piece: Range, ranges: readonly Range[]): Range[] =>
  ranges.map((range) => clipped(range, piece)).filter(({ start, end }) => start < end);

interface OnDisk {
  readonly memory: DiskMemory;
  readonly geometry: Geometry;
  readonly digest: Digest;
}

/**
 * The digests of a block's leaves as they lie on the disk, one after another, what is withheld counting as zeros. With `stop`:
 * undefined when it was stopped between two reads.
 */
export async function leavesOnDisk(held: OnDisk, reader: FreshReader, block: number): Promise<Buffer>;
export async function leavesOnDisk(
  held: OnDisk,
  reader: FreshReader,
  block: number,
  stop: AbortSignal,
): Promise<Buffer | undefined>;
export async function leavesOnDisk(
  { memory, geometry, digest }: OnDisk,
  reader: FreshReader,
  block: number,
  stop?: AbortSignal,
): Promise<Buffer | undefined> {
  const range = blockRange(geometry, block);
  const leaves = Buffer.alloc(digestRange(range).end);
  return memory.toRead(async (space) => {
    for (const piece of readBackPieces(range)) {
      // Before the first one it is the caller who looks.
      if (piece.start > range.start && stop?.aborted) return undefined;
      const length = piece.end - piece.start;
      await reader.read(piece.start, length, space);
      const bytes = space.subarray(0, length);
      blankWithheld(geometry, piece, bytes);
      leaves.set(leafDigests(digest, bytes), digestRange(piece).start);
    }
    return leaves;
  });
}
