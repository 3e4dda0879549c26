/**
 * The commands that fit the moment, as they can be pasted.
 * Rule: what the law would refuse here is never offered; the law itself is asked.
 */
import { notToCommit } from '../../model/commit-rules.ts';
import type { Message } from '../../model/message.ts';
import { phaseTable } from '../../model/phase.ts';
import { pointChoices } from '../../model/point.ts';
import { objectionTo } from '../../model/transition.ts';
import { type Told, toldStory } from '../told-story.ts';
import { plain } from './paint.ts';

/** The commands that fit this moment: what the law takes of an answer to a call, and what opens the gate. */
export function whatToType(status: Told): string[] {
  const command = (verb: string) => `homeward failback ${verb} ${status.machine}`;
  if (status.phase === 'NeedsOperator') return answers(status);
  const others = status.commitNeedsTwo && notToCommit(status);
  // S7: as a comment of the shell, so that the line can still be pasted.
  const by = others ? `  # to be said by somebody else than ${plain(others)}` : '';
  const gate = phaseTable[status.phase]?.gate;
  // What somebody has said already is known to the law, and not asked for again.
  const takes = taken(status);
  const completes = gate === 'completeFailover' && takes({ name: 'completeFailover' });
  const commits = gate === 'commit' && takes({ name: 'commit' });
  const typed = completes ? [command('complete')] : commits ? [command('commit') + by] : [];
  return status.held ? [command('resume'), ...typed] : typed;
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
  const cancel = undo.length === 0 && takes({ name: 'cancel', acceptLoss: true });
  const back = cancel ? [`homeward failback cancel --accept-loss ${status.machine}`] : undo;
  return [...resolve('retry'), ...anotherPoint(status), ...back, ...resolve('skip')];
}

/** The other point, where the law takes one; with the flag only where something is lost with it. */
function anotherPoint(status: Told): string[] {
  const takes = taken(status);
  const loss = status.targetLive ? { acceptLoss: true } : {};
  const point = pointChoices.find((choice) => takes({ name: 'changePoint', point: choice, ...loss }));
  const flag = status.targetLive ? ' --accept-loss' : '';
  return point ? [`homeward failback change-point ${status.machine} --point ${point}${flag}`] : [];
}
