/**
 * What a bench run found: one value a row from its rounds, and the machine it ran on.
 * Rule: a value is the median of its rounds (or the percentile its name says), and the rounds are kept beside it.
 * Never without an answer: a row has a value, or null and the reason. Pure.
 */
import { type RowName, rows } from './rows.ts';

export interface Result {
  readonly name: RowName;
  readonly value: number | null;
  readonly unit: string;
  /** The same figure of each round, in the order they ran. */
  readonly rounds: readonly number[];
  readonly goal: number | null;
  readonly better: 'more' | 'less';
  /** What a reader must know of this very figure: sizes, peers' versions, what is counted. */
  readonly note?: string;
  /** Why there is no value. */
  readonly why?: string;
}

/** One copied disk, for the plot of time and memory against size. */
export interface SizePoint {
  readonly sizeBytes: number;
  readonly dataBytes: number;
  readonly seconds: number;
  readonly peakMiB: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly target: string;
  /** One, five and fifteen minutes, when the run began. */
  readonly loadAverage: readonly number[];
}

export interface Report {
  /** ISO 8601. */
  readonly at: string;
  /** Smaller disks and fewer rounds: figures to look at, not to quote. */
  readonly quick: boolean;
  readonly machine: Machine;
  readonly peers: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
  readonly sizes: readonly SizePoint[];
}

/** The `share` (0 to 1) of a list, by nearest rank: of 30 values, 0.95 is the 29th smallest. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('no rounds were measured');
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The middle one; of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (low === undefined || high === undefined) throw new RangeError('no rounds were measured');
  return (low + high) / 2;
}

/** Round by round `of ÷ by`; rounds in which either is missing are an error, because they would be compared with others. */
export function ratios(of: readonly number[], by: readonly number[]): number[] {
  if (of.length !== by.length) throw new RangeError(`${of.length} rounds cannot be held against ${by.length}`);
  return of.map((value, index) => value / (by[index] ?? Number.NaN));
}

/** A measured row; the value is the median unless `pick` says otherwise. */
export function measured(
  name: RowName,
  rounds: readonly number[],
  note?: string,
  pick: (rounds: readonly number[]) => number = median,
): Result {
  const { unit, goal, better } = rows[name];
  const value = pick(rounds);
  if (!Number.isFinite(value)) throw new RangeError(`${name}: ${rounds.join(', ')} give no figure`);
  return { name, value, unit, rounds, goal, better, ...(note === undefined ? {} : { note }) };
}

/** A row that could not be measured. */
export function missing(name: RowName, why: string): Result {
  const { unit, goal, better } = rows[name];
  return { name, value: null, unit, rounds: [], goal, better, why };
}

/** Undefined where there is no goal or no value. */
export function reached({ value, goal, better }: Pick<Result, 'value' | 'goal' | 'better'>): boolean | undefined {
  if (value === null || goal === null) return undefined;
  return better === 'more' ? value >= goal : value <= goal;
}
