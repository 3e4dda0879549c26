/**
 * What the Temporal UI shows under "current details": how the run stands, in Markdown that needs no table borders.
 * Rule: an SRE who never saw the code knows from it who serves, what is waited for and what to type.
 */
import { pointAtHome } from '../model/another-point.ts';
import { lastWords, soakIn } from '../model/arrival.ts';
import { atHomeWords } from '../model/commit-rules.ts';
import { type Convergence, divergenceAdvice, divergenceTitle, liftCommand } from '../model/convergence.ts';
import { type FailbackInput, machineWorkflowId, roundsWorkflowId } from '../model/failback-input.ts';
import { changesUnknown, forecastCompletion, forecastOutage, type OutageForecast } from '../model/forecast.ts';
import type { DiskPair } from '../model/machine.ts';
import { messageMeaning } from '../model/message.ts';
import { outagesTogether } from '../model/outage.ts';
import { changingText, olderText } from '../model/point.ts';
import { roundReadBack } from '../model/read-back.ts';
import { refusalsNow } from '../model/refusals.ts';
import { rereadCost, type ScrubReport } from '../model/scrub.ts';
import {
  expiryText,
  lossText,
  type RoundReport,
  type RoundsStatus,
  type Status,
  type Waiting,
} from '../model/status.ts';
import { writtenText, writtenThere } from '../model/written.ts';
import { pausedLines } from './steered.ts';

/** Temporal refuses details over 20,000 bytes. */
const detailsLimit = 18_000;

const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

export function failbackDetails(status: Status): string {
  // The rounds tell of a turn only; that they hardly get shorter is in their own details.
  const stuck = status.convergence?.converges === false ? divergenceText(status.convergence) : undefined;
  const lines = [
    `## ${status.machine}: ${status.phase}${status.left ? ` (in ${status.left})` : ''}`,
    status.says,
    '',
    `- **Serves:** ${status.serves}`,
    `- **Target disks:** ${status.targetDisks}`,
    `- **From:** ${status.source.site} \`${status.source.path}\``,
    `- **To:** ${status.target.site} \`${status.target.path}\` (${status.write}, sync ${status.sync})`,
    `- **Mover:** ${status.mover}${status.reassignment ? `, ${status.reassignment.mover} takes over` : ''}`,
    `- **In this phase since:** ${status.phaseSince}`,
    ...(status.outage ? [`- **Outage:** ${outageText(status)}`] : []),
    ...(status.evidence ? [`- **Evidence of the disks:** \`${status.evidence}\``] : []),
    ...(status.targetIp ? [`- **Guest answers at:** ${status.targetIp}`] : []),
  ];
  if (status.liveSince && !status.commitment)
    lines.push(`- **${atHomeWords(status)}:** ${status.liveSince}; ${writtenText(status, undefined, writtenThere)}`);
  if (status.loss) lines.push(`- **Lost:** ${lossText(status.loss)}`);
  lines.push(...arrivalDetails(status));
  lines.push(...pausedLines(machineWorkflowId(status.machine), status.paused ?? []));
  if (status.awaits) {
    const { for: what, since, until } = status.awaits;
    lines.push('', `**Waits by itself for ${what}**, since ${since}, until ${until}; nobody needs to do anything.`);
  }
  if (status.waiting) lines.push('', waitingText(status.waiting));
  if (status.held) lines.push('', `### Held by ${status.held.by}`, 'Send `resume` to go on: `{"by":"you"}`');
  if (status.trouble) lines.push(...troubleLines(status));
  else if (status.waitsFor) lines.push('', '### Waits for a person', literal(status.waitsFor));
  if (status.rounds) lines.push('', '### Rounds', roundsText(status.rounds));
  else if (stuck) lines.push('', `### ${stuck.title}`, stuck.text);
  lines.push(...pointText(status));
  if (status.roundsWorkflow) lines.push(`The rounds run in workflow \`${status.roundsWorkflow}\`.`);
  const refusal = refusalsNow(status).at(-1);
  if (refusal) lines.push('', `**Last refusal:** \`${refusal.message}\` from ${refusal.by}: ${refusal.reason}`);
  return shortened(lines.join('\n'));
}

