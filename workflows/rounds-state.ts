/**
 * What the rounds of a machine have reached: carried from round to round, through continue-as-new and through failures. Pure.
 * Rule (S9): `base` is the point every disk is current at, and only a round that was proven on every disk moves it.
 */
import { type Convergence, convergence } from '../model/convergence.ts';
import type { RecoveryPoint } from '../model/machine.ts';
import type { ApplicationPoint } from '../model/point.ts';
import type { Steering } from '../model/progress.ts';
import type { ScrubReport } from '../model/scrub.ts';
import type { RoundReport, RoundsStatus } from '../model/status.ts';
import type { ServingKnown } from './source-turns.ts';

export interface RoundsState extends ServingKnown {
  readonly number: number;
  /** The newest round whose copy may have begun; beyond `number` it may stand half written on a disk. */
  readonly begun: number;
  readonly base?: RecoveryPoint;
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
export function advance(state: RoundsState, base: RecoveryPoint, report: RoundReport): RoundsState {
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

export function roundsStatus(state: RoundsState, now: string, paused: readonly Steering[]): RoundsStatus {
  const { done, recent, copiedBytes, changedBytes, scrubs } = state;
  const judged = state.convergence ? { convergence: state.convergence } : {};
  return { done, recent, copiedBytes, changedBytes, scrubs, now, ...judged, ...(paused.length > 0 ? { paused } : {}) };
}
