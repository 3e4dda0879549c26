/**
 * Reads written blocks back and compares what was touched with what it must be: what the source gave, over what was proven
 * before. Rule: S3, through a handle opened after the flush, past the page cache; only an expected digest is recorded, never
 * one that was merely found. A window that a killed attempt left durable is compared block by block as a whole: which leaves
 * it touched died with it. Never trusts a write.
 */
import { corrupt, Failure } from '../model/failure.ts';
import { joined } from './block-plan.ts';
import { blankWithheld, blockRange, type Range } from './geometry.ts';
import type { HeldDisk } from './held-disk.ts';
import { digestRange, leafDigests, readGapBytes } from './leaves.ts';
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

/** Compares the touched leaves; what lies between two of them may be read, and says nothing. */
async function proveLeaves(
  held: HeldDisk,
  reader: FreshReader,
  block: number,
  { runs, leaves }: TouchedLeaves,
): Promise<void> {
  const { start } = blockRange(held.geometry, block);
  await held.memory.toRead(async (space) => {
    for (const run of joined(runs, readGapBytes))
      await reader.read(run.start, run.end - run.start, space.subarray(run.start - start));
    blankWithheld(held.geometry, block, space);
    for (const run of runs) {
      const found = leafDigests(held.digest, space.subarray(run.start - start, run.end - start));
      const must = digestRange(run);
      if (!found.equals(leaves.subarray(must.start, must.end))) throw wrong(held, run, block);
    }
  });
  await held.leafFile.write(block, leaves);
}

/** Compares a whole block. */
async function proveBlock(held: HeldDisk, reader: FreshReader, { block, digest }: WrittenBlock): Promise<void> {
  const range = blockRange(held.geometry, block);
  const leaves = await held.memory.toRead(async (space) => {
    await reader.read(range.start, range.end - range.start, space);
    const bytes = space.subarray(0, range.end - range.start);
    blankWithheld(held.geometry, block, bytes);
    return leafDigests(held.digest, bytes);
  });
  if (held.digest.of(leaves).toString('base64') !== digest) throw wrong(held, range, block);
  await held.leafFile.write(block, leaves);
}

/**
 * Proves a durable window and records it; a failed proof is recorded too, and ends the disk's lineage. `touched`: by block,
 * what this attempt wrote of it; whole blocks are read where it does not say.
 */
export async function proveWindow(
  held: HeldDisk,
  window: DurableWindow,
  touched?: ReadonlyMap<number, TouchedLeaves>,
): Promise<void> {
  const blocks: [number, string][] = [];
  const rest = window.blocks[Symbol.iterator]();
  const lane = async (reader: FreshReader): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      const { block, digest } = next.value;
      const written = touched?.get(block);
      if (written !== undefined) await proveLeaves(held, reader, block, written);
      else await proveBlock(held, reader, next.value);
      blocks.push([block, digest]);
    }
  };
  try {
    await held.target.withFresh((reader) => held.memory.readingLanes(() => lane(reader)));
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Corrupt') {
      await held.ledger.append({ t: 'broken', because: error.message });
    }
    throw error;
  }
  await held.ledger.append({ t: 'proven', window: window.window, blocks });
}
