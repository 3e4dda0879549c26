/**
 * Which moment of the source comes home: the latest, or an older one at which its applications held still.
 * Rule: an older moment is offered only with what it takes to reach it from any later one without a full copy: a point of
 * every disk that is older still (S9). Pure.
 */
import { defect } from './failure.ts';
import type { DiskPoint, RecoveryPoint } from './machine.ts';

/** S001-13. `latest`: made after the source has stopped, so nothing is lost. */
export const pointChoices = ['latest', 'application-consistent'] as const;
export type PointChoice = (typeof pointChoices)[number];

/**
 * Two recorded moments of a disk with a third between them. What was written between the two is all in which the third can
 * differ from either; so a disk that holds any of the three becomes any other by reading just that of it, in whichever
 * direction of time it lies.
 */
export interface Around {
  readonly since: DiskPoint;
  readonly until: DiskPoint;
}

/**
 * S9: what changed around a point is no map of it, so it helps only who says what the disk holds. Throws Defect without a
 * `base`: taken for a whole map, the rest of the disk would be zeros.
 */
export function assertBased(
  what: { readonly op: string; readonly subject: string },
  around: Around | undefined,
  base: DiskPoint | undefined,
): void {
  if (around === undefined || base !== undefined) return;
  throw defect({
    ...what,
    message: `${what.op} of ${what.subject}: asked for what changed around its point and no base was named`,
    hint: 'This is a fault of Homeward: keep the run and report it. Nothing was read or written.',
  });
}

/** A moment of all disks with the applications of the guest held still. */
export interface ApplicationPoint {
  readonly point: RecoveryPoint;
  /** The point of the round before it, of the number of `point`: complete before this one was asked for, and kept as long. */
  readonly since: RecoveryPoint;
  /** What had changed in all rounds when it was taken. */
  readonly changedBytesBefore: number;
}

/** What a person chooses by; how old it is and what was written since, the reader tells. */
export interface PointSummary {
  /** The round it follows. */
  readonly after: number;
  readonly takenAt: string;
  readonly changedBytesBefore: number;
}

/** Why the last wish for one came to nothing. */
export interface PointTrouble {
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

/** What a run knows of its application-consistent points. */
export interface PointsKnown {
  /** Those that are kept, oldest first. */
  readonly applicationPoints?: readonly PointSummary[];
  readonly pointTrouble?: PointTrouble;
  /** Why this run takes none at all; absent where it does. */
  readonly noPoints?: string;
}

/** What the rounds tell when one was taken, or could not be. */
export interface PointsTold extends PointsKnown {
  readonly taken?: PointSummary;
}

export const summaryOf = ({ point, changedBytesBefore }: ApplicationPoint): PointSummary => ({
  after: point.number,
  takenAt: point.takenAt,
  changedBytesBefore,
});

/** What the rounds told counts as a whole: a trouble is over once one was taken. */
export function withPoints<S extends PointsKnown>(story: S, { applicationPoints = [], pointTrouble }: PointsTold): S {
  const { pointTrouble: _before, ...rest } = story;
  return { ...rest, applicationPoints, ...(pointTrouble ? { pointTrouble } : {}) } as S;
}

/** Why this choice cannot be taken; undefined when it can. */
export function objectionToChoice(
  { applicationPoints = [], pointTrouble, noPoints }: PointsKnown,
  choice: PointChoice | undefined,
  todo = `Complete to the latest point, which loses nothing${noPoints === undefined ? ', or wait for one' : ''}`,
): string | undefined {
  if (choice !== 'application-consistent' || applicationPoints.length > 0) return undefined;
  if (noPoints !== undefined) return `this run takes no application-consistent points: ${noPoints}. ${todo}`;
  const why = pointTrouble
    ? `the last try, at ${pointTrouble.at}, failed: ${pointTrouble.message}. ${pointTrouble.hint}`
    : 'the policy (applicationPointEverySeconds) says how often one is taken, the first one after the first round.';
  return `this run has no application-consistent point: ${why} ${todo}`;
}

/** Why a second completion is no repetition of the first; undefined when it is one. */
export function otherChoice(
  { by, point: before = 'latest' }: { readonly by: string; readonly point?: PointChoice },
  point: PointChoice = 'latest',
): string | undefined {
  if (point === before) return undefined;
  return `${by} completed it to the ${before} point already; to choose another one, cancel and start again, or wait until it was started at home (change-point)`;
}

/** After the choice: what it means, as long as anybody looks. */
export const olderText = (takenAt: string): string =>
  `The application-consistent point of ${takenAt} comes home; what was written after it is in the final snapshots alone.`;

/** While another point is on its way home. */
export const changingText = ({ from, point, by }: { from: PointChoice; point: PointChoice; by: string }): string =>
  `${by} has the ${point} point taken home instead of the ${from} one.`;

/** What the snapshots of the final point are, in words: what came home, or all that is left of what was written after it. */
export const whatFinalHolds = (older: boolean): string =>
  older ? 'they alone hold what the source wrote after the older point that came home' : 'they are what came home';

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
