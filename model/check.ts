/**
 * A preflight check's answer: one named question to a world, what was seen, and what to do.
 * Rule: a check looks and never changes anything.
 */
import type { Power } from './machine.ts';

export type Verdict = 'pass' | 'warn' | 'refuse' | 'wait';

export interface Check {
  /** Stable name in kebab-case, for scripts: `target-powered-off`. */
  readonly id: string;
  /** The requirement it keeps, where there is one: `S000-27`. */
  readonly requirement?: string;
  readonly verdict: Verdict;
  /** What was looked at: a machine, a disk, a mover. */
  readonly subject: string;
  /** What was seen, in one sentence. */
  readonly seen: string;
  /** What to do, and where. Present unless the verdict is `pass`. */
  readonly remedy?: string;
  /** Only a run that is started after the remedy takes it up: it changes what a run keeps from its start. */
  readonly newRunOnly?: true;
  /** Present when the verdict is `wait`. */
  readonly wait?: Awaited;
}

/** Whether an earlier run left its disks at home, half written or staged. */
export const leftByARun = 'target-not-half-written';

/** Said behind a change of homeward.yaml, or of what is said at the start: no retry of a run that has begun takes it up. */
export const keptByItsRun = 'A run that has begun keeps the plan it was started with: resolve it with --undo first.';

/** What a run that stands before this check tells its operator: the remedy, and `after` it where a retry can mend it. */
export const adviceOf = ({ remedy, newRunOnly }: Check, after: string): string =>
  newRunOnly && remedy !== undefined ? remedy : `${remedy} ${after}`;

/** What a row of checks says as a whole: `waits` when only what comes by itself stands in the way. */
export function verdictOf(checks: readonly Check[]): 'clear' | 'waits' | 'blocked' {
  if (blocking(checks).length === 0) return 'clear';
  return checks.some((check) => check.verdict === 'refuse') ? 'blocked' : 'waits';
}

/** What comes by itself, and how long that may take: the run asks again until then. Times are ISO 8601. */
export interface Awaited {
  readonly for: string;
  readonly since: string;
  readonly until: string;
}

/** What is waited for, the longest wait first; empty when something refuses, because then waiting alone does not help. */
export function awaitedBy(checks: readonly Check[]): Awaited[] {
  if (checks.some((check) => check.verdict === 'refuse')) return [];
  return checks.flatMap(({ wait }) => wait ?? []).sort((one, other) => (one.until < other.until ? 1 : -1));
}

const leastPauseMs = 1_000;
const mostPauseMs = 30_000;
/** How often a wait is looked at at most, so that a history stays short. */
const looksInAWait = 30;

/** How long to pause before asking again about this wait, in milliseconds. */
export function pauseBeforeAsking({ since, until }: Awaited): number {
  const each = (Date.parse(until) - Date.parse(since)) / looksInAWait;
  return Math.min(mostPauseMs, Math.max(leastPauseMs, Number.isNaN(each) ? mostPauseMs : each));
}

/**
 * Checks whose answer matters before anything was begun and not any more when the source is about to be stopped: what they
 * ask for was used already (the guest's agent), or was agreed to by starting.
 */
const onlyAtStart: ReadonlySet<string> = new Set(['source-guest-agent', 'reread-in-outage', 'group-member-alone']);

export const withoutStart = (checks: readonly Check[]): Check[] => checks.filter(({ id }) => !onlyAtStart.has(id));

/** The checks that stop a run, worst first; empty when it may go on. */
export const blocking = (checks: readonly Check[]): Check[] =>
  checks.filter((check) => check.verdict === 'refuse' || check.verdict === 'wait');

/** What a side was seen to do; absent when it could not be seen. */
interface Sides {
  readonly source?: Power | undefined;
  readonly target?: Power | undefined;
  /** The run that is under way has stopped the source and started the target by itself. */
  readonly byRun?: boolean;
}

/**
 * S1: the checks of the target with advice that spares what may be the only live copy. A target that runs beside a source
 * which does not is not to be switched off on our word, and where the source is not there nothing of the target is touched.
 */
export function sparingTarget(checks: readonly Check[], { source, target, byRun }: Sides): Check[] {
  const stands = source === 'stopped' || source === 'running' || source === 'changing';
  if (stands && (source !== 'stopped' || target === 'stopped' || byRun)) return [...checks];
  const seen = source === undefined ? 'could not be seen' : 'was not found';
  return checks.map((check) => {
    if (check.remedy === undefined) return check;
    const remedy = stands
      ? `The source is stopped and the on-prem machine is not: find out which one serves before you touch either. If it is the source: ${check.remedy}`
      : `The source ${seen}, so the on-prem machine may be the only live copy: leave it as it is, and its disks too.`;
    return { ...check, remedy };
  });
}

export const sourceRunning = 'source-running';

/** The checks beside a run that has stopped the source: that it does not run is the run's own doing. */
export const ownStop = (checks: readonly Check[], run: string): Check[] =>
  checks.map((check) => {
    if (check.id !== sourceRunning || check.verdict !== 'warn') return check;
    const { id, subject, seen } = check;
    return { id, verdict: 'pass', subject, seen: `${seen}: run ${run}, which is under way, stopped it` };
  });

/** The answer of a preflight alone. */
export interface PreflightReport {
  readonly checks: readonly Check[];
  /** Sizes of the disks that would come home; their sum is the most that can have to be moved (S000-21). */
  readonly sizesBytes: readonly number[];
}
