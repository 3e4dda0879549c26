/**
 * What the rounds of a machine have reached: carried from round to round, through continue-as-new and through failures. Pure.
 * Rule (S9): `base` is the point every disk is current at, and only a round that was proven on every disk moves it.
 */
import { type Convergence, convergence } from '../model/convergence.ts';
import type { RecoveryPoint } from '../model/machine.ts';
import type { ApplicationPoint } from '../model/point.ts';
import type { Steering } from '../model/progress.ts';
import type { ScrubReport } from '../model/scrub.ts';
import type { RoundReport, RoundsStatus, RoundTries } from '../model/status.ts';
import type { ServingKnown } from './source-turns.ts';

export interface RoundsState extends ServingKnown {
  readonly number: number;
  /** The newest round whose copy may have begun; beyond `number` it may stand half written on a disk. */
  readonly begun: number;
  readonly base?: RecoveryPoint;
  /** How often a disk was found to be elsewhere than it was opened; absent: never. No copy that was begun before counts. */
  readonly anew?: number;
  /** What the tries of the next round took that did not come to its end; absent: there were none. */
  readonly tried?: RoundTries;
  readonly done: number;
  readonly recent: readonly RoundReport[];
  readonly copiedBytes: number;
  readonly changedBytes: number;
  readonly convergence?: Convergence;
  readonly scrubs: readonly ScrubReport[];
  /** Application-consistent points that are kept, oldest first; absent before the first. */
  readonly points?: readonly ApplicationPoint[];
  /** When the last one was tried, epoch ms. */
  readonly pointTriedAt?: number;
}

export const noRounds: RoundsState = {
  number: 0,
  begun: 0,
  done: 0,
  recent: [],
  copiedBytes: 0,
  changedBytes: 0,
  scrubs: [],
};

/** How many rounds the status remembers. */
const roundsKept = 20;

/** After a round that was proven on every disk. */
export function advance(
  { tried: _tried, ...state }: RoundsState,
  base: RecoveryPoint,
  report: RoundReport,
): RoundsState {
  const recent = [...state.recent, report].slice(-roundsKept);
  const judged = convergence(recent, state.convergence);
  return {
    ...state,
    number: state.number + 1,
    begun: state.number + 1,
    base,
    done: state.done + 1,
    recent,
    copiedBytes: state.copiedBytes + report.copiedBytes,
    changedBytes: state.changedBytes + report.changedBytes,
    ...(judged ? { convergence: judged } : {}),
  };
}

/** They end only after one more is proven. */
export const withOneMore = (state: RoundsState): RoundsState => ({ ...state, begun: state.number + 1 });

/** S9: another mover has no record of the disks, so its first round is a full one; also before a cutover, in which it would be outage. */
export const withoutRecord = ({ base: _base, tried: _tried, ...state }: RoundsState): RoundsState => withOneMore(state);

/** S3, S9: a disk was elsewhere, so all are copied in full from the first byte, whatever the record of the mover says. */
export const copiedAnew = (state: RoundsState): RoundsState => ({
  ...withoutRecord(state),
  anew: (state.anew ?? 0) + 1,
});

export function roundsStatus(
  state: RoundsState,
  now: string,
  paused: readonly Steering[],
  pointTakenAt: string | undefined,
): RoundsStatus {
  const { done, recent, copiedBytes, changedBytes, scrubs } = state;
  const judged = state.convergence ? { convergence: state.convergence } : {};
  const atWork = { ...(pointTakenAt === undefined ? {} : { pointTakenAt }), ...(paused.length > 0 ? { paused } : {}) };
  return { done, recent, copiedBytes, changedBytes, scrubs, now, ...judged, ...atWork };
}
