/**
 * Whether blocks of a target still are what was proven: read again past the page cache and compared with their digests.
 * Rule: S3, block by block; on an open disk the withheld regions are left out of it. A finding is in the disk's record
 * before it is told, so that no delta and no seal can pass it by.
 * Never writes to the disk, and never replaces a recorded digest by what it found.
 */
import { corrupt, type Failure } from '../model/failure.ts';
import type { Digest } from './digest.ts';
import type { DigestTable } from './digest-table.ts';
import type { DiskMemory } from './disk-memory.ts';
import { blockRange, type Geometry, writableRange } from './geometry.ts';
import type { DiskTask, HeldDisk } from './held-disk.ts';
import { leavesOnDisk } from './read-back.ts';
import type { FreshReader } from './target-handle.ts';

/** What is compared with what, and where it is read into. */
export interface Proven {
  readonly memory: DiskMemory;
  readonly geometry: Geometry;
  readonly table: DigestTable;
  readonly digest: Digest;
  readonly subject: string;
}

/** Bytes of a block that a scrub has to look at: none where the whole block is withheld. */
export function scrubbedBytes(geometry: Geometry, block: number): number {
  const writable = writableRange(geometry, block);
  if (writable.start === writable.end) return 0;
  const { start, end } = blockRange(geometry, block);
  return end - start;
}

/** Reads one block and answers what is wrong with it, or undefined. */
export async function damageIn(proven: Proven, block: number, reader: FreshReader): Promise<Failure | undefined> {
  const { geometry, table, digest, subject } = proven;
  const { start, end } = blockRange(geometry, block);
  // L5: nobody waits for the mover's own storage with memory in hand that other disks read back into.
  const must = await table.digestOf(block);
  const found = digest.of(await leavesOnDisk(proven, reader, block));
  if (found.equals(must)) return undefined;
  return corrupt({
    op: 'scrub',
    subject,
    message: `block ${block} [${start}, ${end}) is no longer what was proven`,
    hint: 'Something else wrote to the disk, or its storage lost bytes: find out which. The disk has to be copied in full.',
  });
}

/** Reads all of a held disk; throws `Corrupt` at the first block that is not what was proven; to record that is the caller's. */
export async function scrubBlocks(held: HeldDisk<DiskTask>): Promise<void> {
  const { target, geometry, ledger, memory, signal, meter } = held;
  const proven = { ...held, table: ledger.table };
  let next = 0;
  let found: Failure | undefined;
  await target.withFresh((reader) =>
    memory.readingLanes(async () => {
      while (next < geometry.blocks && found === undefined) {
        const block = next++;
        signal.throwIfAborted();
        const bytes = scrubbedBytes(geometry, block);
        if (bytes === 0) continue;
        const damage = await damageIn(proven, block, reader);
        found ??= damage;
        meter.done(bytes);
      }
    }),
  );
  if (found !== undefined) throw found;
}
