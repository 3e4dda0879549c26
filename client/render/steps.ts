/**
 * What a run's step does, in words for people; Temporal and the logs know it by its name in the code.
 * Rule: a step of a newer release is told by its name, never left out.
 */
import { isSilent } from '../heard.ts';
import type { Pending } from '../view.ts';
import { duration, since } from './figures.ts';
import { plain } from './paint.ts';

const words: Readonly<Record<string, string>> = {
  observePreflight: 'ask both sides whether the way home is clear',
  observeSource: 'look at the source',
  observeSourceStaysOff: 'watch that the source stays off',
  observeHomeMeanwhile: 'watch that all stands at home as it was opened',
  observeHomeAgain: 'look whether home is still clear',
  observeHomeRuns: 'look whether the machine at home runs with its disks',
  observeSourceRemains: 'look what exists in the source',
  observeMover: 'look at the mover',
  observeWritten: 'count what was written at home',
  observeGuest: 'wait for the guest at home to answer',
  ensureRecoveryPoint: 'make a recovery point',
  ensureDisksOpen: 'hang the target disks on the mover',
  ensureDisksReleased: 'take the sealed disks off the mover',
  ensureDisksReturned: 'give the disks back to the target',
  ensureDisksAbandoned: 'give up the target disks',
  ensureMoverLeft: 'take the disks off the mover',
  ensureSourceStopped: 'stop the source',
  ensureSourceStarted: 'start the source',
  ensureTargetStarted: 'start the target',
  ensureTargetStopped: 'stop the target',
  ensureSourceRetired: 'delete the source',
  ensureTargetFinished: 'remove our marks from the target',
  releaseRecoveryPoints: 'release recovery points',
  releaseDiskRecords: 'remove what the mover kept of the disks',
  transferDisk: 'copy',
  sealDisk: 'seal',
  scrubDisk: 'read all again of',
};

/** `disks`: the names of the run's disks; the one that a step is about is part of the step's id (`transfer-os`). */
export function stepText({ activity, activityId }: Pick<Pending, 'activity' | 'activityId'>, disks: readonly string[]) {
  const text = words[activity] ?? activity;
  if (!/Disk$/.test(activity)) return plain(text);
  const unknown = disks.length === 0 ? partOf(activityId) : 'a disk';
  return plain(`${text} ${diskOf({ activityId }, disks) ?? unknown}`);
}

/** A step's id without what it does: `os` of `transfer-os`. */
const partOf = (activityId: string): string => activityId.replace(/^[a-z]+-/, '');

/** The one of these disks that a step is about. */
export function diskOf({ activityId }: Pick<Pending, 'activityId'>, disks: readonly string[]): string | undefined {
  const id = partOf(activityId);
  // After a handover the id ends in its number; a disk of exactly that name comes first.
  return [id, id.replace(/-\d+$/, '')].find((name) => disks.includes(name));
}

const doneWords = { transferDisk: 'copied and proven', sealDisk: 'sealed' } as const;

/**
 * The disks that are done with, and what was done: all begin at once, so one without a step of its own, while others have
 * theirs, has come to its end. While they are being stopped, for a failure of one of them too, nothing is said.
 */
export function doneDisks(pending: readonly Pending[], disks: readonly string[]): ReadonlyMap<string, string> {
  const done = new Map<string, string>();
  for (const activity of ['transferDisk', 'sealDisk'] as const) {
    const steps = pending.filter((one) => one.activity === activity);
    const busy = steps.map((one) => diskOf(one, disks));
    if (steps.length === 0 || steps.some(({ cancelling }) => cancelling) || busy.includes(undefined)) continue;
    for (const disk of disks) if (!busy.includes(disk)) done.set(disk, doneWords[activity]);
  }
  return done;
}

/** What a cancel waits for, and an attempt whose worker is silent for longer than any live one; undefined where neither is so. */
export function endingText(step: Pending, now: number): string | undefined {
  const { paused, cancelling, heardAt, silenceSeconds } = step;
  if (paused || heardAt === undefined || silenceSeconds === undefined) return undefined;
  if (!cancelling && !isSilent(step, now)) return undefined;
  const silence = `its worker was last heard ${since(heardAt, now)} ago, and after ${duration(silenceSeconds * 1000)} of silence the server gives it up`;
  return cancelling ? `the run waits for it to stop: ${silence}` : silence;
}
