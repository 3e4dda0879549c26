/**
 * Draws how a machine arrives: scripts in its guests, probes, the proof apart from everybody, what follows by itself.
 * Rule: whoever is named by what follows stands beside it; what failed is shown with what was seen, never as a mere cross.
 */
import {
  type ArrivalFacts,
  lastWords,
  type ProbeFact,
  type SoakFact,
  type StepFact,
  soakIn,
} from '../../model/arrival.ts';
import type { Status } from '../../model/status.ts';
import { clock, count, duration, since } from './figures.ts';
import { paint, plain, type Style, wrap } from './paint.ts';

const marks = { done: 'ok', failed: 'failed', 'not-run': 'not run' } as const;

const stepLine = ({ name, side, ended, critical, tries, seen }: StepFact): string => {
  const again = tries > 1 ? `, ${count(tries, 'try').replace('trys', 'tries')}` : '';
  const warning = ended !== 'done' && !critical ? ' (a warning only)' : '';
  return `script ${name} in the ${side}: ${marks[ended]}${again}${ended === 'done' ? '' : `, ${seen}`}${warning}`;
};

const probeLine = ({ name, passed, seen }: ProbeFact): string =>
  `probe ${name}: ${passed ? 'passed' : 'failed'}, ${seen}`;

function soakLine({ since: begun, until, approvedBy, state }: SoakFact, now: number): string {
  if (state === 'off')
    return approvedBy === undefined
      ? 'the probes hold no more'
      : `what ${approvedBy} approved beforehand counts no more: a probe failed, so a person decides`;
  if (until === undefined || approvedBy === undefined)
    return `the probes are looked at again and again since ${clock(begun, now)}`;
  const leftMs = Date.parse(until) - now;
  const when = leftMs > 0 ? `in ${duration(leftMs)}` : 'now';
  return `the probes hold since ${clock(begun, now)} (${since(begun, now)}); if they go on, the commit follows ${when}, approved beforehand by ${approvedBy}`;
}

function keptLine({ snapshots, until, workflow }: NonNullable<ArrivalFacts['kept']>, now: number): string {
  return `${count(snapshots.length, 'final snapshot')} stay in the source until ${clock(until, now)}; ${workflow} deletes them then, or as soon as somebody releases them`;
}

/** L4: whoever sees a commit come can stop it. */
const stopLines = (machine: string, { state, until }: SoakFact): string[] =>
  state === 'holds' && until !== undefined
    ? [
        `to stop it: homeward failback hold ${machine} (the time begins anew with resume), or back to the source, with loss: homeward failback cancel --accept-loss ${machine}`,
      ]
    : [];

/** One sentence each, as plain text. */
const arrivalTexts = (
  { steps, proof, probes, kept }: ArrivalFacts,
  soak: SoakFact | undefined,
  { machine }: Status,
  now: number,
): string[] => [
  ...steps.flatMap((step) => [stepLine(step), ...lastWords(step).map((line) => `| ${line}`)]),
  ...(proof
    ? [proof.state === 'proven' ? 'proven apart from everybody first' : 'boots apart from everybody first']
    : []),
  ...probes.map(probeLine),
  ...(soak ? [soakLine(soak, now), ...stopLines(machine, soak)] : []),
  ...(kept ? [keptLine(kept, now)] : []),
];

export const arrivalLines = (status: Status, now: number, style: Style): string[] =>
  (status.arrival ? arrivalTexts(status.arrival, soakIn(status), status, now) : []).flatMap((text) =>
    wrap(plain(text), style.width - 2, 2).map((line) =>
      /: failed|not run|no more/.test(text) ? paint(style, 'yellow', `  ${line}`.trimEnd()) : `  ${line}`.trimEnd(),
    ),
  );
