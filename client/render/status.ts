/**
 * Draws a run for a terminal: where it stands, who serves, how far the bytes are, what it waits for and what to type.
 * Rule: a pure function of the view, the time and the style; what is not known is left out or said to be unknown.
 */
import { atHomeWords } from '../../model/commit-rules.ts';
import { type Phase, phaseTable } from '../../model/phase.ts';
import { unpauseCommand } from '../../model/progress.ts';
import { roundReadBack } from '../../model/read-back.ts';
import { refusalsNow } from '../../model/refusals.ts';
import { expiryText, type RoundReport, type RoundsStatus, type Status, type Waiting } from '../../model/status.ts';
import { writtenText, writtenThere } from '../../model/written.ts';
import { isOpen, type View } from '../view.ts';
import { completionText, copyInside, copyText, earlyOutageText, limitIn, limitText, outageInAllText } from './ahead.ts';
import { arrivalLines } from './arrival.ts';
import { awaitsLines } from './awaits.ts';
import { diskLines } from './bars.ts';
import { divergenceLines } from './divergence.ts';
import { bytes, clock, count, duration, since } from './figures.ts';
import { inOptions } from './in-options.ts';
import { locationOf, networkLines } from './location.ts';
import { beforeCompleting, missingLines } from './missing.ts';
import { outageText } from './outage.ts';
import { pad, paint, plain, type Style, wrap } from './paint.ts';
import { pointLines } from './points.ts';
import { reasonText, saidTexts } from './said.ts';
import { scrubLines } from './scrubs.ts';
import { doneDisks, endingText, stepText } from './steps.ts';
import { completes, whatToType } from './to-type.ts';

/** How many rounds and refusals are shown; the rest is counted. */
const roundsShown = 3;
const refusalsShown = 3;

/** The whole picture, without a line break at its end. `now` is epoch milliseconds. */
export function renderStatus(view: View, now: number, style: Style): string {
  const { status } = view;
  if (!status) return silent(view, now, style).join('\n');
  const copies = isOpen(view) && status.phase === 'Syncing';
  const done = doneDisks(isOpen(view) ? view.pending : [], disksOf(view));
  const bars = diskLines(status.disks, isOpen(view) ? view.transfers : [], now, style, done).map((line) => `  ${line}`);
  return arrange(style.height, [
    { lines: heading(view, status, now, style), worth: 9 },
    { lines: committedLines(view, now, style), worth: 8 },
    { lines: sides(status, style), worth: 2 },
    { lines: trouble(status, now, style), worth: 8 },
    { lines: missingLines(view.missing ?? [], disksOf(view), now, style), worth: 8 },
    { lines: isOpen(view) ? awaitsLines(status.awaits, now, style) : [], worth: 8 },
    { lines: blocked(status, style), worth: 6 },
    { lines: bars, worth: 7 },
    { lines: isOpen(view) ? copyLines(view, style) : [], worth: 6 },
    { lines: roundLines(view.rounds, now, style), worth: 3 },
    { lines: copies && status.held === undefined ? divergenceLines(view.rounds?.convergence, style) : [], worth: 7 },
    { lines: scrubLines(view.rounds?.scrubs ?? [], now, style), worth: 3 },
    { lines: outageText(status, isOpen(view), now).flatMap((text) => say(text, style)), worth: 6 },
    { lines: atHomeLines(status, now, style), worth: 6 },
    { lines: arrivalLines(status, now, style), worth: 6 },
    { lines: steps(view, now, style), worth: 4 },
    { lines: pausedLines(view, now, style), worth: 8 },
    { lines: remainsLines(view, style), worth: 5 },
    { lines: costLines(view, style), worth: 5 },
    { lines: pointLines(view, status, now).flatMap((line) => say(line, style)), worth: 5 },
    { lines: waiting(view, status, now, style), worth: 8 },
    { lines: refusals(status, now, style), worth: 1 },
  ]);
}

interface Section {
  readonly lines: readonly string[];
  /** Sections of little worth go first when the screen is too low. */
  readonly worth: number;
}