/** Scripts, probes and what follows by itself, each in one line. */
function arrivalDetails(status: Status): string[] {
  const { arrival } = status;
  if (!arrival) return [];
  const { steps, probes, proof, kept } = arrival;
  const soak = soakIn(status);
  return [
    ...steps.flatMap((step) => [
      `- **Script ${step.name}** (${step.side}): ${step.ended}, ${step.seen}`,
      ...lastWords(step).map((line) => `  - \`${line.replaceAll('`', "'")}\``),
    ]),
    ...(proof ? [`- **Proven apart first:** ${proof.state} ${proof.at}`] : []),
    ...probes.map(
      ({ name, passed, seen, at }) => `- **Probe ${name}:** ${passed ? 'passed' : 'failed'} ${at}, ${seen}`,
    ),
    ...(soak?.state === 'holds' && soak.until !== undefined
      ? [
          `- **Commit approved beforehand** by ${soak.approvedBy}: follows at ${soak.until} if all probes hold until then`,
          '  - To stop it send `hold` `{"by":"you"}`, or go back with loss: `cancel` `{"by":"you","acceptLoss":true}`',
        ]
      : []),
    ...(soak?.state === 'off' ? ['- **Approved beforehand:** counts no more, a person decides'] : []),
    ...(kept ? [`- **Final snapshots:** kept until ${kept.until} by workflow \`${kept.workflow}\``] : []),
  ];
}

/** Cut by bytes, as Temporal counts: what came from outside may be written in any script. */
function shortened(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return bytes.byteLength <= detailsLimit ? text : new TextDecoder().decode(bytes.subarray(0, detailsLimit));
}

const waitingText = ({ since, reminded, lastAt, expiresAt }: Waiting): string =>
  `**Waits for a person since ${since}**${lastAt ? `, reminded ${reminded} times, last ${lastAt}` : ''}.${expiresAt ? ` ${expiryText(expiresAt)}` : ''}`;

function troubleLines({ trouble, waitsFor = '' }: Status): string[] {
  if (!trouble) return [];
  return [
    '',
    `### Needs an operator since ${trouble.since}`,
    `**${trouble.kind}** in \`${trouble.op}\` ${trouble.subject}: ${trouble.message}`,
    '',
    `**What to do:** ${trouble.hint}`,
    ...(trouble.step ? ['', `**Skip would leave out:** ${trouble.step}`] : []),
    '',
    `Then send ${literal(waitsFor)}`,
  ];
}

/** JSON to be typed stays as it is: outside of code the UI turns its quotes into curly ones. */
const literal = (text: string): string => text.replace(/\{[^}]*\}/g, (json) => `\`${json}\``);

/** One that lasts is told by its beginning: nobody writes this anew while time passes. */
const outageText = ({ outage, outagesBefore = [] }: Status): string => {
  const over = [...outagesBefore, ...(outage?.endedAt ? [outage] : [])];
  const { ms = 0 } = outagesTogether({ outage: over.at(-1), outagesBefore: over.slice(0, -1) }, 0) ?? {};
  const seconds = `${(ms / 1000).toFixed(1)} s`;
  if (outage && !outage.endedAt) return `since ${outage.startedAt}${over.length > 0 ? `; before it ${seconds}` : ''}`;
  return over.length > 1 ? `${seconds}, ${over.length} outages together` : seconds;
};

function roundsText(rounds: RoundsStatus): string {
  const limit = rounds.recent.at(-1)?.limit;
  const stuck = divergenceText(rounds.convergence);
  return [
    `${rounds.done} proven, ${mebibytes(rounds.copiedBytes)} moved. Now: ${rounds.now}`,
    ...(limit ? [`Limit in the last round: ${mebibytes(limit.bytesPerSecond)}/s by ${limit.by}.`] : []),
    ...(stuck ? ['', `**${stuck.title}.** ${stuck.text}`] : []),
    '',
    ...rounds.recent.slice(-5).map(roundLine),
    ...(rounds.scrubs ?? []).map(scrubLine),
  ].join('\n');
}

/** S001-13: that an older moment can be chosen, and why the last wish for one failed. */
function pointText(status: Status): string[] {
  const { applicationPoints = [], pointTrouble, completion, cancellation, pointChange } = status;
  const newest = applicationPoints.at(-1);
  const older = pointAtHome(status) === 'application-consistent' && !cancellation && !pointChange;
  const choose = '`{"by":"you","point":"application-consistent"}`';
  return [
    ...(newest && !completion
      ? [
          '',
          `**Application-consistent point:** ${newest.takenAt}; ${choose} chooses it and loses what was written since.`,
        ]
      : []),
    ...(pointChange ? ['', `**Another point:** ${changingText(pointChange)}`] : []),
    ...(older && newest ? ['', olderText(newest.takenAt)] : []),
    ...(pointTrouble
      ? ['', `**No application-consistent point at ${pointTrouble.at}:** ${pointTrouble.message} ${pointTrouble.hint}`]
      : []),
  ];
}

