/**
 * The moments that can come home, in words: how old each is, and what choosing the older one would lose (S001-13).
 * Rule: what is not known is said to be at least or at most, never left out.
 */
import { pointAtHome } from '../../model/another-point.ts';
import { otherPoint } from '../../model/other-point.ts';
import { phaseTable } from '../../model/phase.ts';
import { changingText, olderText, type PointChoice, type PointSummary } from '../../model/point.ts';
import type { Status } from '../../model/status.ts';
import { toldStory } from '../told-story.ts';
import { isOpen, type View } from '../view.ts';
import { bytes, clock, count, since } from './figures.ts';
import { plain } from './paint.ts';

const newestOf = ({ applicationPoints = [] }: Status): PointSummary | undefined => applicationPoints.at(-1);

/** When the source was stopped, ISO 8601; undefined while it serves. From then on nothing more can be lost of it. */
const stoppedAt = ({ record, outage, outagesBefore }: Status): string | undefined =>
  record.find(({ key }) => key === 'source-stopped')?.at ?? (outagesBefore?.[0] ?? outage)?.startedAt;

/** Rounds see what changed up to the last of them; what comes after it is not in the figure. */
function lossText({ rounds }: View, status: Status, point: PointSummary, now: number): string {
  const behind = (rounds?.recent ?? []).filter(({ number }) => number > point.after).length;
  const changed = Math.max(0, (rounds?.changedBytes ?? point.changedBytesBefore) - point.changedBytesBefore);
  const seen =
    behind === 0
      ? 'how much, no round has seen yet'
      : `${bytes(changed)} in ${count(behind, 'round')}, and what came after`;
  const stopped = stoppedAt(status);
  const when = stopped
    ? `what the source wrote in the ${since(point.takenAt, Date.parse(stopped))} before it was stopped`
    : `what was written in the last ${since(point.takenAt, now)}`;
  return `${when} (${seen})`;
}

const takenText = (point: PointSummary, now: number): string =>
  `${clock(point.takenAt, now)}, ${since(point.takenAt, now)} ago`;

/** Shown while the failover can be completed, where there is something to choose. */
export function pointLines(view: View, status: Status, now: number): string[] {
  const point = newestOf(status);
  if (status.pointChange) return [plain(changingText(status.pointChange))];
  const older = point && pointAtHome(status) === 'application-consistent' && !status.cancellation;
  const other = isOpen(view) ? otherLines(view, status, now) : [];
  if (older) return [olderText(clock(point.takenAt, now)), ...other];
  if (other.length > 0) return ['Recovery points: the latest is at home.', ...other];
  if (!isOpen(view) || status.completion) return [];
  const trouble = status.pointTrouble;
  return [
    ...(point
      ? [
          'Recovery points: latest, taken after the source has stopped: loses nothing (crash-consistent).',
          `application-consistent, of ${takenText(point, now)}: choosing it (--point application-consistent) loses ${lossText(view, status, point, now)}.`,
        ]
      : []),
    ...(trouble
      ? [
          `No application-consistent point at ${clock(trouble.at, now)}: ${plain(trouble.message)} ${plain(trouble.hint)}`,
        ]
      : []),
  ];
}

/** What can be at home instead, and at which price; what was written at home is told beside it. */
function otherLines(view: View, status: Status, now: number): string[] {
  const other = phaseTable[status.left ?? status.phase].changePoint && otherPoint(toldStory(status));
  const point = newestOf(status);
  if (other === 'latest')
    return [
      'The latest point can be taken home instead (change-point --point latest): it holds all that the source wrote.',
    ];
  if (!other || !point) return [];
  return [
    `application-consistent, of ${takenText(point, now)}: taking it home instead (change-point --point ${other}) loses ${lossText(view, status, point, now)}.`,
  ];
}

/** What a person reads before the failover is completed to a moment. */
export function choiceLines(view: View, status: Status, choice: PointChoice | undefined, now: number): string[] {
  const point = newestOf(status);
  if (choice !== 'application-consistent')
    return ['  point      the latest: taken after the source has stopped, so nothing is lost'];
  if (!point) return ['  point      application-consistent: none is there'];
  return [
    `  point      application-consistent, of ${takenText(point, now)}`,
    `  LOST       ${lossText(view, status, point, now)}; it stays in Azure, in the final snapshots`,
  ];
}
