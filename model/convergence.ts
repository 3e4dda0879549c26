/**
 * Whether the rounds get anywhere (L3): changes a second at the source against changes a second moved.
 * Rule: it is said only after three rounds of changes, with both rates, and from the same bytes, so that their ratio is
 * that of two times: how long moving the changes took against how long they took to be made. The bytes are those that are
 * sent, so that the rates can be held against a limit.
 */
import { type RoundReport, sentBytes } from './round.ts';

export interface Convergence {
  readonly converges: boolean;
  readonly changedBytesPerSecond: number;
  readonly movedBytesPerSecond: number;
  /** The last of the rounds it was judged by. */
  readonly round: number;
}

const roundsNeeded = 3;
/** Rounds that did not converge count as converging again only when they do clearly. */
const clearly = 0.9;

/** How long a round's bytes took, without the making of its recovery point. */
export const copyMs = (round: RoundReport): number => Math.max(1, round.durationMs - (round.pointMs ?? 0));

/** The mover's own measure: the run may have waited far longer for a worker that was to take the answer. */
const movedMs = (round: RoundReport): number => Math.max(1, round.moverMs ?? copyMs(round));

/** Each round of changes with the time its changes took to be made, oldest first. */
export function intervals(recent: readonly RoundReport[]): { readonly round: RoundReport; readonly madeMs: number }[] {
  return recent.flatMap((round, index) => {
    const before = recent[index - 1];
    if (!before || round.mode !== 'delta') return [];
    const madeMs = Date.parse(round.takenAt) - Date.parse(before.takenAt);
    return madeMs > 0 ? [{ round, madeMs }] : [];
  });
}

/**
 * Judges the last three rounds of changes; undefined before there are three, or when nothing changes. They do not converge
 * when each of them took longer than its changes did, and converge again when all together are clearly shorter.
 */
export function convergence(recent: readonly RoundReport[], before?: Convergence): Convergence | undefined {
  const last = intervals(recent).slice(-roundsNeeded);
  const changed = last.reduce((sum, { round }) => sum + sentBytes(round), 0);
  if (last.length < roundsNeeded || changed === 0) return undefined;
  const madeMs = last.reduce((sum, one) => sum + one.madeMs, 0);
  const allMovedMs = last.reduce((sum, { round }) => sum + movedMs(round), 0);
  const converges =
    before?.converges === false ? allMovedMs <= madeMs * clearly : last.some((one) => movedMs(one.round) <= one.madeMs);
  return {
    converges,
    changedBytesPerSecond: Math.round((changed * 1000) / madeMs),
    movedBytesPerSecond: Math.round((changed * 1000) / allMovedMs),
    round: last.at(-1)?.round.number ?? 0,
  };
}

/** What a person can do about it, one sentence without the rates. */
export const divergenceAdvice =
  'Raise or lift the limit, quieten the machine, hold the run, or complete at the cost shown; the rounds go on meanwhile.';
