/**
 * A machine that writes and a link that moves, as arithmetic: the rounds a run would have, and what completing would cost.
 * Rule: no clock and no chance of its own; whoever calls it brings the numbers.
 */
import type { RoundReport } from '../../model/round.ts';

export interface Machine {
  /** Bytes of the seed. */
  readonly seedBytes: number;
  /** Bytes per second that the link moves. */
  readonly link: number;
  /** Bytes per second that change, for each interval between two points; the last one counts from then on. */
  readonly churn: readonly number[];
  readonly pauseSeconds: number;
  readonly pointSeconds: number;
  /** What a round takes besides its bytes, in seconds. */
  readonly fixedSeconds: number;
}

/** Epoch ms at which the simulated runs begin. */
export const beginning = Date.parse('2026-11-23T00:00:00Z');
const iso = (seconds: number): string => new Date(beginning + seconds * 1000).toISOString();

/** The seed and `deltas` rounds after it; `endSeconds` is when the last one was proven. */
export function roundsOf(machine: Machine, deltas: number): { rounds: RoundReport[]; endSeconds: number } {
  const rounds: RoundReport[] = [];
  let now = 0;
  let takenBefore = 0;
  for (let number = 1; number <= deltas + 1; number++) {
    const began = now;
    const taken = began + machine.pointSeconds;
    const churn = machine.churn[Math.min(number - 2, machine.churn.length - 1)] ?? 0;
    const bytes = number === 1 ? machine.seedBytes : Math.round(churn * (taken - takenBefore));
    now = taken + machine.fixedSeconds + bytes / machine.link;
    rounds.push({
      number,
      mode: number === 1 ? 'full' : 'delta',
      takenAt: iso(taken),
      endedAt: iso(now),
      changedBytes: bytes,
      copiedBytes: bytes,
      durationMs: Math.round((now - began) * 1000),
      pointMs: Math.round(machine.pointSeconds * 1000),
    });
    takenBefore = taken;
    now += machine.pauseSeconds;
  }
  return { rounds, endSeconds: now };
}
