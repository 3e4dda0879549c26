/**
 * What a person reads before saying yes: direction and cost before completing, what is deleted before committing.
 * Rule: it shows what the run itself reported just now; what is not known is said to be unknown, never left out.
 */

import { type Agreed, agreedWords } from '../../model/agreed.ts';
import { pointAtHome } from '../../model/another-point.ts';
import { completionGuards } from '../../model/completion-guards.ts';
import { phaseTable } from '../../model/phase.ts';
import type { PointChoice } from '../../model/point.ts';
import type { Status } from '../../model/status.ts';
import { writtenText } from '../../model/written.ts';
import type { View } from '../view.ts';
import { completionText, copyInside, earlyOutageText } from './ahead.ts';
import { bytes, clock, count, duration } from './figures.ts';
import { locationOf, networkLines } from './location.ts';
import { seenText } from './missing.ts';
import { plain } from './paint.ts';
import { choiceLines } from './points.ts';

const side = (address: { readonly site: string; readonly path: string }): string =>
  plain(`${address.site}  ${address.path}`);

/** Shown before *complete failover* (S002-11, S001-12). */
export function describeCompletion(view: View, status: Status, point?: PointChoice, now = Date.now()): string {
  const cost = costText(view, status);
  const all = status.disks.reduce((sum, disk) => sum + disk.sizeBytes, 0);
  return [
    `Complete the failover of ${plain(status.machine)}: this stops the source and starts the machine at home.`,
    ...agreedLines(status.agreed, ['commit']),
    `  direction  from ${side(status.source)}`,
    `             to   ${side(status.target)}`,
    `  location   ${locationOf(status)}`,
    ...networkLines(status).map((line, index) => `  ${index === 0 ? 'network ' : '        '}   ${line}`),
    `  disks      ${status.disks.length} of ${bytes(all)} in all`,
    `  cost       ${cost}`,
    ...choiceLines(view, status, point, now),
    ...missingNow(view, now),
    ...guardLines(view, status),
    ...agreedLines(status.agreed, ['rollback', 'people', 'beforeStop', 'prove', 'afterStart', 'probes', 'kept']),
    '  after it   the machine runs at home; until the commit it can still be cancelled, with loss of what was written there',
  ].join('\n');
}

function costText(view: View, { sync }: Status): string {
  const { forecast, outageAhead } = view;
  if (forecast) return completionText(forecast);
  if (outageAhead) return earlyOutageText(outageAhead, copyInside(view));
  return `not known yet: no round is done${sync === 'during' ? '; every disk is copied in full inside the outage' : ''}`;
}

/** Nothing of what the policy does by itself may come as a surprise (S2); a gate that is being opened expires no more. */
const agreedLines = (agreed: Agreed | undefined, titles: readonly string[]): string[] =>
  (agreed ? agreedWords(agreed) : [])
    .filter(({ title }) => titles.includes(title))
    .map(({ title, text }) => `  ${(title === 'commit' ? 'BY ITSELF' : title).padEnd(10)} ${plain(text)}`);

/** Without its workers an outage that begins does not end. */
const missingNow = ({ missing = [] }: View, now: number): string[] =>
  missing.map((one) => `  but        ${seenText(one, now)} Start it first: ${one.start}`);

/** What stands against completing now, or is worth knowing; nothing where all is well. */
function guardLines(view: View, status: Status): string[] {
  const { machine, sync, trouble } = status;
  return completionGuards({ machine, sync, rounds: view.rounds, trouble })
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ seen, remedy }) => `  but        ${plain(seen)}. ${plain(remedy ?? '')}`);
}

/** Shown before *reassign*: from where to where, and that everything is copied again. */
export function describeReassignment(view: View, status: Status, to: string): string {
  const all = status.disks.reduce((sum, disk) => sum + disk.sizeBytes, 0);
  const { cost, after } = reassignmentCost(view, status, bytes(all));
  return [
    `Let ${plain(to)} carry ${plain(status.machine)} from now on:`,
    `  from       ${plain(status.mover)}; its copy stops, and the disks are taken off it`,
    `  to         ${plain(to)}, which has no record of the disks`,
    `  cost       ${cost}`,
    `  after it   ${after}`,
  ].join('\n');
}

function reassignmentCost(view: View, status: Status, all: string): { cost: string; after: string } {
  const phase = status.left ?? status.phase;
  const { disks, sync } = status;
  // Until the stop is sent the source serves, whatever the phase, and where everything is copied behind it nothing is copied yet.
  const serves = status.outage === undefined;
  if (phaseTable[phase].reassign === 'at-once' || (serves && sync === 'during'))
    return { cost: 'nothing has been copied yet', after: plain(status.says) };
  const full = (view.rounds?.recent ?? []).filter((round) => round.mode === 'full');
  const last = full.at(-1);
  const took = last ? `; the last full copy moved ${bytes(last.copiedBytes)} in ${duration(last.durationMs)}` : '';
  const cost = `every disk is copied in full: ${count(disks.length, 'disk')} of ${all} in all${took}`;
  return {
    cost: serves ? cost : `${cost}, INSIDE THE OUTAGE`,
    after: serves
      ? 'the source serves meanwhile; a cutover waits until the full copy is proven'
      : 'to end the outage sooner, take the run back instead (homeward failback cancel)',
  };
}

/** Shown before *commit*: everything that is deleted, and the digest that is approved (S2). */
export function describeCommit(status: Status): string {
  return [
    `Commit ${plain(status.machine)}: it stays at home and this is deleted, with no way back:`,
    `  machine    ${side(status.source)}`,
    ...status.disks.map((disk) => `  disk       ${plain(disk.disk)}  ${plain(disk.source)}  ${bytes(disk.sizeBytes)}`),
    '  and        its network interfaces and our recovery points',
    ...staysLines(status),
    `  evidence   ${status.evidence ?? 'none yet'}`,
  ].join('\n');
}

