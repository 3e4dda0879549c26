/**
 * The story as far as a status tells it, so that the law itself can be asked what a run takes now.
 * Rule: it is asked here only for what to show; the run asks again, with all that it knows.
 */
import type { Status } from '../model/status.ts';
import type { Story } from '../model/transition.ts';
import { countIn } from '../model/written.ts';

/** What must be known of a status at least. */
export type Told = Pick<Status, 'phase' | 'machine'> & Partial<Status>;

export function toldStory(status: Told): Story {
  const { run = '', mover = '', phase, left, held, trouble, completion, commitment, cancellation, evidence } = status;
  return {
    ...{ run, phase, refusals: [], targetLive: status.targetLive === true, commitNeedsEvidence: false },
    mover: { name: mover, path: '' },
    ...(left ? { left } : {}),
    ...(held ? { held } : {}),
    ...(trouble ? { trouble } : {}),
    ...(completion ? { completion } : {}),
    ...(commitment ? { commitment } : {}),
    ...(cancellation ? { cancellation: { acceptLoss: false, ...cancellation } } : {}),
    ...(evidence ? { evidence } : {}),
    ...(status.liveSince ? { liveSince: status.liveSince } : {}),
    ...(status.startUnseen ? { startUnseen: true } : {}),
    ...countIn(status),
    ...(status.commitNeedsTwo ? { commitNeedsTwo: true } : {}),
    ...(status.pointChange ? { pointChange: status.pointChange } : {}),
    ...(status.pointChanged ? { pointChanged: status.pointChanged } : {}),
    ...(status.applicationPoints ? { applicationPoints: status.applicationPoints } : {}),
    ...(status.pointTrouble ? { pointTrouble: status.pointTrouble } : {}),
    ...(status.noPoints ? { noPoints: status.noPoints } : {}),
  };
}
