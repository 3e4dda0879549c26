/**
 * Says which worker is missing, what waits for it since when, and the command that starts it.
 * Rule: it tells what the server saw, never why a worker is away.
 */
import { moverName, moverQueue } from '../../model/failback-input.ts';
import type { Status } from '../../model/status.ts';
import type { MissingWorker, WaitingStep } from '../view.ts';
import { clock, since } from './figures.ts';
import { paint, plain, type Style, wrap } from './paint.ts';
import { stepText } from './steps.ts';

/** `the mover m1`, `a control worker`. */
export function workerText(queue: string): string {
  const mover = moverName(queue);
  return mover === undefined ? 'a control worker' : `the mover ${plain(mover)}`;
}

/** That nobody runs it, and when somebody did last. */
export function seenText({ queue, lastSeenAt }: MissingWorker, now: number): string {
  const name = `the task queue "${plain(queue)}"`;
  // The server forgets after minutes who asked; a server that was just started has nobody to remember.
  const seen = lastSeenAt
    ? `${name} was last asked for work at ${clock(lastSeenAt, now)}, ${since(lastSeenAt, now)} ago`
    : `the server remembers nobody who asked ${name} for work`;
  return `Nobody runs ${workerText(queue)}: ${seen}.`;
}

function waitingText({ waiting }: MissingWorker, disks: readonly string[], now: number): string[] {
  const [first] = waiting;
  if (!first) return [];
  const names = waiting.map((step) => stepText(step, disks)).join(', ');
  const begun = `Nothing has happened since ${clock(first.since, now)}, ${since(first.since, now)}`;
  return [`${begun}; what waits for it: ${names}.`, ...waiting.flatMap((step) => endsByItself(step, now))];
}

/** The clean-up of a mover keeps no run open (workflows/farewell.ts). */
const endsByItself = ({ activity, givenUpAt }: WaitingStep, now: number): string[] =>
  activity === 'releaseDiskRecords' && givenUpAt
    ? [
        `Nobody needs to do anything: unless the mover comes back it is given up at ${clock(givenUpAt, now)} and the run goes on without it. Only the run's own notes about the disks stay in the mover's state folder then; the record names them.`,
      ]
    : [];

/** `disks`: the names of the run's disks, as far as they are known. */
export const missingLines = (
  missing: readonly MissingWorker[],
  disks: readonly string[],
  now: number,
  style: Style,
): string[] =>
  missing.flatMap((one) => [
    ...[seenText(one, now), ...waitingText(one, disks, now)]
      .flatMap((text) => wrap(text, style.width - 2, 2))
      .map((line) => paint(style, 'yellow', `  ${line}`)),
    `  Start it: ${one.start}`,
  ]);

/** What has to come before a completion; undefined where nobody misses the mover. */
export function beforeCompleting(
  { mover }: Pick<Status, 'mover'>,
  missing: readonly MissingWorker[],
): string | undefined {
  const queue = moverQueue(mover);
  if (!missing.some((one) => one.queue === queue)) return undefined;
  return `Start ${workerText(queue)} first, which nobody runs: completing waits for it, and calls an operator when it does not come. The source is not stopped without it.`;
}
