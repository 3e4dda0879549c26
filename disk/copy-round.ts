/**
 * The copy loop: fetch a block's changes, write them, let the window prove them. Lanes share one list of jobs.
 * Rule: L2, a block this round has already proven is not sent again. S3, a partly changed block is first compared with
 * its proven digest and written whole when it differs. S10, a block known to be zero is read first and written only
 * when it is not. Never starts a write after the attempt was stopped or fenced.
 */
import { corrupt, Failure } from '../model/failure.ts';
import { untilAborted } from './attempts.ts';
import { type BlockJob, blockJobs, lengthOf } from './block-plan.ts';
import { isAllZero } from './buffers.ts';
import type { Changes } from './extents.ts';
import { blankWithheld, blockRange, type Range, writableRange } from './geometry.ts';
import { type HeldDisk, lanesOf } from './held-disk.ts';
import { proveWindow } from './proof.ts';
import type { WrittenBlock } from './records.ts';
import { type BlockWork, Windows } from './window.ts';

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
  meter.repair(spared);
  return { block: job.block, reads: [writable], writes: [writable] };
}

/** Puts the job's bytes over what `space` holds of the block; positions are those within the block. */
async function fetchBlock(held: HeldDisk, job: BlockJob, space: Buffer, signal: AbortSignal): Promise<void> {
  const { start } = blockRange(held.geometry, job.block);
  const view = (range: Range): Buffer => space.subarray(range.start - start, range.end - start);
  if (lengthOf(job.reads) < lengthOf(job.writes)) for (const range of job.writes) view(range).fill(0);
  const abandon = (): void => {
    held.buffers.spoiled = true;
  };
  for (const range of job.reads) {
    const into = view(range);
    await held.options.pace?.(into.byteLength, signal);
    await untilAborted(held.options.source.read(range.start, into, signal), signal, abandon);
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
  const parts = job.writes.map((range) => space.subarray(range.start - start, range.end - start));
  const [only] = job.writes;
  const wholeBlock = only !== undefined && only.start === start && only.end === end;
  const written: WrittenBlock = {
    block: job.block,
    parts: job.writes.map((range) => [range.start, range.end - range.start] as const),
    digest: held.digest.of(whole).toString('base64'),
  };
  const copiedBytes = lengthOf(job.reads);
  const counts = { copiedBytes, zeroedBytes: lengthOf(job.writes) - copiedBytes };
  if (job.reads.length === 0 && wholeBlock) {
    // S10: stale bytes must go, but a hole that already reads as zeros need not be filled.
    await held.target.read(start, end - start, space);
    if (isAllZero(whole)) return { written: { ...written, seenZero: true }, ...counts };
    whole.fill(0);
  }
  for (const [index, range] of job.writes.entries()) await held.target.write(range.start, parts[index] ?? space);
  return { written, ...counts };
}

async function runLanes(held: HeldDisk, jobs: Iterator<BlockJob>, windows: Windows): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([held.signal, stop.signal]);
  const lane = async (space: Buffer): Promise<void> => {
    for (let next = jobs.next(); !next.done; next = jobs.next()) {
      signal.throwIfAborted();
      const job = await soundJob(held, next.value, space);
      await fetchBlock(held, job, space, signal);
      const { start, end } = blockRange(held.geometry, job.block);
      await windows.run(end - start, () => {
        signal.throwIfAborted();
        return writeBlock(held, job, space);
      });
    }
  };
  let first: { error: unknown } | undefined;
  const watched = held.buffers.lanes.slice(0, lanesOf(held.options)).map((space) =>
    lane(space).catch((error: unknown) => {
      first ??= { error };
      stop.abort(error);
    }),
  );
  await Promise.all(watched);
  if (first !== undefined) throw first.error;
}

/** The jobs that are left; what is proven already is counted and left out. */
function* remaining(
  held: HeldDisk,
  changes: Changes,
  whole: boolean,
  skipped: (job: BlockJob) => void,
): Generator<BlockJob, void, undefined> {
  for (const job of blockJobs(held.geometry, changes, whole)) {
    if (held.ledger.table.isProvenInRound(job.block)) skipped(job);
    else yield job;
  }
}

/** L7: what was written is made durable and proven even when the attempt ends badly, unless the disk is not ours. */
async function drainAfter(error: unknown, windows: Windows): Promise<void> {
  if (error instanceof Failure && (error.kind === 'Fenced' || error.kind === 'Corrupt')) return windows.settle();
  try {
    await windows.drain();
  } catch (second) {
    // A finding of the proof outranks whatever stopped us; any other second error adds nothing to the first.
    if (second instanceof Failure && second.kind === 'Corrupt') throw second;
  }
}

function noteRepairs({ meter, subject, options }: HeldDisk): void {
  if (meter.repairedBlocks === 0) return;
  options.note?.(`${subject}: ${meter.repairedBlocks} block(s) were no longer what was proven and were copied whole`);
}

/** Copies all changes and proves them. Returns the bytes of changes an earlier attempt had already brought. */
export async function copyRound(held: HeldDisk, changes: Changes, whole: boolean): Promise<number> {
  let total = 0;
  for (const job of blockJobs(held.geometry, changes, whole)) total += lengthOf(job.writes);
  held.meter.enter('proving', total);
  for (const window of held.ledger.state.unproven) {
    held.signal.throwIfAborted();
    await proveWindow(held, window);
  }
  held.meter.enter('copying', total);
  let resumedBytes = 0;
  const jobs = remaining(held, changes, whole, (job) => {
    resumedBytes += lengthOf(job.reads);
    held.meter.done(lengthOf(job.writes), false);
  });
  const windows = new Windows(held);
  try {
    await runLanes(held, jobs, windows);
    held.meter.enter('proving');
    await windows.drain();
  } catch (error) {
    await drainAfter(error, windows);
    throw error;
  } finally {
    noteRepairs(held);
  }
  return resumedBytes;
}
