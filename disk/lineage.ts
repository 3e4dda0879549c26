/**
 * May these changes go onto this disk? A pure decision from the record, the marker found on the disk and the wish.
 * Rule: S9, a delta goes only onto the exact point it was computed from, on the very disk the record speaks of;
 * a full copy may take over any disk that is not another machine's. Never guesses: what does not fit is unknown.
 */
import { corrupt, type Failure, fenced, refused } from '../model/failure.ts';
import type { LedgerView } from './ledger.ts';
import { cutRun, markerKey, type OpenMarker } from './open-marker.ts';
import type { DiskState } from './records.ts';

export interface Wish {
  readonly machine: string;
  readonly disk: string;
  readonly run: string;
  readonly sizeBytes: number;
  readonly point: string;
  readonly base: string | undefined;
  /** How many movers had the disk before in this run; absent: none. */
  readonly handovers?: number | undefined;
  /** How often the target had the disk in use in this run, each time after a seal; absent: never. */
  readonly uses?: number | undefined;
  /** How often in this run a disk was found to be elsewhere than it was opened; absent: never. */
  readonly anew?: number | undefined;
}

/** `repeat`: it is done already. `resume`: it was begun. `begin`: a new round on an open disk. `reopen`: on one that was in use. */
export type Decision = 'repeat' | 'resume' | 'begin' | 'reopen' | 'take-over';

const lineageError = (subject: string, message: string): Failure =>
  corrupt({
    op: 'lineage',
    subject,
    message,
    hint: 'These changes do not fit what the disk holds; copy the disk in full (without a base).',
  });

const holding = ({ point, round }: DiskState): string =>
  round === null ? (point ?? 'nothing yet') : `an unfinished copy of ${round.point}`;

/** Throws `Refused` when the disk is open for another machine or disk: it is the wrong device. */
export function refuseForeign(
  wish: Pick<Wish, 'machine' | 'disk'>,
  marker: OpenMarker | undefined,
  subject: string,
): void {
  if (marker === undefined || marker.key === markerKey(wish.machine, wish.disk)) return;
  throw refused({
    op: 'lineage',
    subject,
    message: `the disk is open for ${marker.machine}, disk ${marker.disk}, run ${marker.run}`,
    hint: 'See which device was plugged in; to give this disk to another machine, wipe its first sector by hand.',
  });
}

/**
 * S8: throws `Fenced` when this run has given the disk to another mover since. A full copy may take over what it does not
 * know, so without this a late attempt would take the disk back.
 */
export function refuseLateMover(
  { run, handovers = 0 }: Pick<Wish, 'run' | 'handovers'>,
  marker: OpenMarker | undefined,
  subject: string,
): void {
  if (marker === undefined || marker.run !== cutRun(run) || (marker.handovers ?? 0) <= handovers) return;
  throw fenced({
    op: 'handover',
    subject,
    message: 'this run has given the disk to another mover',
    hint: 'Nothing to do: the other mover goes on.',
  });
}

/** Something else put the marker back, so that the bytes are not known any more either. */
export const sealedYetOpen = 'the disk is sealed by the record, and open by its marker';

/** S3, S9: whoever had the disk meanwhile may have written it, and a write on its way while it was moved may be lost. */
const isBehind = ({ anew: known = 0 }: DiskState, { anew = 0 }: Pick<Wish, 'anew'>): boolean => known < anew;
const wasElsewhere = 'the disk was elsewhere than it was opened since this copy of it was begun';

/** Why the record cannot be trusted to say what the disk holds; undefined when it can. */
export function distrust(
  state: DiskState,
  marker: OpenMarker | undefined,
  wish: Pick<Wish, 'run' | 'sizeBytes' | 'anew'>,
): string | undefined {
  if (state.run !== wish.run) return `the record belongs to run ${state.run}`;
  if (state.sizeBytes !== wish.sizeBytes) return `the record is of a disk of ${state.sizeBytes} bytes`;
  if (state.phase === 'broken') return `an earlier proof failed: ${state.brokenBecause}`;
  if (isBehind(state, wish)) return wasElsewhere;
  if (marker === undefined) return 'the disk does not carry the open marker the record speaks of';
  if (marker.id !== state.id) return 'the disk carries the open marker of another copy';
  if (state.phase === 'sealed') return sealedYetOpen;
  // The record is written before the marker, so the marker can never be ahead unless records were lost.
  if (marker.epoch > state.epoch) return `attempt ${marker.epoch} wrote the disk, the record ends at ${state.epoch}`;
  const { marked = 0 } = state;
  // A marker is never written back, so one older than the disk is known to have carried is the disk itself, set back.
  if (marker.epoch < marked)
    return `the disk is older than its record: it carries the marker of attempt ${marker.epoch}, and that of ${marked} was on it`;
  return undefined;
}

