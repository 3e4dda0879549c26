/**
 * The moment that a person chose to come home to, and what the record says of an older one.
 * Rule (S1): whichever it is, the source is stopped first and its final point is taken and kept: what was written after an
 * older one is in that alone, and is never lost without a word.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { pointName, type RecoveryPoint } from '../model/machine.ts';
import { type ApplicationPoint, whatFinalHolds } from '../model/point.ts';
import type { Story } from '../model/transition.ts';
import type { RoundsState } from './rounds-state.ts';
import type { Teller } from './teller.ts';

/** Undefined: the latest. */
export function chosenPoint({ completion }: Story, rounds: RoundsState | undefined): ApplicationPoint | undefined {
  if (completion?.point !== 'application-consistent') return undefined;
  const newest = rounds?.points?.at(-1);
  if (newest) return newest;
  throw ApplicationFailure.nonRetryable('the application-consistent point that was chosen is not there', 'Defect');
}

const namesOf = ({ disks }: RecoveryPoint): string => disks.map(pointName).join(', ');

export function recordChosen(teller: Teller, { point }: ApplicationPoint, final: RecoveryPoint): void {
  const what =
    'an older, application-consistent point comes home; what the source wrote after it is in the final point alone';
  teller.record('older-point', what, { takenAt: point.takenAt, points: namesOf(point), finalTakenAt: final.takenAt });
}

/** After the commit: what stays on purpose (S2, S11). */
export function recordFinalKept(teller: Teller, final: RecoveryPoint): void {
  const what = `the snapshots of the final point stay: ${whatFinalHolds(true)}; delete them by hand when nobody needs that any more`;
  teller.record('final-point-kept', what, { points: namesOf(final) });
}