/** Of our own recovery points. */
function staysLines(status: Status): string[] {
  const { keepFinalSnapshotsDays: days } = status;
  const older = pointAtHome(status) === 'application-consistent';
  if (!days && !older) return [];
  const alone = older ? ', which alone hold what the source wrote after the point that came home' : '';
  return [
    `  stays      the final snapshots${alone}, ${days ? `for ${count(days, 'day')}` : 'until you delete them in Azure'}`,
  ];
}

/** Whether the source was missing when it was last looked for: then nothing of it goes on, or can be started. */
const sourceMissing = ({ checks, sourceGone }: Status): boolean =>
  sourceGone === true || checks.some(({ id, verdict }) => id === 'source-found' && verdict === 'refuse');

const notFound = 'was NOT FOUND when it was last looked for: nothing can start it until it is there again';

/** Whether the way back leaves a source off, or as somebody switched it; whoever wants it to serve starts it. */
const staysAsItIs = ({ sourceUndo, sourceIdle }: Status): boolean =>
  sourceUndo === undefined ? sourceIdle === true : sourceUndo === 'leave';

const leftAsItIs = ({ sourceIdle }: Status): string =>
  sourceIdle
    ? 'IS LEFT AS IT IS: it was off when it was last looked at, and nobody serves then until somebody starts it'
    : 'IS LEFT AS IT IS: it was off before its stop, and somebody started it since; nobody serves then unless it still runs';

/** What the way back does at home until then (activities/source-there.ts). */
const untilThere = 'nothing is stopped or deleted unless the source is there again';

/** Shown before a *cancel* that loses nothing: who serves then, and what becomes of what was written (S5). */
export function describeCancel(status: Status): string {
  const missing = sourceMissing(status);
  const stays = staysAsItIs(status);
  const down = status.outage !== undefined || status.sourceIdle === true;
  const then = stays ? leftAsItIs(status) : down ? 'is started again' : 'goes on as it is';
  return [
    `Cancel the failback of ${plain(status.machine)}: everything is taken back${missing || stays ? '' : ', and the source serves'}.`,
    `  now        ${plain(status.phase)}; serves: ${plain(status.serves)}`,
    `  source     ${side(status.source)} ${missing ? notFound : then}`,
    `  at home    ${leftAtHome(status, missing)}`,
    '  after it   the run is over; another one begins from the start',
  ].join('\n');
}

function leftAtHome({ phase, left, write }: Status, missing: boolean): string {
  if (phaseTable[left ?? phase].cancel === 'end') return 'nothing was changed yet';
  const asWritten = 'the original disks, written in place, are NOT undone';
  if (missing) return write === 'in-place' ? `${asWritten}; ${untilThere}` : untilThere;
  if (write === 'in-place') return `${asWritten}; a later run in place repairs them`;
  return write === 'staged'
    ? 'the new disks are removed; the original ones were not touched'
    : 'the new machine is removed';
}

/** Shown before a *cancel* that accepts loss: who stops, and what is gone with it (S5). */
export function describeLoss(status: Status, nowMs = Date.now()): string {
  const since = status.liveSince ?? status.outage?.endedAt;
  const ran = since === undefined ? '' : ` since ${since} (${duration(nowMs - Date.parse(since))})`;
  const missing = sourceMissing(status);
  const stays = staysAsItIs(status);
  const stops = `the machine at home stops${stays ? '' : ' and the source serves again'}`;
  const starts = missing
    ? ` ${notFound}`
    : stays
      ? ` ${leftAsItIs(status)}`
      : ', as it was at the final recovery point';
  return [
    `Cancel the failback of ${plain(status.machine)} with loss: ${missing ? untilThere : stops}.`,
    `  now        ${plain(status.phase)}; serves: ${plain(status.serves)}`,
    `  stops      ${side(status.target)}${missing ? ', only if the source is there again' : ''}`,
    `  starts     ${side(status.source)}${starts}`,
    `  lost       everything written at home${ran}${missing ? ', once it stops' : ''}; ${writtenText(status, (iso) => clock(iso, nowMs))}`,
  ].join('\n');
}

/** Shown before *change point*: who stops, what is gone with it, and what comes instead (S5). */
export function describePointChange(view: View, status: Status, point: PointChoice, nowMs = Date.now()): string {
  const since = status.liveSince;
  const ran = since === undefined ? '' : ` since ${since} (${duration(nowMs - Date.parse(since))})`;
  return [
    `Take another point of ${plain(status.machine)} home: the machine at home stops, its disks change, and it starts again.`,
    `  now        ${plain(status.phase)}; serves: ${plain(status.serves)}; at home: the ${pointAtHome(status)} point`,
    `  stops      ${side(status.target)}`,
    ...choiceLines(view, status, point, nowMs),
    ...(status.targetLive
      ? [`  lost       everything written at home${ran}; ${writtenText(status, (iso) => clock(iso, nowMs))}`]
      : []),
    '  cost       an outage: every disk is read at home and compared, and what was written or differs is fetched',
    '  after it   its commit is waited for anew; the other point can be chosen again until then',
  ].join('\n');
}

/** Shown before *resolve --skip*: what stays undone (L6). */
export function describeSkip(status: Status): string {
  const { trouble } = status;
  return [
    `Leave a step of the run of ${plain(status.machine)} out; it stays undone, and the record says who left it out:`,
    `  step       ${plain(trouble?.step ?? 'the one in trouble')}`,
    `  because    ${plain(trouble ? `${trouble.kind}: ${trouble.message}` : 'unknown')}`,
    '  after it   the run goes on as if the step were done; what it should have done is left to you',
  ].join('\n');
}