export function decideTransfer(
  view: LedgerView,
  marker: OpenMarker | undefined,
  wish: Wish,
  subject: string,
): Decision {
  refuseForeign(wish, marker, subject);
  refuseLateMover(wish, marker, subject);
  const whole = wish.base === undefined;
  if (view.known && view.state.run === wish.run) {
    refuseBeforeUse(view.state, marker, wish, subject);
    if (view.state.phase === 'sealed') return decideReopen(view.state, marker, wish, subject);
  }
  const doubt = view.known ? distrust(view.state, markedOf(view.state, marker), wish) : view.because;
  if (doubt !== undefined || !view.known) {
    if (whole) return 'take-over';
    throw lineageError(subject, doubt ?? 'nothing is known of the disk');
  }
  const { state } = view;
  const base = wish.base ?? null;
  if (state.round !== null) {
    if (state.round.point === wish.point && state.round.base === base) return 'resume';
  } else if (state.point === wish.point && (state.lastProof?.base ?? null) === base) return 'repeat';
  else if (state.point !== null && state.point === wish.base) return 'begin';
  if (whole) return 'take-over';
  throw lineageError(subject, `the disk holds ${holding(state)}, the changes begin at ${wish.base}`);
}

/** Stands for the marker where the record explains that there is none. */
const explained = ({ id, epoch }: DiskState): OpenMarker => ({ ...emptyMarker, id, epoch });

/** A disk that came back from its use is open by the record before its marker is written. */
const markedOf = (state: DiskState, marker: OpenMarker | undefined): OpenMarker | undefined =>
  marker === undefined && state.phase === 'opening' && state.round?.used ? explained(state) : marker;

/**
 * S8: an attempt that knows of fewer uses than there were seals comes late, or the disk may be in use right now; but not one
 * that carries the marker of this record's own copy, which boots nowhere and would else be kept from its full copy.
 */
function refuseBeforeUse(
  { id, seals = 0, phase }: DiskState,
  marker: OpenMarker | undefined,
  { uses = 0 }: Wish,
  subject: string,
): void {
  if (uses >= seals || (phase === 'sealed' && marker?.id === id)) return;
  if (phase === 'sealed')
    throw refused({
      op: 'lineage',
      subject,
      message: 'the disk was sealed in this run and may be in use',
      hint: 'A sealed disk is written again only by a new run, or once it was taken off its machine for another point.',
    });
  throw fenced({
    op: 'lineage',
    subject,
    message: `the disk was sealed ${seals} time(s) in this run, this attempt knows of ${uses}`,
    hint: 'A late attempt; it ends by itself.',
  });
}

/** S9: what was sealed is known to the last leaf, so that what differs now was written in the meantime. */
function decideReopen(state: DiskState, marker: OpenMarker | undefined, wish: Wish, subject: string): Decision {
  if (wish.base === undefined) return 'take-over';
  const doubt = marker ? sealedYetOpen : distrustSealed(state, wish);
  if (doubt !== undefined) throw lineageError(subject, doubt);
  return 'reopen';
}

function distrustSealed(state: DiskState, wish: Wish): string | undefined {
  const { sizeBytes, sealProof, openDigests, seals } = state;
  if (isBehind(state, wish)) return wasElsewhere;
  if (sizeBytes !== wish.sizeBytes) return `the record is of a disk of ${sizeBytes} bytes`;
  if (seals !== wish.uses || openDigests === undefined) return `the record knows of ${seals ?? 0} seals in this run`;
  if (sealProof?.point !== wish.base)
    return `the disk was sealed at ${sealProof?.point}, the changes begin at ${wish.base}`;
  return undefined;
}

/** S9: a disk is sealed at the point it is current at, and at no other. Returns the state to seal from. */
export function decideSeal(view: LedgerView, marker: OpenMarker | undefined, wish: Wish, subject: string): DiskState {
  refuseForeign(wish, marker, subject);
  if (!view.known) throw lineageError(subject, view.because);
  const { state } = view;
  if (
    state.phase === 'sealed' &&
    state.run === wish.run &&
    state.sealProof?.point === wish.point &&
    !isBehind(state, wish) &&
    marker === undefined
  ) {
    return state;
  }
  // A crash after the boot sector went back leaves no marker; the seal itself looks then whether it knows the disk.
  const halfway = state.phase === 'sealing' && state.sealing?.point === wish.point && marker === undefined;
  const asMarked: OpenMarker | undefined = halfway ? explained(state) : marker;
  const doubt = distrust(state, asMarked, wish);
  if (doubt !== undefined) throw lineageError(subject, doubt);
  // While a round is on its way the disk is current at no point at all.
  if (state.point !== wish.point) throw lineageError(subject, `the disk holds ${holding(state)}, not ${wish.point}`);
  return state;
}

const emptyMarker: OpenMarker = { version: 1, id: '', key: '', machine: '', disk: '', run: '', epoch: 0 };
