/**
 * A run in one line, for `--watch` into a pipe or a log, and what of that line is news.
 * Rule: news is what a person would want to be told at once; how far the bytes are is told along with it, or now and then.
 */
import { divergenceTitle } from '../../model/convergence.ts';
import { isFinal, phaseTable } from '../../model/phase.ts';
import type { Standing } from '../../model/progress.ts';
import type { Status } from '../../model/status.ts';
import type { View } from '../view.ts';
import { limitIn } from './ahead.ts';
import { onlySeals } from './bars.ts';
import { ratesText } from './divergence.ts';
import { bytes, count, percent, rate } from './figures.ts';
import { inOptions } from './in-options.ts';
import { workerText } from './missing.ts';
import { outageNews } from './outage.ts';
import { plain } from './paint.ts';

interface Part {
  readonly text: string;
  /** Differs when something happened; absent for progress. */
  readonly news?: string;
}

const news = (text: string): Part => ({ text, news: text });
const progress = (text: string): Part => ({ text });

/** The run in one line, without the time. */
export const renderLine = (view: View): string =>
  partsOf(view)
    .map(({ text }) => text)
    .join('; ');

/** Equal for two views between which nothing happened but progress. */
export const newsIn = (view: View): string =>
  partsOf(view)
    .flatMap((part) => part.news ?? [])
    .join('; ');

function partsOf(view: View): Part[] {
  const { status } = view;
  const missing = (view.missing ?? []).map(({ queue }) => news(`nobody runs ${workerText(queue)}`));
  if (!status) return [news(`${view.machine} ${view.execution}: ${plain(view.silent ?? 'no answer')}`), ...missing];
  const { left, held, trouble, waitsFor } = status;
  const parts = [news(`${view.machine} ${status.phase}`)];
  if (left) parts.push(news(`left ${left}`));
  if (status.reassignment) parts.push(news(`goes to ${plain(status.reassignment.mover)}`));
  if (held) parts.push(news(`held by ${plain(held.by)}`));
  if (status.awaits) parts.push(news(`waits by itself for ${plain(status.awaits.for)}, until ${status.awaits.until}`));
  if (trouble) parts.push(news(`${trouble.kind}: ${plain(trouble.message)}. ${plain(trouble.hint)}`));
  parts.push(...missing, ...moving(view));
  const outage = outageNews(status);
  if (outage) parts.push(news(outage));
  const approved = approvalIn(status);
  if (approved) parts.push(news(approved));
  // What is sent to the run follows the colon; here the name is enough.
  if (waitsFor) parts.push(news(`waits for: ${plain(waitsFor.split(':', 1)[0] ?? '')}`));
  // Temporal calls every orderly end `completed`, also that of a run which was taken back.
  if (view.execution !== 'running')
    parts.push(news(view.execution === 'completed' ? 'the run is over' : view.execution));
  return parts;
}

/** The word a person gave that the run is about to follow. */
function approvalIn({ phase, completion, commitment, cancellation }: Status): string | undefined {
  const gate = phaseTable[phase]?.gate;
  if (cancellation) return isFinal(phase) ? undefined : `cancelled by ${plain(cancellation.by)}`;
  if (gate === 'commit' && commitment) return `committed by ${plain(commitment.by)}`;
  if (gate === 'completeFailover' && completion) return `completed by ${plain(completion.by)}`;
  return undefined;
}

/** Rounds, bytes, limits and pauses. */
function moving({ rounds, transfers, pending }: View): Part[] {
  const parts: Part[] = [];
  if (rounds) parts.push(progress(`${count(rounds.done, 'round')}, ${bytes(rounds.copiedBytes)}`));
  const judged = rounds?.convergence;
  const title = divergenceTitle(judged)?.replace('C', 'c');
  if (judged && title) parts.push({ text: `${title}: ${ratesText(judged)}`, news: title });
  const working = transfers.filter(({ stage, stands }) => stands || (stage !== 'waiting' && stage !== 'done'));
  working.sort((a, b) => (a.disk < b.disk ? -1 : 1));
  for (const one of working) {
    const share = onlySeals(one) ? '' : ` ${percent(one.doneBytes, one.totalBytes)}%`;
    parts.push(one.stands ? standing(one.disk, one.stands) : progress(`${plain(one.disk)} ${one.stage}${share}`));
  }
  const limit = limitIn(transfers);
  if (limit?.holdsBack) parts.push(progress(`held back to ${rate(limit.bytesPerSecond)} by ${plain(limit.by)}`));
  for (const { paused, activityId, pausedBy } of pending)
    if (paused) parts.push(news(`${plain(activityId)} paused in Temporal by ${plain(pausedBy?.by ?? 'somebody')}`));
  return parts;
}

/** That a mover fell silent is news; that a copy waits for one is told by who is missing, or over in a moment. */
const standing = (disk: string, stands: Standing): Part =>
  'waitsFor' in stands
    ? progress(`${plain(disk)} waits for ${stands.waitsFor}`)
    : news(`${plain(disk)} not heard since ${stands.notHeardSince}`);

/** The latest refusal as a line of its own, told once; undefined when there is none. */
export function renderRefusal(view: View): string | undefined {
  const refused = view.status?.refusals.at(-1);
  return (
    refused && `${view.machine} refused ${refused.message} by ${plain(refused.by)}: ${inOptions(plain(refused.reason))}`
  );
}
