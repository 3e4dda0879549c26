/**
 * A disk that was in use by the target since its seal: which of its leaves are no longer what was sealed.
 * Rule: every block is read past the page cache and compared with its proven digest; what differs is brought whole from the
 * point that is wished for, and nothing is taken for unused without a look (S3). So another point costs a look at the whole
 * disk, and over the link only what was written and what changed. A look that a kill cuts off is done again (L2).
 */
import {
  type BlockJob,
  type BlockWork,
  blockWork,
  inTurns,
  isZeroRun,
  joined,
  lengthOf,
  partOf,
  zerosOf,
} from './block-plan.ts';
import { copyBlock } from './copy-block.ts';
import { digestBytes } from './digest.ts';
import { blockRange, clipped, type Range, writableRange } from './geometry.ts';
import type { HeldDisk } from './held-disk.ts';
import { eachLeaf } from './leaves.ts';
import type { Changes } from './range-list.ts';
import { leavesOnDisk } from './read-back.ts';
import { knownLeaves } from './sound-block.ts';
import type { FreshReader } from './target-handle.ts';
import type { Windows } from './window.ts';
import { clearRun, type RunOfBlocks, runsOf, splitRun } from './zero-runs.ts';

/** Blocks one after another, and what is known beforehand to change in them: in a single one, or that all become zeros. */
export interface UsedRun extends RunOfBlocks {
  readonly named?: BlockWork;
  /** As that of the list of changes. */
  readonly joinGapBytes: number;
}

/** Bytes of the look at a run: what may be written while the disk is open. */
const lookedBytes = ({ geometry }: HeldDisk, { first, count }: RunOfBlocks): number => {
  let bytes = 0;
  for (let block = first; block < first + count; block++) {
    const { start, end } = writableRange(geometry, block);
    bytes += end - start;
  }
  return bytes;
};

export const allLooked = (held: HeldDisk): number => lookedBytes(held, { first: 0, count: held.geometry.blocks });

/** All blocks of the disk in ascending order, in runs that one lane looks at. */
async function* usedRuns(
  { geometry, signal, ledger: { table } }: HeldDisk,
  changes: Changes,
): AsyncGenerator<Omit<UsedRun, 'joinGapBytes'> & { readonly proven: boolean }> {
  let at = 0;
  for await (const named of inTurns(blockWork(geometry, changes, false), signal)) {
    const { first, count } = isZeroRun(named) ? named : { first: named.block, count: 1 };
    yield* splitRun(table, { first: at, count: first - at });
    for (const part of splitRun(table, { first, count })) yield { ...part, named: isZeroRun(named) ? part : named };
    at = first + count;
  }
  yield* splitRun(table, { first: at, count: geometry.blocks - at });
}

/** The runs that are left; what this round has done already is told and left out. */
export async function* usedWork(
  held: HeldDisk,
  changes: Changes,
  skipped: (bytes: number, sentBytes: number) => void,
): AsyncGenerator<UsedRun, void, undefined> {
  for await (const { proven, ...run } of usedRuns(held, changes)) {
    if (!proven) yield { ...run, joinGapBytes: changes.joinGapBytes };
    else if (run.named && !isZeroRun(run.named))
      skipped(lookedBytes(held, run) + lengthOf(run.named.writes), lengthOf(run.named.reads));
    else skipped(lookedBytes(held, run) * (run.named ? 2 : 1), 0);
  }
}

/** Looks at a run and brings what has to be brought of it. */
export async function copyUsed(held: HeldDisk, run: UsedRun, windows: Windows, signal: AbortSignal): Promise<void> {
  const { named, first, count, joinGapBytes } = run;
  const kept: number[] = [];
  let cleared = 0;
  try {
    await held.target.withFresh(async (reader) => {
      for (let block = first; block < first + count; block++) {
        signal.throwIfAborted();
        const used = await usedIn(held, reader, block, signal);
        held.meter.done(lookedBytes(held, { first: block, count: 1 }), true, 0);
        if (named && isZeroRun(named)) cleared += lengthOf(used);
        else if (!named && used.length === 0) kept.push(block);
        else
          await copyBlock(
            held,
            withUsed(held, named ?? { block, reads: [], writes: [] }, used, joinGapBytes),
            windows,
            signal,
          );
      }
    });
    if (named && isZeroRun(named)) await clearRun(held, run, windows, signal);
  } finally {
    const runs = runsOf(kept);
    if (runs.length > 0 || cleared > 0) await held.ledger.append({ t: 'looked', usedBytes: cleared, runs });
  }
}

/** What is named to change in the block, and the used leaves whole. */
function withUsed(held: HeldDisk, before: BlockJob, used: readonly Range[], joinGapBytes: number): BlockJob {
  if (used.length === 0) return before;
  const job = partOf(before.block, [...before.reads, ...used], [...zerosOf(before)], joinGapBytes);
  held.meter.more(lengthOf(job.writes) - lengthOf(before.writes), lengthOf(job.reads) - lengthOf(before.reads));
  return { ...job, usedBytes: lengthOf(used) };
}

/** The leaves of a block that are not what was proven, as ascending ranges; all of it where nobody remembers its leaves. */
async function usedIn(held: HeldDisk, reader: FreshReader, block: number, signal: AbortSignal): Promise<Range[]> {
  const { geometry, digest, ledger } = held;
  const writable = writableRange(geometry, block);
  if (writable.start === writable.end) return [];
  const found = await leavesOnDisk(held, reader, block, signal);
  if (found === undefined) throw signal.reason;
  if (digest.of(found).equals(await ledger.table.digestOf(block))) return [];
  const known = await knownLeaves(held, block, found.byteLength);
  if (known === undefined) return [writable];
  const leaves = [...eachLeaf([blockRange(geometry, block)])].filter((_, leaf) => {
    const [from, to] = [leaf * digestBytes, (leaf + 1) * digestBytes];
    return !found.subarray(from, to).equals(known.subarray(from, to));
  });
  return joined(
    leaves.map((leaf) => clipped(leaf, writable)),
    1,
  );
}
