/**
 * THE LAW, about another point after the target was started: who wished for which, and when that may be said.
 * Rule: what was written at home since its start is dropped with it, so that is accepted first, by name (S5); what a commit
 * may name afterwards is the evidence of the disks as they are then (S2, S7).
 */
import { wentLive } from './commit-rules.ts';
import type { Message } from './message.ts';
import type { Phase } from './phase.ts';
import { objectionToChoice, type PointChoice, type PointsKnown } from './point.ts';

export interface PointChange {
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
  readonly note?: string;
  readonly from: PointChoice;
  readonly point: PointChoice;
  readonly acceptLoss: boolean;
}

export interface PointAtHome {
  readonly completion?: { readonly by: string; readonly point?: PointChoice };
  /** Under way: until the disks are proven at it. */
  readonly pointChange?: PointChange;
  /** The last one that was carried out. */
  readonly pointChanged?: PointChange;
}

/** Which moment the target's disks are made of, once they are. */
export const pointAtHome = ({ completion, pointChanged }: PointAtHome): PointChoice =>
  pointChanged?.point ?? completion?.point ?? 'latest';

/** Why the point cannot be changed, where the phase would take it; `'known'` when it is on its way there. */
export function objectionToAnotherPoint(
  story: PointAtHome &
    PointsKnown & { readonly phase: Phase; readonly targetLive: boolean; readonly liveSince?: string },
  { point = 'latest', acceptLoss }: Pick<Message, 'point' | 'acceptLoss'>,
): string | undefined {
  const { pointChange } = story;
  if (pointChange)
    return pointChange.point === point
      ? 'known'
      : `${pointChange.by} is changing it to the ${pointChange.point} point already`;
  if (point === pointAtHome(story))
    return `the ${point} point is at home already; ${story.phase === 'NeedsOperator' ? 'to look at it again resolve with "action": "retry", ' : ''}to get another one name the other`;
  const objection = objectionToChoice(story, point, 'Go on with the latest point, or cancel');
  if (objection !== undefined) return objection;
  if (story.targetLive && acceptLoss !== true) return `${wentLive(story)}; say it again with "acceptLoss": true`;
  return undefined;
}

/** What the message leaves in the story. */
export const wishFor = (
  story: PointAtHome,
  { by, at, note }: Pick<PointChange, 'by' | 'at' | 'note'>,
  { point = 'latest', acceptLoss }: Pick<Message, 'point' | 'acceptLoss'>,
): PointChange => ({
  ...{ by, at, from: pointAtHome(story), point, acceptLoss: acceptLoss === true },
  ...(note === undefined ? {} : { note }),
});

/** The disks are proven at it. */
export function withPointChanged<S extends PointAtHome>(story: S): S {
  const { pointChange, ...rest } = story;
  return pointChange ? ({ ...rest, pointChanged: pointChange } as S) : story;
}

/** Given up, or taken back. */
export function withoutPointChange<S extends PointAtHome>(story: S): S {
  const { pointChange: _over, ...rest } = story;
  return rest as S;
}
