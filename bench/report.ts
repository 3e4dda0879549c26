/**
 * A report as people read it: the table of rows, the machine, and time and memory drawn against size.
 * Rule: made from the JSON alone, so that the table in docs/performance.md can be checked against it. Pure.
 */
import { type Machine, type Report, type Result, reached, type SizePoint } from './result.ts';
import { rows } from './rows.ts';

const begin =
  '<!-- Written by `npm run bench` from docs/performance.json; what stands between these two lines is not for hands. -->';
const end = '<!-- End of what `npm run bench` wrote. -->';

/** Three figures, as many as such measurements are worth. */
export const figure = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));

const goalOf = ({ goal, better }: Result): string =>
  goal === null ? '—' : `${better === 'more' ? '≥' : '≤'} ${figure(goal)}`;

function standing(result: Result): string {
  if (result.value === null) return 'not measured';
  const met = reached(result);
  return met === undefined ? '—' : met ? 'reached' : '**missed**';
}

function line(result: Result): string {
  const value = result.value === null ? '—' : `${figure(result.value)} ${result.unit}`;
  const told = result.why ?? result.note ?? '';
  const rounds = result.rounds.length > 6 ? spread(result.rounds) : result.rounds.map(figure).join(', ');
  return `| \`${result.name}\` | ${rows[result.name].what} | ${goalOf(result)} | ${value} | ${standing(result)} | ${rounds} | ${told} |`;
}

const spread = (rounds: readonly number[]): string =>
  `${rounds.length} rounds, ${figure(Math.min(...rounds))} to ${figure(Math.max(...rounds))}`;

const machineLine = ({ cpu, cores, memoryMiB, kernel, node, target, loadAverage }: Machine): string =>
  `${cpu}, ${cores} cores, ${Math.round(memoryMiB / 1024)} GiB, Linux ${kernel}, Node ${node}; targets on ${target}; ` +
  `load average when it began: ${loadAverage.map((each) => each.toFixed(2)).join(', ')}`;

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${figure(value)} ${units[unit]}`;
}

const widest = 32;

/** One bar a disk; the longest bar is the largest value. */
function bars(
  title: string,
  points: readonly SizePoint[],
  amountOf: (point: SizePoint) => number,
  unit: string,
): string[] {
  const most = Math.max(...points.map(amountOf));
  const drawn = points.map((point) => {
    const name = `${sizeText(point.sizeBytes)} (${sizeText(point.dataBytes)} of data)`;
    const bar = '█'.repeat(Math.max(1, Math.round((amountOf(point) / most) * widest)));
    return `${name.padEnd(32)} ${bar} ${figure(amountOf(point))} ${unit}`;
  });
  return [title, ...drawn, ''];
}

function plot(sizes: readonly SizePoint[]): string {
  if (sizes.length === 0) return '';
  const sorted = sizes.toSorted((a, b) => a.sizeBytes - b.sizeBytes || a.dataBytes - b.dataBytes);
  const drawn = [
    ...bars('Time of a verified full copy', sorted, ({ seconds }) => seconds, 's'),
    ...bars('Peak memory of the mover', sorted, ({ peakMiB }) => peakMiB, 'MiB'),
  ];
  return ['', 'Time and memory against size:', '', '```text', ...drawn.slice(0, -1), '```', ''].join('\n');
}

/** The table and the plot. */
export function tableOf({ at, quick, machine, peers, results, sizes }: Report): string {
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${at.slice(0, 10)}${quick ? ' with `--quick` (smaller disks: not to be quoted)' : ''}: ${machineLine(machine)}.`,
    `Against: ${versions.join('; ') || 'nobody'}.`,
    '',
    '| row | what | goal | measured | | rounds | remarks |',
    '|---|---|---|---|---|---|---|',
    ...results.map(line),
    plot(sizes),
  ].join('\n');
}

/** The document with the part between the two marks replaced. Throws when it has no such part. */
export function withTable(document: string, report: Report): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error('docs/performance.md has lost the two lines between which the table stands');
  return `${document.slice(0, from + begin.length)}\n\n${tableOf(report)}\n${document.slice(to)}`;
}

export const marks = `${begin}\n${end}`;
