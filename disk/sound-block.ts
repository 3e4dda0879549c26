/**
 * Before a block is changed in part: is what its change leaves alone within the touched leaves what was proven?
 * Rule (S3): a leaf that is not what was proven is brought whole from the point where a killed attempt can have left it half
 * written, and ends the round where none can; a block whose leaves nobody remembers is looked at, and if need be brought, as a
 * whole. Leaves that the change does not touch keep their proven digests, which go into the block's new one: damage there
 * never becomes the new truth.
 */
import { type BlockJob, joined, lengthOf } from './block-plan.ts';
import { zeroBlock } from './block-pool.ts';
import { digestBytes } from './digest.ts';
import { blankWithheld, blockRange, clipped, type Range, writableRange } from './geometry.ts';
import { isCovered, refuseUntouched } from './half-written.ts';
import type { HeldDisk } from './held-disk.ts';
import { digestRange, eachLeaf, leafBytes, leafDigests, readGapBytes, touchedLeaves } from './leaves.ts';

export interface SoundJob {
  readonly job: BlockJob;
  /** Whole leaves that `space` holds once the job's bytes are put into it, ascending. */
  readonly loaded: readonly Range[];
  /** Digests of all leaves of the block as proven before; those of `loaded` are to be replaced. */
  readonly leaves: Buffer;
  /** Of these, the ones that are not what was proven, and are brought whole: only if they are half written. */
  readonly doubted?: readonly Range[];
}

/** Reads what the job needs of the block into `space`, at its place within the block. L7: `signal` ends it between two reads. */
export async function soundJob(held: HeldDisk, job: BlockJob, space: Buffer, signal: AbortSignal): Promise<SoundJob> {
  const { geometry } = held;
  const writable = writableRange(geometry, job.block);
  const whole = blockRange(geometry, job.block);
  const count = Math.ceil((whole.end - whole.start) / leafBytes) * digestBytes;
  const wholly = (all: BlockJob): SoundJob => ({ job: all, loaded: [whole], leaves: Buffer.alloc(count) });
  if (lengthOf(job.writes) === writable.end - writable.start) return wholly(job);
  const leaves = await knownLeaves(held, job.block, count);
  if (leaves !== undefined) return soundLeaves(held, job, leaves, space, signal);
  if (await isSound(held, job.block, space)) return wholly(job);
  await refuseUntouched(held, job.block, [whole]);
  return { ...wholly(repaired(job, [writable])), doubted: [whole] };
}

/** The digests of the block's leaves, when they make up its proven digest. */
export async function knownLeaves(
  { ledger: { table }, digest, leafFile }: Pick<HeldDisk, 'ledger' | 'digest' | 'leafFile'>,
  block: number,
  count: number,
): Promise<Buffer | undefined> {
  if (!table.isKnown(block)) return undefined;
  const proven = await table.digestOf(block);
  const stored = await leafFile.read(block, count);
  if (stored !== undefined && digest.of(stored).equals(proven)) return stored;
  const zeros = leafDigests(digest, zeroBlock.subarray(0, (count / digestBytes) * leafBytes));
  if (!digest.of(zeros).equals(proven)) return undefined;
  await leafFile.write(block, zeros);
  return zeros;
}

async function soundLeaves(
  held: HeldDisk,
  job: BlockJob,
  leaves: Buffer,
  space: Buffer,
  signal: AbortSignal,
): Promise<SoundJob> {
  const { geometry, target, digest } = held;
  const range = blockRange(geometry, job.block);
  const { start } = range;
  const writable = writableRange(geometry, job.block);
  const runs = touchedLeaves(geometry, job.block, job.writes);
  const spared = [...eachLeaf(runs)].filter((leaf) => !isCovered(clipped(leaf, writable), job.writes));
  for (const run of joined(spared, readGapBytes)) {
    signal.throwIfAborted();
    await target.read(run.start, run.end - run.start, space.subarray(run.start - start));
  }
  blankWithheld(geometry, range, space);
  const bad = spared.filter((leaf) => {
    const { start: from, end: to } = digestRange(leaf);
    return !digest.of(space.subarray(leaf.start - start, leaf.end - start)).equals(leaves.subarray(from, to));
  });
  if (bad.length === 0) return { job, loaded: runs, leaves };
  await refuseUntouched(held, job.block, bad);
  const whole = bad.map((leaf) => clipped(leaf, writable));
  return { job: repaired(job, whole), loaded: runs, leaves, doubted: bad };
}

/** Whether the block as it lies on the target is what was proven; it is in `space` then. */
async function isSound({ geometry, target, digest, ledger }: HeldDisk, block: number, space: Buffer): Promise<boolean> {
  const range = blockRange(geometry, block);
  const length = range.end - range.start;
  await target.read(range.start, length, space);
  const bytes = space.subarray(0, length);
  blankWithheld(geometry, range, bytes);
  const { table } = ledger;
  return table.isKnown(block) && digest.of(leafDigests(digest, bytes)).equals(await table.digestOf(block));
}

/** The job, and `more` of the point besides. */
function repaired(job: BlockJob, more: readonly Range[]): BlockJob {
  return { ...job, reads: joined([...job.reads, ...more], 1), writes: joined([...job.writes, ...more], 1) };
}
