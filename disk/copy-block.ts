/**
 * One block's way: look whether it is sound, fetch its changes, write them as part of a window.
 * Rule: S3, a partly changed block is first compared with its proven digest and copied whole when it differs; then it is
 * patched in memory and written in few pieces. Never starts a write after the attempt was stopped or fenced.
 */
import { corrupt } from '../model/failure.ts';
import { untilAborted } from './attempts.ts';
import { type BlockJob, joined, lengthOf } from './block-plan.ts';
import type { Lent } from './block-pool.ts';
import { blankWithheld, blockRange, type Range, writableRange } from './geometry.ts';
import type { HeldDisk } from './held-disk.ts';
import type { WrittenBlock } from './records.ts';
import type { BlockWork, Windows } from './window.ts';

/** Disks and page caches work in pages; a smaller write is a read and a write for one of them. */
const pageBytes = 4096;
/** Writing through a gap below this is cheaper than one more call (some 50 µs against 2.5 GiB/s). */
const writeGapBytes = 128 * 1024;

/**
 * S3: what a partial write leaves alone must be what was proven. Reads the block into `space` and answers the job as it
 * is, or, when the block differs (damaged, or half written by a killed attempt), the same block as the point has it.
 */
async function soundJob(held: HeldDisk, job: BlockJob, space: Buffer): Promise<BlockJob> {
  const { geometry, target, digest, meter } = held;
  const { table } = held.ledger;
  const writable = writableRange(geometry, job.block);
  const spared = writable.end - writable.start - lengthOf(job.writes);
  if (spared === 0) return job;
  const { start, end } = blockRange(geometry, job.block);
  await target.read(start, end - start, space);
  const bytes = space.subarray(0, end - start);
  blankWithheld(geometry, job.block, bytes);
  if (table.isKnown(job.block) && digest.of(bytes).equals(table.digestOf(job.block))) return job;
  meter.repair(spared, writable.end - writable.start - lengthOf(job.reads));
  return { block: job.block, reads: [writable], writes: [writable] };
}

/** Puts the job's bytes over what the space holds of the block; positions are those within the block. */
async function fetchBlock(held: HeldDisk, job: BlockJob, { space, until }: Lent, signal: AbortSignal): Promise<void> {
  const { start } = blockRange(held.geometry, job.block);
  const view = (range: Range): Buffer => space.subarray(range.start - start, range.end - start);
  if (lengthOf(job.reads) < lengthOf(job.writes)) for (const range of job.writes) view(range).fill(0);
  for (const range of job.reads) {
    const into = view(range);
    const read = held.options.source.read(range.start, into, signal);
    await untilAborted(read, signal, () => until(read));
    if (into.byteLength !== range.end - range.start) {
      throw corrupt({
        op: 'source.read',
        subject: held.subject,
        message: `the source took away the buffer for [${range.start}, ${range.end})`,
        hint: 'This is a defect of the source reader; report it.',
      });
    }
  }
}

async function writeBlock(held: HeldDisk, job: BlockJob, space: Buffer): Promise<BlockWork> {
  const { start, end } = blockRange(held.geometry, job.block);
  const whole = space.subarray(0, end - start);
  blankWithheld(held.geometry, job.block, whole);
  const written: WrittenBlock = {
    block: job.block,
    parts: job.writes.map((range) => [range.start, range.end - range.start] as const),
    digest: held.digest.of(whole).toString('base64'),
  };
  for (const range of spansOf(held, job))
    await held.target.write(range.start, space.subarray(range.start - start, range.end - start));
  const copiedBytes = lengthOf(job.reads);
  return { written, copiedBytes, zeroedBytes: lengthOf(job.writes) - copiedBytes };
}

/**
 * What is really written for a job: near parts as one, whole pages. The bytes between are in the space because the block
 * was read and found sound (S3), so they are written as they were; one call costs more than they do.
 */
function spansOf({ geometry, ledger }: HeldDisk, job: BlockJob): Range[] {
  const writable = writableRange(geometry, job.block);
  // S10: a target that was blank when its first list was taken up already has its zeros; the proof reads them all the same.
  const parts = ledger.state.blank === true ? job.reads : job.writes;
  const pages = parts.map(({ start, end }) => ({
    start: Math.max(writable.start, start - (start % pageBytes)),
    end: Math.min(writable.end, end + ((pageBytes - (end % pageBytes)) % pageBytes)),
  }));
  return joined(pages, writeGapBytes);
}

/** Brings one block. L5: what a limit holds back holds no memory that other disks could use. */
export async function copyBlock(
  held: HeldDisk,
  planned: BlockJob,
  windows: Windows,
  signal: AbortSignal,
): Promise<void> {
  const pace = async (bytes: number): Promise<void> => held.options.pace?.(bytes, signal);
  for (const { start, end } of planned.reads) await pace(end - start);
  await held.memory.toFetch(signal, async (lent) => {
    const job = await soundJob(held, planned, lent.space);
    if (job !== planned) await pace(lengthOf(job.reads) - lengthOf(planned.reads));
    await fetchBlock(held, job, lent, signal);
    const { start, end } = blockRange(held.geometry, job.block);
    await windows.run(end - start, () => {
      signal.throwIfAborted();
      return writeBlock(held, job, lent.space);
    });
  });
}
