/**
 * The copy loop: lanes share one list of work, a block or a run of zeros at a time, and let the windows prove it.
 * Rule: L2, what this round has already proven is not sent again. Never lets an attempt end while one of its lanes may
 * still touch the disk.
 */
import { Failure } from '../model/failure.ts';
import { type BlockWork, blockWork, inTurns, isZeroRun, lengthOf } from './block-plan.ts';
import { copyBlock } from './copy-block.ts';
import { blockBytes } from './geometry.ts';
import { type HeldDisk, lanesOf } from './held-disk.ts';
import { proveWindow } from './proof.ts';
import type { Changes } from './range-list.ts';
import { refuseUnprovenRound } from './round-proven.ts';
import { allLooked, copyUsed, type UsedRun, usedWork } from './used-disk.ts';
import { Windows } from './window.ts';
import { clearRun, recordBlank, splitRun } from './zero-runs.ts';

/** Work of a round, an item of it to each lane at a time. */
interface Jobs<Work> {
  readonly list: AsyncIterator<Work>;
  act(work: Work, windows: Windows, signal: AbortSignal): Promise<void>;
}

async function runLanes<Work>(held: HeldDisk, { list, act }: Jobs<Work>, windows: Windows): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([held.signal, stop.signal]);
  const lane = async (): Promise<void> => {
    for (let next = await list.next(); !next.done; next = await list.next()) {
      signal.throwIfAborted();
      await act(next.value, windows, signal);
    }
  };
  let first: { error: unknown } | undefined;
  const watched = Array.from({ length: lanesOf(held.options) }, () =>
    lane().catch((error: unknown) => {
      first ??= { error };
      stop.abort(error);
    }),
  );
  await Promise.all(watched);
  if (first !== undefined) throw first.error;
}

/** The work that is left; what is proven already is counted and left out. Long runs of zeros come in pieces. */
async function* remaining(
  held: HeldDisk,
  changes: Changes,
  whole: boolean,
  skipped: Skipped,
): AsyncGenerator<BlockWork, void, undefined> {
  const { table } = held.ledger;
  for await (const work of inTurns(blockWork(held.geometry, changes, whole), held.signal)) {
    if (!isZeroRun(work)) {
      if (table.isProvenInRound(work.block)) skipped(lengthOf(work.writes), lengthOf(work.reads));
      else yield work;
      continue;
    }
    for (const { first, count, proven } of splitRun(table, work)) {
      if (proven) skipped(count * blockBytes, 0);
      else yield { first, count };
    }
  }
}

/**
 * L7: what was written is made durable even when the attempt ends badly, unless the disk is not ours; and proven, unless the
 * attempt was stopped.
 */
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
  options.note?.(
    `${subject}: ${meter.repairedBlocks} block(s) had been left half written by an earlier attempt and were mended`,
  );
}

/** Bytes the round has to make right or to look at, and those of them that it has to fetch. */
async function planned(held: HeldDisk, changes: Changes, whole: boolean): Promise<{ writes: number; reads: number }> {
  const { geometry, ledger, signal } = held;
  const total = { writes: ledger.state.round?.used ? allLooked(held) : 0, reads: 0 };
  for await (const work of inTurns(blockWork(geometry, changes, whole), signal)) {
    total.writes += isZeroRun(work) ? work.count * blockBytes : lengthOf(work.writes);
    if (!isZeroRun(work)) total.reads += lengthOf(work.reads);
  }
  return whole ? { ...total, writes: geometry.tailStart - geometry.headEnd } : total;
}

type Skipped = (bytes: number, sentBytes: number) => void;

const namedJobs = (held: HeldDisk, changes: Changes, whole: boolean, skipped: Skipped): Jobs<BlockWork> => ({
  list: remaining(held, changes, whole, skipped),
  act: (work, windows, signal) =>
    isZeroRun(work) ? clearRun(held, work, windows, signal) : copyBlock(held, work, windows, signal),
});

/** Of a disk that was in use every block is looked at. */
const usedJobs = (held: HeldDisk, changes: Changes, skipped: Skipped): Jobs<UsedRun> => ({
  list: usedWork(held, changes, skipped),
  act: (run, windows, signal) => copyUsed(held, run, windows, signal),
});

/** Copies all changes and proves them. Returns the bytes of changes an earlier attempt had already brought. */
export async function copyRound(held: HeldDisk, changes: Changes, whole: boolean): Promise<number> {
  const { writes, reads } = await planned(held, changes, whole);
  held.meter.fetchBytes = reads;
  held.meter.enter('proving', writes);
  for (const window of held.ledger.state.unproven) {
    held.signal.throwIfAborted();
    await proveWindow(held, window);
  }
  if (whole) await recordBlank(held, changes);
  held.meter.enter('copying');
  let resumedBytes = 0;
  const skipped = (bytes: number, sentBytes: number): void => {
    resumedBytes += sentBytes;
    held.meter.done(bytes, false);
  };
  const windows = new Windows(held);
  const used = held.ledger.state.round?.used === true;
  try {
    if (used) await runLanes(held, usedJobs(held, changes, skipped), windows);
    else await runLanes(held, namedJobs(held, changes, whole, skipped), windows);
    held.meter.enter('proving');
    await windows.drain();
  } catch (error) {
    await drainAfter(error, windows);
    throw error;
  } finally {
    noteRepairs(held);
  }
  // S3: what a stop left unproven, or a defect, is no part of a point that was reached.
  held.signal.throwIfAborted();
  await refuseUnprovenRound({ ...held, table: held.ledger.table, changes, whole: whole || used });
  return resumedBytes;
}
