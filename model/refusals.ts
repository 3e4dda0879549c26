/**
 * Which refusals people are still shown. Pure.
 * Rule (S7): none is forgotten, the status keeps them all; but once a run is over, what was refused before the word that it ended
 * with stands in nobody's way any more.
 */
import { isFinal } from './phase.ts';
import type { Status } from './status.ts';

type Told = Pick<Status, 'refusals' | 'phase' | 'phaseSince' | 'commitment' | 'cancellation' | 'record'>;

/** When the word was said: the commit, the cancel, or the answer that took the run back; where nobody knows it, when it ended. */
const lastWordAt = ({ commitment, cancellation, record, phaseSince }: Told): string =>
  (commitment ?? cancellation ?? record.findLast(({ key }) => key === 'resolve-accepted'))?.at ?? phaseSince;

export const refusalsNow = (status: Told): Status['refusals'] =>
  isFinal(status.phase) ? status.refusals.filter(({ at }) => at >= lastWordAt(status)) : status.refusals;
