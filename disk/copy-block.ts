/**
 * One block's way: look whether what it spares is sound, fetch its changes, write them as part of a window.
 * Rule: S3, a partly changed leaf is first compared with its proven digest, and brought whole when an earlier attempt left it
 * half written; then it is patched in memory and written in few pieces, zeros as holes. L7, between two calls a stop is heard.
 * Never starts a block’s write after the attempt was stopped or fenced.
 */
import { corrupt } from '../model/failure.ts';
import { untilAborted } from './attempts.ts';
import { type BlockJob, joined, lengthOf, zerosOf } from './block-plan.ts';
import type { Lent } from './block-pool.ts';
import { blankWithheld, blockRange, type Range, writableRange } from './geometry.ts';
import { refuseDamage } from './half-written.ts';
import type { HeldDisk } from './held-disk.ts';
import { piecesOf } from './holes.ts';
import { digestRange, leafDigests } from './leaves.ts';
import type { WrittenBlock } from './records.ts';
import { type SoundJob, soundJob } from './sound-block.ts';
import type { BlockWork, Windows } from './window.ts';

/** Disks and page caches work in pages; a smaller write is a read and a write for one of them. */
const pageBytes = 4096;
/** Writing through a gap below this is cheaper than one more call (some 50 µs against 2.5 GiB/s). */
const writeGapBytes = 128 * 1024;
/** A stop lets a block's writes end that are quicker, because of one half written the touched leaves are sent again (L2). */
const patienceMs = 1_000;

/** Puts the job's bytes over what the space holds of the block; positions are those within the block. */
async function fetchBlock(
  held: HeldDisk,
  job: BlockJob,
  { space, filledBy }: Lent,
  signal: AbortSignal,
  wasted: (bytes: number) => void,
): Promise<void> {
  const { start } = blockRange(held.geometry, job.block);
  const view = (range: Range): Buffer => space.subarray(range.start - start, range.end - start);
  for (const zeros of zerosOf(job)) view(zeros).fill(0);
  for (const range of job.reads) {
    const into = view(range);
    const read = held.options.source.read(range.start, into, signal, wasted);
    filledBy(read);
    await untilAborted(read, signal);
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

async function writeBlock(held: HeldDisk, { job, loaded, leaves }: SoundJob, space: Buffer): Promise<BlockWork> {
  const { geometry, digest, target } = held;
  const range = blockRange(geometry, job.block);
  const { start } = range;
  blankWithheld(geometry, range, space);
  for (const run of loaded)
    leaves.set(leafDigests(digest, space.subarray(run.start - start, run.end - start)), digestRange(run).start);
  const written: WrittenBlock = {
    block: job.block,
    parts: job.writes.map((range) => [range.start, range.end - range.start] as const),
    digest: digest.of(leaves).toString('base64'),
  };
  const bytesOf = (range: Range): Buffer => space.subarray(range.start - start, range.end - start);
  const begunAt = performance.now();
  for (const span of spansOf(held, job, loaded)) {
    for (const piece of piecesOf(span, bytesOf(span))) {
      // L7: what this leaves is what a kill leaves, and is mended like that (disk/half-written.ts).
      if (performance.now() - begunAt > patienceMs) held.signal.throwIfAborted();
      if (piece.hole) await target.clear(piece.start, bytesOf(piece));
      else await target.write(piece.start, bytesOf(piece));
    }
  }
  const copiedBytes = lengthOf(job.reads);
  const zeroedBytes = lengthOf(job.writes) - copiedBytes;
  return { written, touched: { runs: loaded, leaves }, copiedBytes, zeroedBytes, usedBytes: job.usedBytes ?? 0 };
}

/**
 * What is really written for a job: near parts as one, whole pages. The bytes between are in the space because their leaves
 * were read and found sound (S3), so they are written as they were; one call costs more than they do.
 */
function spansOf({ geometry, ledger }: HeldDisk, job: BlockJob, loaded: readonly Range[]): Range[] {
  const writable = writableRange(geometry, job.block);
  // S10: a target that was blank when its first list was taken up already has its zeros; the proof reads them all the same.
  const parts = ledger.state.blank === true ? job.reads : job.writes;
  const pages = parts.map(({ start, end }) => ({
    start: Math.max(writable.start, start - (start % pageBytes)),
    end: Math.min(writable.end, end + ((pageBytes - (end % pageBytes)) % pageBytes)),
  }));
  return loaded.flatMap((run) =>
    joined(
      pages.filter(({ start, end }) => start < run.end && end > run.start),
      writeGapBytes,
    ),
  );
}

/**
 * Brings one block. L5: what a limit holds back holds no memory that other disks could use, so what a repair brings besides,
 * and what was sent for nothing, is counted afterwards: the limit is passed by what one block costs again, and the next one
 * waits the longer.
 */
export async function copyBlock(
  held: HeldDisk,
  planned: BlockJob,
  windows: Windows,
  signal: AbortSignal,
): Promise<void> {
  const pace = async (bytes: number): Promise<void> => held.options.pace?.(bytes, signal);
  for (const { start, end } of planned.reads) await pace(end - start);
  let uncounted = 0;
  const besides = (bytes: number): void => {
    uncounted += bytes;
  };
  try {
    const bring = async (lent: Lent, { job, doubted, ...sound }: SoundJob): Promise<void> => {
      await fetchBlock(held, job, lent, signal, besides);
      if (doubted !== undefined) await refuseDamage(held, planned, doubted, lent.space, signal);
      noteRepair(held, planned, job);
      besides(lengthOf(job.reads) - lengthOf(planned.reads));
      await windows.run(lengthOf(sound.loaded), signal, () => writeBlock(held, { job, ...sound }, lent.space));
    };
    const look = (lent: Lent): Promise<SoundJob> => soundJob(held, planned, lent.space, signal);
    // L5: what only clears waits for no source's trial; what turns out to need a repair begins anew, as one that asks its source.
    const cleared =
      planned.reads.length === 0 &&
      (await held.memory.toClear(signal, async (lent) => {
        const sound = await look(lent);
        if (sound.job.reads.length > 0) return false;
        await bring(lent, sound);
        return true;
      }));
    if (!cleared) await held.memory.toFetch(held.options.source, signal, async (lent) => bring(lent, await look(lent)));
  } catch (error) {
    // What ended the block is told, whatever the wait for the limit ends with.
    if (uncounted > 0) await pace(uncounted).catch(() => undefined);
    throw error;
  }
  if (uncounted > 0) await pace(uncounted);
}

function noteRepair({ meter }: HeldDisk, planned: BlockJob, { reads, writes }: BlockJob): void {
  if (reads === planned.reads) return;
  meter.repair(lengthOf(writes) - lengthOf(planned.writes), lengthOf(reads) - lengthOf(planned.reads));
}