/** Joins sections with empty lines between them; on a low screen without, and then without the least worthy ones. */
function arrange(height: number | undefined, sections: readonly Section[]): string {
  const shown = sections.filter(({ lines }) => lines.length > 0);
  const airy = shown.map(({ lines }) => lines.join('\n')).join('\n\n');
  if (height === undefined || airy.split('\n').length < height) return airy;
  const byWorth = [...shown].sort((a, b) => b.worth - a.worth);
  const rows = (some: readonly Section[]) => some.reduce((sum, { lines }) => sum + lines.length, 0);
  while (byWorth.length > 1 && rows(byWorth) >= height) byWorth.pop();
  return shown
    .filter((section) => byWorth.includes(section))
    .map(({ lines }) => lines.join('\n'))
    .join('\n');
}

const say = (text: string, style: Style, indent = 2): string[] =>
  wrap(plain(text), style.width - 2, indent).map((line, index) => (index === 0 ? `  ${line}` : `  ${line}`.trimEnd()));

function heading(view: View, status: Status, now: number, style: Style): string[] {
  const phase = paint(style, status.phase === 'NeedsOperator' ? ['red', 'bold'] : ['cyan', 'bold'], status.phase);
  const at = status.left ? ` (was ${status.left})` : '';
  const held = status.held
    ? paint(style, 'yellow', `  held by ${plain(status.held.by)}${reasonText(status.held)}`)
    : '';
  // Temporal calls every orderly end `completed`, and here that is what a person says to a failover.
  const how = view.execution === 'completed' ? '' : `: ${view.execution}`;
  const ended = isOpen(view) ? '' : `  the run is over${how}`;
  return [
    `${paint(style, 'bold', status.machine)}  ${phase}${at}${held}${ended}`,
    ...say(`since ${clock(status.phaseSince, now)}, ${since(status.phaseSince, now)}`, style),
    ...say(status.says, style, 0),
  ];
}

function sides(status: Status, style: Style): string[] {
  const facts: [string, string][] = [
    ['from', `${status.source.site}  ${status.source.path}`],
    ['to', `${status.target.site}  ${status.target.path}${status.targetIp ? `  (${status.targetIp})` : ''}`],
    ...(status.write === 'created' ? [['place', locationOf(status)] as [string, string]] : []),
    ...networkLines(status).map((line): [string, string] => ['nic', line]),
    ['serves', status.serves],
    ['disks', status.targetDisks],
    ['way', `sync ${status.sync}, write ${status.write}, mover ${status.mover}${handover(status)}`],
  ];
  return facts.flatMap(([label, text]) => {
    const lines = wrap(plain(text), style.width - 10);
    return lines.map((line, index) => `  ${paint(style, 'dim', pad(index === 0 ? label : '', 6))}  ${line}`);
  });
}

/** An earlier commit, which this run knows nothing of: by it the machine is home and its source deleted. */
function committedLines({ committed, runId, machine }: View, now: number, style: Style): string[] {
  if (!committed || committed.run === runId) return [];
  return [
    ...say(`An earlier run committed it home at ${clock(committed.at, now)} and deleted the source.`, style),
    `  See it: homeward failback evidence ${machine} --run ${committed.run}`,
  ];
}

const handover = ({ reassignment }: Status): string =>
  reassignment ? ` (${reassignment.mover} takes over, said by ${reassignment.by})` : '';

function trouble(status: Status, now: number, style: Style): string[] {
  const { trouble: what } = status;
  if (!what) return [];
  // Some messages say themselves what was done to what.
  const where = `${what.op} on ${what.subject}`;
  const first = say(`${what.kind}: ${what.message.startsWith(where) ? '' : `${where}: `}${what.message}`, style);
  return [
    ...first.map((line) => paint(style, 'red', line)),
    ...say(`What to do: ${what.hint}`, style),
    ...(what.step ? say(`Skip would leave out: ${what.step}`, style) : []),
    ...say(`waiting for a person since ${clock(what.since, now)}, ${since(what.since, now)}`, style),
  ];
}

