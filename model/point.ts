/**
 * Which moment of the source comes home: the latest, or an older one at which its applications held still.
 * Rule: an older moment is offered only with what it takes to reach it from any later one without a full copy: a point of
 * every disk that is older still (S9). Pure.
 */
import type { DiskPoint, RecoveryPoint } from './machine.ts';

/** S001-13. `latest`: made after the source has stopped, so nothing is lost. */
export const pointChoices = ['latest', 'application-consistent'] as const;
export type PointChoice = (typeof pointChoices)[number];

/**
 * Two recorded moments of a disk with a third between them. What was written between the two is all in which the third can
 * differ from either; so a disk that holds one of the two becomes the third by reading just that of it, in whichever
 * direction of time it lies.
 */
export interface Around {
  readonly since: DiskPoint;
  readonly until: DiskPoint;
}

/** A moment of all disks with the applications of the guest held still. */
export interface ApplicationPoint {
  readonly point: RecoveryPoint;
  /** The point of the round before it, of the number of `point`: complete before this one was asked for, and kept as long. */
  readonly since: RecoveryPoint;
  /** What the rounds had moved in all when it was taken. */
  readonly changedBytesBefore: number;
}

/** What a person chooses by. Its age is the reader's to tell. */
export interface PointSummary {
  /** The round it follows. */
  readonly after: number;
  readonly takenAt: string;
  /** At most: what the source changed since, as far as rounds have seen it. */
  readonly changedBytesSince: number;
}

/** Why the last wish for one came to nothing. */
export interface PointTrouble {
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

export const summaryOf = ({ point, changedBytesBefore }: ApplicationPoint, changedBytes: number): PointSummary => ({
  after: point.number,
  takenAt: point.takenAt,
  changedBytesSince: changedBytes - changedBytesBefore,
});

/** Retention: the newest `keep` of them stay, oldest first. */
export const kept = (points: readonly ApplicationPoint[], keep: number): readonly ApplicationPoint[] =>
  points.slice(-keep);

/**
 * The moments around `chosen` for a disk that holds `held`: the one before it, and `held` itself; or `final` when the disk
 * still holds the very point before it.
 */
export function around(chosen: ApplicationPoint, held: RecoveryPoint, final: RecoveryPoint, disk: string): Around {
  const until = held.number > chosen.since.number ? held : final;
  return { since: pointOf(chosen.since, disk), until: pointOf(until, disk) };
}

export function pointOf(point: RecoveryPoint, disk: string): DiskPoint {
  const found = point.disks.find((candidate) => candidate.disk === disk);
  if (!found) throw new TypeError(`recovery point ${point.number} does not hold disk ${disk}`);
  return found;
}
