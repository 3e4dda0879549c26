/**
 * Reads written blocks back and compares what was touched with what it must be: what the source gave, over what was proven
 * before. Rule: S3, through a handle opened after the flush, past the page cache; only an expected digest is recorded, never
 * one that was merely found, and a window only once all of it was looked at. What a killed or stopped attempt left durable is
 * compared block by block as a whole: which leaves it touched died with it. L7, a stop waits for no more than the reads that
 * are on their way. Never trusts a write.
 */
import { corrupt, Failure } from '../model/failure.ts';
import { joined } from './block-plan.ts';
import { blankWithheld, blockRange, type Range } from './geometry.ts';
import type { HeldDisk } from './held-disk.ts';
import { digestRange, leafDigests, readGapBytes } from './leaves.ts';
import { leavesOnDisk, partsIn, readBackPieces } from './read-back.ts';
import type { DurableWindow, WrittenBlock } from './records.ts';
import type { FreshReader } from './target-handle.ts';

/** What was written of one block. */
export interface TouchedLeaves {
  /** Whole leaves, ascending. */
  readonly runs: readonly Range[];
  /** Digests of all leaves of the block, those that `runs` must have among them. */
  readonly leaves: Buffer;
}

function wrong(held: HeldDisk, { start, end }: Range, block: number): Failure {
  return corrupt({
    op: 'proof',
    subject: held.subject,
    message: `block ${block} [${start}, ${end}) reads back as something else than was written and proven before`,
    hint: 'The target storage lost or changed a write; look at it, then copy the disk in full.',
  });
}

/**
 * Compares the touched leaves; what lies between two of them may be read, and says nothing. Answers the digests of the block's
 * leaves; undefined when it was stopped.
 */
async function proveLeaves(
  held: HeldDisk,
  reader: FreshReader,
  block: number,
  { runs, leaves }: TouchedLeaves,
): Promise<Buffer | undefined> {
  return held.memory.toRead(async (space) => {
    for (const piece of readBackPieces(blockRange(held.geometry, block))) {
      const { start } = piece;
      const parts = partsIn(piece, runs);
      for (const part of joined(parts, readGapBytes)) {
        if (held.signal.aborted) return undefined;
        await reader.read(part.start, part.end - part.start, space.subarray(part.start - start));
      }
      blankWithheld(held.geometry, piece, space);
      for (const part of parts) {
        const found = leafDigests(held.digest, space.subarray(part.start - start, part.end - start));
        const must = digestRange(part);
        if (!found.equals(leaves.subarray(must.start, must.end))) throw wrong(held, part, block);
      }
    }
    return leaves;
  });
}

/** Compares a whole block; answers the digests of its leaves, undefined when it was stopped. */
async function proveBlock(
  held: HeldDisk,
  reader: FreshReader,
  { block, digest }: WrittenBlock,
): Promise<Buffer | undefined> {
  const leaves = await leavesOnDisk(held, reader, block, held.signal);
  if (leaves !== undefined && held.digest.of(leaves).toString('base64') !== digest)
    throw wrong(held, blockRange(held.geometry, block), block);
  return leaves;
}

/**
 * Proves a durable window and records it; a failed proof is recorded too, and ends the disk's lineage. `touched`: by block,
 * what this attempt wrote of it; whole blocks are read where it does not say. Answers false when the attempt was stopped
 * meanwhile: the window stays unproven, and the next attempt begins with it. That is no error, so that what else was written
 * is still made durable.
 */
export async function proveWindow(
  held: HeldDisk,
  window: DurableWindow,
  touched?: ReadonlyMap<number, TouchedLeaves>,
): Promise<boolean> {
  if (held.signal.aborted) return false;
  const blocks: [number, string][] = [];
  const remembered: Promise<void>[] = [];
  const rest = window.blocks[Symbol.iterator]();
  const lane = async (reader: FreshReader): Promise<void> => {
    for (let next = rest.next(); !next.done && !held.signal.aborted; next = rest.next()) {
      const { block, digest } = next.value;
      const written = touched?.get(block);
      const leaves =
        written === undefined
          ? await proveBlock(held, reader, next.value)
          : await proveLeaves(held, reader, block, written);
      if (leaves === undefined) return;
      blocks.push([block, digest]);
      // The next block need not wait for it.
      remembered.push(held.leafFile.write(block, leaves));
    }
  };
  try {
    await held.target.withFresh((reader) => held.memory.readingLanes(() => lane(reader)));
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Corrupt') {
      await held.ledger.append({ t: 'broken', because: error.message });
    }
    throw error;
  } finally {
    await Promise.all(remembered);
  }
  if (blocks.length < window.blocks.length) return false;
  await held.ledger.append({ t: 'proven', window: window.window, blocks });
  return true;
}
