/**
 * Whole blocks that must be zeros: seen to be, or made so. Most of a large disk may be that.
 * Rule: S10, a block counts as zeros only when it was read past the page cache, or when the target had not one allocated
 * byte as it was taken over and nobody wrote there since. Runs are recorded in one piece, never block by block.
 */
import { type BlockJob, blockWork, inTurns, isZeroRun, type ZeroRun } from './block-plan.ts';
import { isAllZero, zeroBlock } from './block-pool.ts';
import { copyBlock } from './copy-block.ts';
import type { DigestTable } from './digest-table.ts';
import { blockBytes, blockRange } from './geometry.ts';
import type { HeldDisk } from './held-disk.ts';
import { blockDigest } from './leaves.ts';
import type { Changes } from './range-list.ts';
import { readBackPieces } from './read-back.ts';
import type { FreshReader } from './target-handle.ts';
import type { Windows } from './window.ts';

/** Blocks of a run that one lane looks at before it records them: what a kill costs is a look, not the link. */
export const blocksALook = 64;

export interface RunOfBlocks {
  readonly first: number;
  readonly count: number;
}

/** In pieces of one look each, apart from what this round has proven already. */
export function* splitRun(
  table: DigestTable,
  { first, count }: RunOfBlocks,
): Generator<RunOfBlocks & { readonly proven: boolean }, void, undefined> {
  const end = first + count;
  for (let at = first; at < end; ) {
    const proven = table.isProvenInRound(at);
    let to = at + 1;
    while (to < end && table.isProvenInRound(to) === proven && (proven || to - at < blocksALook)) to++;
    yield { first: at, count: to - at, proven };
    at = to;
  }
}

/** Runs in one record: bounds a line of the journal. */
const runsARecord = 4096;

/** A whole block of zeros, read past the page cache: is it one? */
async function isClear(held: HeldDisk, reader: FreshReader, block: number, signal: AbortSignal): Promise<boolean> {
  return held.memory.toRead(async (space) => {
    for (const { start, end } of readBackPieces(blockRange(held.geometry, block))) {
      signal.throwIfAborted();
      await reader.read(start, end - start, space);
      if (!isAllZero(space.subarray(0, end - start))) return false;
    }
    return true;
  });
}

/**
 * S10: stale bytes must go, but a hole that already reads as zeros need not be filled. What was seen to be zeros is
 * recorded in one piece, also when a stop ends the run in the middle (L7).
 */
export async function clearRun(held: HeldDisk, run: ZeroRun, windows: Windows, signal: AbortSignal): Promise<void> {
  const seen: number[] = [];
  try {
    await held.target.withFresh(async (reader) => {
      for (let block = run.first; block < run.first + run.count; block++) {
        if (await isClear(held, reader, block, signal)) seen.push(block);
        else await copyBlock(held, zeroJob(held, block), windows, signal);
      }
    });
  } finally {
    await recordZeros(held, runsOf(seen));
    held.meter.done(seen.length * blockBytes, true, 0);
  }
}

const zeroJob = ({ geometry }: HeldDisk, block: number): BlockJob => ({
  block,
  reads: [],
  writes: [blockRange(geometry, block)],
});

/** Ascending blocks as [first, count]. */
export function runsOf(blocks: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === block) last[1]++;
    else runs.push([block, 1]);
  }
  return runs;
}

async function recordZeros(held: HeldDisk, runs: readonly (readonly [number, number])[]): Promise<void> {
  if (runs.length === 0) return;
  const digest = blockDigest(held.digest, zeroBlock).toString('base64');
  await held.ledger.append({ t: 'zeros', digest, runs });
}

/** S10: on a target that was blank when it was taken over, what the first list does not name needs no look. */
export async function recordBlank(held: HeldDisk, changes: Changes): Promise<void> {
  if (held.ledger.state.blank !== true) return;
  let runs: [number, number][] = [];
  for await (const work of inTurns(blockWork(held.geometry, changes, true), held.signal)) {
    if (!isZeroRun(work) || held.ledger.table.isProvenInRound(work.first)) continue;
    runs.push([work.first, work.count]);
    if (runs.length < runsARecord) continue;
    await recordZeros(held, runs);
    runs = [];
  }
  await recordZeros(held, runs);
}
