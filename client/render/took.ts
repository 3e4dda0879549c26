/**
 * What a person reads behind a message that was sent.
 * Rule: it says what becomes of it as far as the answer tells, and where to look on.
 */
import type { MessageName } from '../../model/message.ts';
import type { Answer } from '../message.ts';
import { plain } from './paint.ts';

export interface Sent {
  readonly signal?: boolean;
  readonly undo?: boolean;
  readonly skip?: boolean;
}

/** The answer comes before anything of it is done, so its phase would still be that of the call. */
const becomesOfIt = ({ undo, skip }: Sent, waits: boolean): string =>
  undo ? 'everything is taken back' : skip ? 'the step is left out' : `the step is ${waits ? 'to be ' : ''}tried again`;

export function tookText(name: MessageName, machine: string, answer: Answer, sent: Sent): string {
  const see = `See it: homeward failback status ${machine}`;
  if (sent.signal) return `${name} is kept for ${machine} until a worker takes it; a signal gets no answer. ${see}`;
  const reason = answer.reason ? ` (${plain(answer.reason)})` : '';
  const waits = answer.waits ? `\nIt waits: ${plain(answer.waits)}.` : '';
  const becomes =
    name === 'resolve' && !reason ? becomesOfIt(sent, waits !== '') : `phase ${plain(answer.phase ?? 'unknown')}`;
  const next = answer.waits?.endsWith('resume') ? `\nType: homeward failback resume ${machine}\n` : ' ';
  return `${machine} took ${name}${reason}; ${becomes}.${waits}${next}${see} --watch`;
}