/** A title with both rates, and what to do; undefined where there is nothing to tell. */
function divergenceText(judged: Convergence | undefined): { title: string; text: string } | undefined {
  const title = divergenceTitle(judged);
  if (!judged || !title) return undefined;
  const { changedBytesPerSecond, movedBytesPerSecond } = judged;
  const lift = liftCommand(judged);
  return {
    title: `${title}: ${mebibytes(changedBytesPerSecond)}/s change, ${mebibytes(movedBytesPerSecond)}/s are moved`,
    text: `${divergenceAdvice(judged)}${lift ? ` To lift the limit: \`${lift}\` (or another rate than none).` : ''}`,
  };
}

/** As of the last words of the rounds; the CLI computes it anew at each look. */
function completionText(input: FailbackInput, pairs: readonly DiskPair[], rounds: RoundsStatus): string[] {
  const { measured } = input;
  const sizeBytes = pairs.reduce((sum, pair) => sum + pair.source.sizeBytes, 0);
  const reread = input.policy.reread ? rereadCost(sizeBytes, rounds.scrubs) : undefined;
  const ahead = forecastCompletion({ recent: rounds.recent, measured, sizeBytes, reread }, Date.now());
  if (!ahead) {
    const longer = 'and longer by what changes while the first copy runs, which is known after it';
    return ['', `To expect: ${costText(forecastOutage({ measured, reread }), longer)}`];
  }
  const { likely, low, high } = ahead.bytes;
  if (changesUnknown(ahead.bytes)) {
    const shortest = ahead.outageSeconds.low.toFixed(0);
    return [
      '',
      `Completing now would move up to ${mebibytes(high)}, no round has shown yet how much changes, and cost ${shortest} s of outage or more.`,
    ];
  }
  const span = `${mebibytes(likely)} (${mebibytes(low)} to ${mebibytes(high)})`;
  return ['', `Completing now would move about ${span} and cost ${costText(ahead)}`];
}

function costText({ outageSeconds: { likely, low, high }, assumed, reread }: OutageForecast, longer = ''): string {
  const time = `about ${likely.toFixed(0)} s (${low.toFixed(0)} s to ${high.toFixed(0)} s) of outage`;
  const again = reread ? `${reread.seconds} s of it to read all ${mebibytes(reread.bytes)} again (policy reread)` : '';
  const guessed = [...assumed, ...(reread?.measured === false ? ['pace of reading again'] : [])];
  const unsure = guessed.length > 0 ? `; assumed, not measured yet: ${guessed.join(', ')}` : '';
  return `${[time, again, longer].filter((one) => one !== '').join(', ')}${unsure}.`;
}

const scrubLine = ({ disk, last, damage, damages, problem }: ScrubReport): string => {
  const before = damages > 0 ? ` (${damages} times damaged)` : '';
  const stands = last
    ? `all ${mebibytes(last.bytes)} read again and equal, pass ${last.pass} ended ${last.endedAt}`
    : 'not yet read again in full';
  const trouble = problem === undefined ? '' : `; last try: ${problem}`;
  return `- scrub of ${disk}: ${damage === undefined ? stands + trouble : `**damaged:** ${damage}; copied in full again`}${before}`;
};

const roundLine = (round: RoundReport): string =>
  `- round ${round.number} (${round.mode}): ${mebibytes(round.changedBytes)} changed, ${mebibytes(round.copiedBytes)} moved in ${(round.durationMs / 1000).toFixed(1)} s${roundReadBack(round.cached)}`;

export const roundsDetails = (input: FailbackInput, pairs: readonly DiskPair[], rounds: RoundsStatus): string =>
  [
    `## Rounds of ${input.machine}`,
    roundsText(rounds),
    ...completionText(input, pairs, rounds),
    ...pausedLines(roundsWorkflowId(input.machine), rounds.paused ?? []),
    '',
    `The source serves. To cut over, send \`completeFailover\` to workflow \`machine/${input.machine}\`: ${literal(messageMeaning.completeFailover)}`,
  ].join('\n');
