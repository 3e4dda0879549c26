/**
 * What every suite is given and what it gives: its rows, and what the mover's memory and the plot learn from it.
 * Rule: rounds of all contestants are interleaved, one of each a round, after a warm-up that is not counted; figures are
 * held against figures of the same round only.
 */

import type { Result, SizePoint } from './result.ts';
import type { RowName } from './rows.ts';
import type { Stage } from './stage.ts';

export interface Plan {
  readonly quick: boolean;
  readonly rounds: number;
  say(text: string): void;
  /** Hears the peak memory of every mover, in MiB. */
  peak(mib: number): void;
  /** Hears of a disk that was copied, for the plot. */
  size(point: SizePoint): void;
  /** Hears which version of a peer ran. */
  peer(name: string, version: string): void;
}

export interface Suite {
  readonly rows: readonly RowName[];
  run(stage: Stage, plan: Plan): Promise<Result[]>;
}

export const gibOf = (bytes: number): number => bytes / 1024 ** 3;

/** Runs `round` once to warm up (checksums, caches, the kernel’s memory) and then as often as planned. */
export async function interleaved<T>(plan: Plan, what: string, round: () => Promise<T>): Promise<T[]> {
  plan.say(`${what}: warming up`);
  await round();
  const done: T[] = [];
  for (let number = 1; number <= plan.rounds; number++) {
    const startedAt = performance.now();
    done.push(await round());
    plan.say(
      `${what}: round ${number} of ${plan.rounds} took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    );
  }
  return done;
}
