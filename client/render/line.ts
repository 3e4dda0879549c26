/**
 * One line per change, for `--watch` into a pipe or a log.
 * Rule: a line is written when it says something new; bytes count as new only every tenth of a disk.
 */
import type { View } from '../view.ts';
import { limitIn, ratesText } from './ahead.ts';
import { bytes, count, duration, percent, rate } from './figures.ts';
import { plain } from './paint.ts';

/** The run in one line, without the time. Equal views, and views that differ only in small progress, give equal lines. */
export function renderLine(view: View): string {
  const { status } = view;
  if (!status) return `${view.machine} ${view.execution}: ${plain(view.silent ?? 'no answer')}`;
  const parts = [`${view.machine} ${status.phase}`];
  if (status.left) parts.push(`left ${status.left}`);
  if (status.reassignment) parts.push(`goes to ${plain(status.reassignment.mover)}`);
  if (status.held) parts.push(`held by ${plain(status.held.by)}`);
  if (status.trouble) parts.push(`${status.trouble.kind}: ${plain(status.trouble.message)}`);
  if (view.rounds) parts.push(`${count(view.rounds.done, 'round')}, ${bytes(view.rounds.copiedBytes)}`);
  const judged = view.rounds?.convergence;
  if (judged?.converges === false) parts.push(`changes faster than the link: ${ratesText(judged)}`);
  const moving = view.transfers.filter(({ stage }) => stage !== 'waiting' && stage !== 'done');
  moving.sort((a, b) => (a.disk < b.disk ? -1 : 1));
  for (const { disk, stage, doneBytes, totalBytes } of moving)
    parts.push(`${plain(disk)} ${stage} ${Math.floor(percent(doneBytes, totalBytes) / 10) * 10}%`);
  const limit = limitIn(view.transfers);
  if (limit?.holdsBack) parts.push(`held back to ${rate(limit.bytesPerSecond)} by ${plain(limit.by)}`);
  for (const { paused, activityId, pausedBy } of view.pending)
    if (paused) parts.push(`${plain(activityId)} paused in Temporal by ${plain(pausedBy?.by ?? 'somebody')}`);
  if (status.outage?.endedAt)
    parts.push(`outage ${duration(Date.parse(status.outage.endedAt) - Date.parse(status.outage.startedAt))}`);
  else if (status.outage) parts.push('outage under way');
  if (status.waitsFor) parts.push(`waits for: ${plain(status.waitsFor)}`);
  if (view.execution !== 'running') parts.push(view.execution);
  return parts.join('; ');
}

/** The latest refusal as a line of its own, told once; undefined when there is none. */
export function renderRefusal(view: View): string | undefined {
  const refused = view.status?.refusals.at(-1);
  return refused && `${view.machine} refused ${refused.message} by ${plain(refused.by)}: ${plain(refused.reason)}`;
}
