/**
 * Reads written blocks back and compares each as a whole with what it must be: what the source gave, over what was
 * proven before. Rule: S3, through a handle opened after the flush, past the page cache; only an expected digest is
 * recorded, never one that was merely found. The same code serves a live window and one that a killed attempt left
 * durable. Never trusts a write.
 */
import { corrupt, Failure } from '../model/failure.ts';
import { blankWithheld, blockRange } from './geometry.ts';
import type { HeldDisk } from './held-disk.ts';
import type { DurableWindow, WrittenBlock } from './records.ts';
import type { FreshReader } from './target-handle.ts';

async function proveBlock(held: HeldDisk, reader: FreshReader, written: WrittenBlock, space: Buffer): Promise<string> {
  const { start, end } = blockRange(held.geometry, written.block);
  await reader.read(start, end - start, space);
  const bytes = space.subarray(0, end - start);
  blankWithheld(held.geometry, written.block, bytes);
  const found = held.digest.of(bytes).toString('base64');
  if (found === written.digest) return found;
  throw corrupt({
    op: 'proof',
    subject: held.subject,
    message: `block ${written.block} [${start}, ${end}) reads back as something else than was written and proven before`,
    hint: 'The target storage lost or changed a write; look at it, then copy the disk in full.',
  });
}

/** Proves a durable window and records it; a failed proof is recorded too, and ends the disk's lineage. */
export async function proveWindow(held: HeldDisk, window: DurableWindow): Promise<void> {
  const blocks: [number, string][] = [];
  const rest = window.blocks[Symbol.iterator]();
  const lane = async (reader: FreshReader): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      const written = next.value;
      const found = await held.memory.toRead((space) => proveBlock(held, reader, written, space));
      blocks.push([written.block, found]);
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
