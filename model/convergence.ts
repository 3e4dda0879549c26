/**
 * Whether the rounds get anywhere (L3): changes a second at the source against changes a second moved.
 * Rule: it is said only after three rounds of changes, with both rates, and from the same bytes, so that their ratio is
 * that of two times: how long moving the changes took against how long they took to be made. The bytes are those that are
 * sent, so that the rates can be held against a limit.
 */
import { type RoundLimit, type RoundReport, sentBytes } from './round.ts';

export interface Convergence {
  readonly converges: boolean;
  readonly changedBytesPerSecond: number;
  readonly movedBytesPerSecond: number;
  /** The last of the rounds it was judged by. */
  readonly round: number;
  /** The limit that this round was under at its end; absent without one. */
  readonly limit?: RoundLimit;
}

const roundsNeeded = 3;
/** So far back a second long round is looked for: of changes in bursts only one round in three may be longer, and all grow. */
const roundsLookedAt = 2 * roundsNeeded;
/** Rounds that did not converge count as converging again only when they do clearly. */
const clearly = 0.9;

/** Whether the time that a round's bytes took is known: one that may have stood still in it is left out of what rates are told by. */
export const isTimed = ({ stood, moverMs }: RoundReport): boolean => !stood || moverMs !== undefined;

/** How long a round's bytes took, without the making of its recovery point and without what it stood still, as far as that is known. */
export function copyMs({ stood, moverMs, durationMs, pointMs = 0 }: RoundReport): number {
  return Math.max(1, stood && moverMs !== undefined ? moverMs : durationMs - pointMs);
}

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
 * Judges by the last rounds of changes; undefined before there are three, or when nothing changes. One long round is no link
 * that is too slow: it may have stood still. So they do not converge once the newest took longer than its changes did and is
 * not the only one, and all together did too; they converge again when the last three together are clearly shorter.
 */
export function convergence(recent: readonly RoundReport[], before?: Convergence): Convergence | undefined {
  const all = intervals(recent).filter(({ round }) => isTimed(round));
  const last = sumOf(all.slice(-roundsNeeded));
  if (all.length < roundsNeeded || last.sentBytes === 0) return undefined;
  if (before?.converges === false) return judged(last, last.movedMs <= last.madeMs * clearly);
  for (let count = roundsNeeded; count <= Math.min(roundsLookedAt, all.length); count++) {
    const these = all.slice(-count);
    const sum = sumOf(these);
    if (isLonger(these.at(-1)) && these.filter(isLonger).length > 1 && sum.movedMs > sum.madeMs)
      return judged(sum, false);
  }
  return judged(last, true);
}

type Interval = ReturnType<typeof intervals>[number];

const isLonger = (one: Interval | undefined): boolean => one !== undefined && movedMs(one.round) > one.madeMs;

const sumOf = (these: readonly Interval[]) => ({
  sentBytes: these.reduce((sum, { round }) => sum + sentBytes(round), 0),
  madeMs: these.reduce((sum, { madeMs }) => sum + madeMs, 0),
  movedMs: these.reduce((sum, { round }) => sum + movedMs(round), 0),
  last: these.at(-1)?.round,
});

/** Both rates are those of the rounds it was judged by. */
const judged = (sum: ReturnType<typeof sumOf>, converges: boolean): Convergence => ({
  converges,
  changedBytesPerSecond: Math.round((sum.sentBytes * 1000) / sum.madeMs),
  movedBytesPerSecond: Math.round((sum.sentBytes * 1000) / sum.movedMs),
  round: sum.last?.number ?? 0,
  ...(sum.last?.limit ? { limit: sum.last.limit } : {}),
});

/**
 * What people are told of it: nothing while the rounds get clearly shorter than their changes take. `nearly`: they converge, and
 * go on being about as long as they are, as those do in which a whole disk is written anew while it is moved.
 */
export function divergenceOf(judged: Convergence | undefined): 'faster' | 'nearly' | undefined {
  if (!judged?.converges) return judged && 'faster';
  return judged.changedBytesPerSecond >= judged.movedBytesPerSecond * clearly ? 'nearly' : undefined;
}

const titles = { faster: 'Changes faster than the link', nearly: 'Changes about as fast as the link' };
const meanings = {
  faster: 'Each round takes longer than the one before, and the outage of completing grows with it.',
  nearly: 'The rounds hardly get shorter, and neither does the outage of completing.',
};

/** `Changes faster than the link`; undefined where there is nothing to tell. */
export function divergenceTitle(judged: Convergence | undefined): string | undefined {
  const kind = divergenceOf(judged);
  return kind && titles[kind];
}

/** What it means and what a person can do about it, without the rates. */
export function divergenceAdvice(judged: Convergence): string {
  const { limit } = judged;
  const wider = limit ? `Raise or lift the limit of ${limit.by}` : 'Make the link faster';
  const meaning = meanings[divergenceOf(judged) ?? 'faster'];
  return `${meaning} ${wider}, quieten the machine, or complete at the cost shown; the rounds go on meanwhile.`;
}

/** What is typed to lift the limit that the rounds are under; undefined without one. */
export const liftCommand = ({ limit }: Pick<Convergence, 'limit'>): string | undefined =>
  limit && `homeward limits set none --${limit.by}`;