/** Checks that stand in the way; passed ones are `homeward preflight`'s business. */
function blocked(status: Status, style: Style): string[] {
  if (status.phase !== 'Preflight' && status.left !== 'Preflight') return [];
  return status.checks
    .filter((check) => check.verdict !== 'pass')
    .flatMap((check) => [
      ...say(`${check.verdict} ${check.id} (${check.subject}): ${check.seen}`, style),
      ...(check.remedy ? say(`What to do: ${check.remedy}`, style) : []),
    ]);
}

const roundText = (round: RoundReport, now: number): string =>
  `#${round.number} ${round.mode}  ${bytes(round.changedBytes)} changed, ${bytes(round.copiedBytes)} copied in ${duration(round.durationMs)}, as of ${since(round.takenAt, now)} ago${roundReadBack(round.cached)}`;

function roundLines(rounds: RoundsStatus | undefined, now: number, style: Style): string[] {
  if (!rounds) return [];
  const head = `${count(rounds.done, 'round')} done, ${bytes(rounds.copiedBytes)} copied; now: ${rounds.now}`;
  const shown = rounds.recent.slice(-roundsShown).reverse();
  const narrower = { ...style, width: style.width - 2 };
  const lines = shown.flatMap((round) => say(roundText(round, now), narrower));
  return [...say(head, style), ...lines.map((line) => `  ${line}`)];
}

/** What a way back would lose. */
function atHomeLines({ liveSince, ...status }: Status, now: number, style: Style): string[] {
  if (liveSince === undefined || status.commitment) return [];
  return say(
    `${atHomeWords(status)} ${clock(liveSince, now)}; ${writtenText(status, (iso) => clock(iso, now), writtenThere)}`,
    style,
  );
}

const disksOf = ({ status }: View): string[] => (status?.disks ?? []).map(({ disk }) => disk);

/** What is being done now; steps that are tried again stand out, because an SRE looks for them first. */
function steps(view: View, now: number, style: Style): string[] {
  if (!isOpen(view)) return [];
  return view.pending.flatMap((one) => {
    if (one.paused) return [];
    const again = one.attempt > 1 && !one.noPlace;
    const ending = endingText(one, now);
    const turn = one.noPlace ? one.lastFailure : undefined;
    if (!again && (turn ?? one.doing ?? ending) === undefined) return [];
    if (turn !== undefined) return say(`now: ${stepText(one, disksOf(view))} waits for its turn: ${turn}`, style);
    const doing = one.doing === undefined || one.doing === one.activity ? '' : `: ${one.doing}`;
    const attempt = again ? `, attempt ${one.attempt}` : '';
    const why = one.lastFailure ? `; before: ${one.lastFailure}` : '';
    const lines = say(
      `now: ${stepText(one, disksOf(view))}${attempt}${doing}${why}${ending ? `; ${ending}` : ''}`,
      style,
    );
    return again || ending ? lines.map((line) => paint(style, 'yellow', line)) : lines;
  });
}

/** Steps that an operator paused in Temporal: nothing but an unpause lets them go on. */
function pausedLines(view: View, now: number, style: Style): string[] {
  if (!isOpen(view)) return [];
  return view.pending
    .filter(({ paused }) => paused)
    .flatMap(({ activityId, workflowId, pausedBy: { by, reason, since: at } = {} }) => [
      ...say(
        `${activityId} is paused by an operator in Temporal: ${by ?? 'somebody'}${reason ? ` (${reason})` : ''}${at ? `, since ${clock(at, now)}` : ''}`,
        style,
      ).map((line) => paint(style, 'yellow', line)),
      `  Type: ${unpauseCommand(workflowId, activityId)}`,
    ]);
}

/** After the end: what still exists on the source, so that nobody pays for it unseen. */
function remainsLines(view: View, style: Style): string[] {
  if (isOpen(view) || !view.remains) return [];
  if (view.remains.length === 0) return say('Nothing of it remains on the source.', style);
  return say(`Remains on the source: ${view.remains.join(', ')}`, style);
}

