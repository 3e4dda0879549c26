/**
 * Application-consistent points between rounds: one when it is due, and the newest of them kept.
 * Rule (S9): one is asked for only while a proven round is the newest point of all, and that round's point is kept with it.
 * A point that cannot be had never stops the rounds; the status says why, and the next is tried when it is due.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, RecoveryPoint } from '../model/machine.ts';
import { type ApplicationPoint, type PointsTold, summaryOf } from '../model/point.ts';
import { takesApplicationPoints } from '../model/point-policy.ts';
import type { RoundsState } from './rounds-state.ts';
import { troubleOf } from './trouble.ts';
import { applicationPointVerbs, summary } from './verbs.ts';

export interface PointsOrder {
  readonly input: FailbackInput;
  readonly run: string;
  /** `SourceMachine.identity` as preflight found it. */
  readonly identity: string | undefined;
  readonly pairs: readonly DiskPair[];
}

export interface Tried {
  readonly state: RoundsState;
  readonly told: PointsTold;
}

/** Whether the next one is to be taken now: the first right behind the first round. */
export function isPointDue({ policy }: FailbackInput, { base, pointTriedAt }: RoundsState): boolean {
  if (!base || !takesApplicationPoints(policy)) return false;
  return pointTriedAt === undefined || Date.now() - pointTriedAt >= policy.applicationPointEverySeconds * 1000;
}

/** One try. Undefined when `stop` ended it: then it is due as before. */
export async function tryApplicationPoint(
  order: PointsOrder,
  state: RoundsState,
  stop: () => boolean,
): Promise<Tried | undefined> {
  const { base } = state;
  if (!base) return undefined;
  const tried = { ...state, pointTriedAt: Date.now() };
  try {
    const point = await unlessStopped(() => takeOne(order, base), stop);
    if (!point) return undefined;
    const taken: ApplicationPoint = { point, since: base, changedBytesBefore: state.changedBytes };
    const points = [...(state.points ?? []), taken].slice(-order.input.policy.applicationPointsKept);
    return { state: { ...tried, points }, told: { applicationPoints: points.map(summaryOf), taken: summaryOf(taken) } };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { message, hint } = troubleOf(error, '');
    const pointTrouble = { at: new Date().toISOString(), message, hint };
    return { state: tried, told: { applicationPoints: (state.points ?? []).map(summaryOf), pointTrouble } };
  }
}

const takeOne = ({ input, run, identity, pairs }: PointsOrder, { number }: RecoveryPoint): Promise<RecoveryPoint> =>
  applicationPointVerbs(input).ensureApplicationPoint.executeWithOptions(
    summary(`Application-consistent point after round ${number}`),
    [{ failback: input, run, number, identity, pairs }],
  );

/** What an attempt that was left still makes is found by its name and released with the older points (S11). */
async function unlessStopped<T>(act: () => Promise<T>, stop: () => boolean): Promise<T | undefined> {
  const scope = new CancellationScope();
  let ended = false;
  const acting = scope.run(act).finally(() => {
    ended = true;
  });
  const stopping = condition(() => ended || stop()).then(() => {
    if (!ended) scope.cancel();
  });
  try {
    return await acting;
  } catch (error) {
    if (isCancellation(error) && !CancellationScope.current().consideredCancelled) return undefined;
    throw error;
  } finally {
    await stopping;
  }
}
