/**
 * Draws the preflight's answer: verdict, check, subject, what was seen, what to do.
 * Rule: what stands in the way comes with its remedy, and the last line says whether a failback may start.
 */
import { blocking, type Check, type Verdict } from '../../model/check.ts';
import { type Phase, phaseTable } from '../../model/phase.ts';
import { pad, paint, plain, type Style, wrap } from './paint.ts';

const colours: Readonly<Record<Verdict, 'green' | 'yellow' | 'red'>> = {
  pass: 'green',
  warn: 'yellow',
  wait: 'yellow',
  refuse: 'red',
};
const verdictWidth = 6;

export function renderChecks(machine: string, checks: readonly Check[], style: Style): string {
  const lines = checks.flatMap((check) => checkLines(check, style));
  return [...lines, '', verdictLine(machine, checks, style)].join('\n');
}

/** While a run is under way the run is told first, and no verdict is given: nothing can start beside it. */
export function renderChecksDuring(machine: string, phase: string, checks: readonly Check[], style: Style): string {
  const untouched = Object.hasOwn(phaseTable, phase) && phaseTable[phase as Phase].targetDisks === 'as found';
  const seen = untouched
    ? 'It has changed nothing yet, so the checks see the machine as it was found.'
    : 'What it has made itself (open disks, marks, disks on the mover) is told as its own.';
  return [
    ...wrap(`A run of ${plain(machine)} is under way, in phase ${plain(phase)}. ${seen}`, style.width).map((line) =>
      paint(style, 'yellow', line),
    ),
    `See it: homeward failback status ${plain(machine)}`,
    '',
    ...checks.flatMap((check) => checkLines(check, style)),
    '',
    `${paint(style, 'yellow', 'under way')}: nothing starts beside this run (${sumsOf(checks)})`,
  ].join('\n');
}

function checkLines(check: Check, style: Style): string[] {
  const indent = verdictWidth + 2;
  const room = style.width - indent;
  const requirement = check.requirement ? `  ${check.requirement}` : '';
  const head = wrap(`${plain(check.id)}  ${plain(check.subject)}${requirement}`, room);
  const arrow = style.unicode ? '→' : '->';
  const body = [
    ...head,
    ...wrap(plain(check.seen), room),
    ...(check.remedy ? wrap(`${arrow} ${plain(check.remedy)}`, room, arrow.length + 1) : []),
  ];
  const verdict = paint(style, colours[check.verdict], pad(check.verdict, verdictWidth));
  return body.map((line, index) => (index === 0 ? `${verdict}  ${line}` : `${' '.repeat(indent)}${line}`));
}

function sumsOf(checks: readonly Check[]): string {
  const verdicts: readonly Verdict[] = ['pass', 'warn', 'wait', 'refuse'];
  return verdicts.map((each) => `${checks.filter(({ verdict }) => verdict === each).length} ${each}`).join(', ');
}

function verdictLine(machine: string, checks: readonly Check[], style: Style): string {
  const blockers = blocking(checks);
  const sums = sumsOf(checks);
  if (blockers.length > 0 && !checks.some(({ verdict }) => verdict === 'refuse'))
    return `${paint(style, 'yellow', 'waits')}: ${machine} may come home once what it waits for is there; a run asks again by itself (${sums})`;
  if (blockers.length === 0) return `${paint(style, 'green', 'clear')}: ${machine} may come home (${sums})`;
  return `${paint(style, 'red', 'blocked')}: ${machine} cannot come home yet (${sums})`;
}
