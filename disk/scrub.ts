/**
 * Reads a whole target disk again and compares every block with its recorded digest, at no cost to the source.
 * Rule: S3, past the page cache and block by block; on an open disk the withheld regions are left out of it.
 * Never writes to the disk, and never replaces a recorded digest by what it found.
 */
import { corrupt } from '../model/failure.ts';
import { blankWithheld, blockRange, writableRange } from './geometry.ts';
import type { HeldDisk } from './held-disk.ts';

/** Throws `Corrupt` at the first block that is not what was proven. Returns the bytes read. */
export async function scrubBlocks(held: HeldDisk): Promise<number> {
  const { target, geometry, ledger, buffers, digest, signal, subject, meter } = held;
  let bytesRead = 0;
  let next = 0;
  await target.withFresh(async (reader) => {
    const lane = async (space: Buffer): Promise<void> => {
      while (next < geometry.blocks) {
        const block = next++;
        signal.throwIfAborted();
        const writable = writableRange(geometry, block);
        if (writable.start === writable.end) continue;
        const { start, end } = blockRange(geometry, block);
        await reader.read(start, end - start, space);
        const bytes = space.subarray(0, end - start);
        blankWithheld(geometry, block, bytes);
        bytesRead += end - start;
        meter.done(end - start);
        if (digest.of(bytes).equals(ledger.table.digestOf(block))) continue;
        throw corrupt({
          op: 'scrub',
          subject,
          message: `block ${block} [${start}, ${end}) is no longer what was proven`,
          hint: 'Something else wrote to the disk, or its storage lost bytes; find out, then copy the disk in full.',
        });
      }
    };
    const lanes = await Promise.allSettled(buffers.readBack.map(lane));
    for (const result of lanes) if (result.status === 'rejected') throw result.reason;
  });
  return bytesRead;
}
