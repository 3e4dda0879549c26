/**
 * Says which worker is missing, what waits for it since when, and the command that starts it.
 * Rule: it tells what the server saw, never why a worker is away.
 */
import { moverName } from '../../model/failback-input.ts';
import type { MissingWorker } from '../view.ts';
import { clock, since } from './figures.ts';
import { paint, plain, type Style, wrap } from './paint.ts';

/** `the mover m1`, `a control worker`. */
export function workerText(queue: string): string {
  const mover = moverName(queue);
  return mover === undefined ? 'a control worker' : `the mover ${plain(mover)}`;
}

function seenText({ queue, lastSeenAt }: MissingWorker, now: number): string {
  const name = `the task queue "${plain(queue)}"`;
  // The server forgets after minutes who asked; a server that was just started has nobody to remember.
  const seen = lastSeenAt
    ? `${name} was last asked for work at ${clock(lastSeenAt, now)}, ${since(lastSeenAt, now)} ago`
    : `the server remembers nobody who asked ${name} for work`;
  return `Nobody runs ${workerText(queue)}: ${seen}.`;
}

function waitingText({ waiting }: MissingWorker, now: number): string[] {
  const [first] = waiting;
  if (!first) return [];
  const names = waiting.map(({ activityId }) => plain(activityId)).join(', ');
  const wait = waiting.length === 1 ? 'waits' : 'wait';
  return [
    `Nothing has happened since ${clock(first.since, now)}, ${since(first.since, now)}: ${names} ${wait} for it.`,
  ];
}

export const missingLines = (missing: readonly MissingWorker[], now: number, style: Style): string[] =>
  missing.flatMap((one) => [
    ...[seenText(one, now), ...waitingText(one, now)]
      .flatMap((text) => wrap(text, style.width - 2, 2))
      .map((line) => paint(style, 'yellow', `  ${line}`)),
    `  Start it: ${one.start}`,
  ]);