function costLines(view: View, style: Style): string[] {
  if (view.outageInAll && isOpen(view)) return say(`To expect: ${outageInAllText(view.outageInAll)}.`, style);
  if (view.outageAhead && isOpen(view))
    return say(`To expect: ${earlyOutageText(view.outageAhead, copyInside(view))}.`, style);
  if (!view.forecast || !view.status || phaseTable[view.status.phase]?.gate !== 'completeFailover') return [];
  return say(`Completing now: ${completionText(view.forecast)}.`, style);
}

/** The copy that is under way, and the limit it is under. */
function copyLines(view: View, style: Style): string[] {
  const limit = limitIn(view.transfers);
  return [...(view.copy ? say(copyText(view.copy), style) : []), ...(limit ? say(limitText(limit), style) : [])];
}

function waiting(view: View, status: Status, now: number, style: Style): string[] {
  const lines = saidTexts(status, now).flatMap((text) => say(text, style));
  if (!isOpen(view)) return lines;
  if (status.waitsFor)
    lines.push(...say(`Waits for: ${forPeople(status.waitsFor)}`, style).map((line) => paint(style, 'bold', line)));
  if (status.waiting) lines.push(...say(waitedText(status.waiting, now), style));
  const typed = whatToType(status);
  const first = typed.includes(completes(status)) ? beforeCompleting(status, view.missing ?? []) : undefined;
  if (first !== undefined) lines.push(...say(first, style).map((line) => paint(style, 'yellow', line)));
  lines.push(...typed.map((command) => `  Type: ${command}`));
  return lines;
}

/** Without what follows for Temporal's own tools, which begins with the JSON to send: here a command is shown. */
const forPeople = (waitsFor: string): string => waitsFor.split(' {"', 1)[0] ?? '';

const waitedText = ({ since: at, reminded, lastAt, expiresAt }: Waiting, now: number): string => {
  const expires = expiresAt
    ? ` ${expiryText(`${clock(expiresAt, now)} (${duration(Math.max(0, Date.parse(expiresAt) - now))} from now)`)}`
    : '';
  const reminders = lastAt ? `; ${count(reminded, 'reminder')}, the last ${since(lastAt, now)} ago` : '';
  return `It has waited for ${since(at, now)}${reminders}.${expires}`;
};

function refusals(status: Status, now: number, style: Style): string[] {
  const all = refusalsNow(status);
  const shown = all.slice(-refusalsShown);
  if (shown.length === 0) return [];
  const older = all.length - shown.length;
  return [
    ...shown.flatMap((one) =>
      say(`Refused ${one.message} by ${one.by} at ${clock(one.at, now)}: ${inOptions(one.reason)}`, style),
    ),
    ...(older > 0 ? say(`and ${older} refused before`, style) : []),
  ];
}

/** What can be told when no worker answered. */
function silent(view: View, now: number, style: Style): string[] {
  const phase = view.phaseSeen ? `  ${view.phaseSeen} (as last recorded)` : '';
  // At night it matters most whether this is an outage; the phase alone tells.
  const law = isOpen(view) ? phaseTable[view.phaseSeen as Phase] : undefined;
  return [
    `${paint(style, 'bold', view.machine)}  ${view.execution}${phase}`,
    ...(law ? say(`serves then: ${law.serves}. ${law.says}`, style) : []),
    ...say(`started ${clock(view.startedAt, now)}, ${since(view.startedAt, now)} ago`, style),
    ...(view.closedAt ? say(`ended ${clock(view.closedAt, now)}`, style) : []),
    ...(view.silent ? say(view.silent, style).map((line) => paint(style, 'yellow', line)) : []),
    ...missingLines(view.missing ?? [], [], now, style),
    ...diskLines([], view.transfers, now, style).map((line) => `  ${line}`),
    ...steps(view, now, style),
  ];
}
