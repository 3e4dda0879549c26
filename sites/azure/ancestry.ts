/**
 * Which recorded moments may be compared with each other, by what Azure says of them.
 * Rule (S9): what is not known to be an ancestor is none, and the disk is copied in full.
 */
import { lost } from './grant.ts';
import type { Recorded } from './recorded-point.ts';

/** Azure compares only within one family, and the base must be the older one. */
export function assertLineage(base: Recorded, point: Recorded): void {
  const sameFamily = base.family !== undefined && base.family === point.family;
  if (!sameFamily || base.ofDisk !== point.ofDisk) throw lost('base', base.id, `is no ancestor of ${point.name}`);
  if (base.takenAt && point.takenAt && base.takenAt > point.takenAt)
    throw lost('base', base.id, `is newer than ${point.name}`);
}

/** S9: both what the target holds and the point lie between two moments of their own disk: they differ in nothing else. */
export function assertAround(before: Recorded, after: Recorded, held: Recorded | undefined, point: Recorded): void {
  assertLineage(before, after);
  for (const moment of [held, point]) {
    const at = moment?.takenAt;
    const between = before.takenAt && at && after.takenAt;
    if (!between || before.takenAt > at || at > after.takenAt)
      throw lost('base', before.id, `and ${after.name} do not lie around ${moment?.name ?? 'what the disk holds'}`);
    if (before.ofDisk !== moment.ofDisk) throw lost('base', before.id, `is of another disk than ${moment.name}`);
  }
}
