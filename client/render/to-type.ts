/**
 * The commands that fit the moment, as they can be pasted.
 * Rule: what the law would refuse here is never offered; the law itself is asked.
 */
import { notToCommit } from '../../model/commit-rules.ts';
import type { Message } from '../../model/message.ts';
import { otherPoint } from '../../model/other-point.ts';
import { phaseTable } from '../../model/phase.ts';
import { objectionTo } from '../../model/transition.ts';
import { type Told, toldStory } from '../told-story.ts';
import { plain } from './paint.ts';

/**
 * The commands that fit this moment: what the law takes of an answer to a call, and what opens the gate. After the start at
 * home the ways that do not end there stand beside the commit. While somebody holds the run, what would only wait is left out.
 */
export function whatToType(status: Told): string[] {
  if (status.phase === 'NeedsOperator') return answers(status);
  const back = phaseTable[status.phase]?.gate === 'commit' ? withLoss(status) : [];
  if (status.held) return [`homeward failback resume ${status.machine}`, ...back];
  return [...opensGate(status), ...(back.length > 0 ? anotherPoint(status) : []), ...back];
}

export const completes = ({ machine }: Pick<Told, 'machine'>): string => `homeward failback complete ${machine}`;

/** What somebody has said already is known to the law, and not asked for again. */
function opensGate(status: Told): string[] {
  const gate = phaseTable[status.phase]?.gate;
  const takes = taken(status);
  const typed = (verb: string) => `homeward failback ${verb} ${status.machine}`;
  if (gate === 'completeFailover' && takes({ name: gate })) return [completes(status)];
  if (gate !== 'commit' || !takes({ name: gate })) return [];
  const others = status.commitNeedsTwo && notToCommit(status);
  // S7: as a comment of the shell, so that the line can still be pasted.
  return [typed('commit') + (others ? `  # to be said by somebody else than ${plain(others)}` : '')];
}

/** Asks the law as it would be asked by a person whom nobody knows. */
const taken =
  (status: Told) =>
  (message: Omit<Message, 'by'>): boolean =>
    objectionTo(toldStory(status), { by: '', ...message }) === undefined;

/** Nothing is undone twice, and once the target may be live going back is a cancel with its flag, or nothing at all. */
function answers(status: Told): string[] {
  const takes = taken(status);
  const resolve = (action: 'retry' | 'undo' | 'skip'): string[] =>
    takes({ name: 'resolve', action }) ? [`homeward failback resolve ${status.machine} --${action}`] : [];
  const undo = resolve('undo');
  const back = undo.length > 0 ? undo : withLoss(status);
  return [...resolve('retry'), ...anotherPoint(status), ...back, ...resolve('skip')];
}

/** Back to the source, where only that is left of the ways back. */
const withLoss = (status: Told): string[] =>
  taken(status)({ name: 'cancel', acceptLoss: true })
    ? [`homeward failback cancel --accept-loss ${status.machine}`]
    : [];

/** The other point, with the flag only where something is lost with it. */
function anotherPoint(status: Told): string[] {
  const point = otherPoint(toldStory(status));
  const flag = status.targetLive ? ' --accept-loss' : '';
  return point ? [`homeward failback change-point ${status.machine} --point ${point}${flag}`] : [];
}
