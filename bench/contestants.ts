/**
 * One copy, from an empty target to a compared one: by Homeward's mover with all proofs, without any, or by someone else.
 * Rule: a verified copy is sealed after it was timed and then compared with its source byte by byte; only then does it
 * count. Time runs from the mover's being asked to its proof; it runs already, because a mover starts once for months.
 */
import { join } from 'node:path';
import { Mover, type StepAnswer } from './mover-run.ts';
import type { Reach, SourceDisk, Stage } from './stage.ts';
import type { Plan } from './suite.ts';

/** Starts a mover for the time of `work`. */
export async function withMover<T>(stage: Stage, work: (mover: Mover) => Promise<T>): Promise<T> {
  const mover = await Mover.start(stage.config);
  try {
    return await work(mover);
  } finally {
    await mover.end();
  }
}

/** A verified full copy of all `disks` at once, sealed and compared; to new files, or to `used` ones. */
export async function copyVerified(
  stage: Stage,
  plan: Plan,
  mover: Mover,
  disks: readonly SourceDisk[],
  { used = false, ...reach }: Reach & { readonly used?: boolean },
): Promise<StepAnswer> {
  const made: { disk: SourceDisk; path: string; input: ReturnType<Stage['transfer']> }[] = [];
  for (const disk of disks) {
    const target = await stage.makeTarget(disk.sizeBytes, used);
    made.push({ disk, path: target.path, input: stage.transfer(target, stage.publish(disk, disk.name, reach)) });
  }
  const inputs = made.map(({ input }) => input);
  const copied = await mover.do('transfer', inputs);
  await mover.do('seal', inputs);
  for (const { disk, path } of made) await stage.mustEqual(disk, path);
  await stage.clear();
  plan.peak(copied.peakMiB);
  return copied;
}

/** The same bytes by the same reader, nothing proven; compared all the same. */
export async function copyBare(stage: Stage, mover: Mover, disk: SourceDisk, reach: Reach): Promise<StepAnswer> {
  const target = await stage.makeTarget(disk.sizeBytes);
  const copied = await mover.do('bare', [stage.transfer(target, stage.publish(disk, disk.name, reach))]);
  await stage.mustEqual(disk, target.path);
  await stage.clear();
  return copied;
}

/** A copy by someone else to a new file, compared and removed. `compared`: false for what only measures a limit. */
export async function copyByPeer<T>(
  stage: Stage,
  disk: SourceDisk,
  copy: (path: string) => Promise<T>,
  compared = true,
): Promise<T> {
  const path = join(stage.folder, 'targets', 'peer.raw');
  const result = await copy(path);
  if (compared) await stage.mustEqual(disk, path);
  await stage.clear();
  return result;
}
