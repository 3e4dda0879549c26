/**
 * One round: make a recovery point, move what changed since the last one on every disk, prove it, let the older point go.
 * Rule (S9): a delta starts only from the point its disk is current at; when that lineage is broken the disk gets a full
 * transfer, never a guess, and the older point is kept until every disk has left it.
 */
import { CancellationScope } from '@temporalio/workflow';
import { type FailbackInput, moverStepId } from '../model/failback-input.ts';
import type { DiskKey, DiskPair, OpenDisk, RecoveryPoint, TransferProof } from '../model/machine.ts';
import { type ApplicationPoint, around, pointOf } from '../model/point.ts';
import { cachedDisks } from '../model/read-back.ts';
import type { RoundReport, RoundTries } from '../model/status.ts';
import { type CopiedAgain, copiedAgain } from './copied-again.ts';
import { needsFullCopy, stoppedAsAsked } from './trouble.ts';
import { controlVerbs, moverVerbs, pointVerbs, summary } from './verbs.ts';

export interface RoundOrder {
  readonly input: FailbackInput;
  readonly run: string;
  readonly number: number;
  readonly final: boolean;
  /** `SourceMachine.identity` as preflight found it. */
  readonly identity: string | undefined;
  readonly pairs: readonly DiskPair[];
  readonly open: readonly OpenDisk[];
  /** S12: told of the recovery point before the next effect. */
  readonly pointMade?: (point: RecoveryPoint) => void | Promise<void>;
  /** The same of each disk that is copied in full although there is a base. */
  readonly tellCopiedAgain?: (told: CopiedAgain) => void | Promise<void>;
  /** The point all disks are current at; absent for a seed. */
  readonly base?: RecoveryPoint;
  /** How often a disk was found to be elsewhere than it was opened; absent: never. */
  readonly anew?: number;
  /** Disks that are to be copied in full although there is a base: a scrub found damage on them (S3). */
  readonly damaged?: readonly DiskKey[];
  /** What earlier tries of this round took; absent: there were none. */
  readonly tried?: RoundTries;
  /** Told when this try does not come to its end: what all have taken so far. */
  readonly inVain?: (tried: RoundTries) => void;
  /** Of the final round: the older point that comes home instead of the latest. */
  readonly chosen?: ApplicationPoint;
}

export interface RoundResult {
  /** The one of this round. */
  readonly point: RecoveryPoint;
  /** What the disks hold now: the same, or the older one that was chosen. */
  readonly held: RecoveryPoint;
  readonly proofs: readonly TransferProof[];
  readonly report: RoundReport;
}

export async function syncRound(order: RoundOrder): Promise<RoundResult> {
  const { input, run, number, final, identity, pairs } = order;
  const startedAt = Date.now();
  let pointMs: number | undefined;
  try {
    const point = await pointVerbs(input).ensureRecoveryPoint.executeWithOptions(
      summary(`${name(order)}: recovery point`),
      [{ failback: input, run, number, final, identity, pairs }],
    );
    pointMs = Date.now() - startedAt;
    await order.pointMade?.(point);
    const proofs = await together(order.open.map((disk) => () => transferOne(order, disk, point)));
    const held = order.chosen?.point ?? point;
    return { point, held, proofs, report: reportOf(order, held, proofs, { startedAt, pointMs }) };
  } catch (error) {
    const ms = Date.now() - startedAt;
    order.inVain?.(withTry(order.tried, ms, pointMs ?? ms));
    throw error;
  }
}

const withTry = (tried: RoundTries | undefined, ms: number, pointMs: number): RoundTries => ({
  ms: (tried?.ms ?? 0) + ms,
  pointMs: (tried?.pointMs ?? 0) + pointMs,
});

/**
 * Lets the points before this one go, but for those that application-consistent points need. After the round counts: a base
 * that is gone would cost a full transfer.
 */
export async function releaseOlderPoints(order: RoundOrder, kept: readonly ApplicationPoint[]): Promise<void> {
  const { input, run, number } = order;
  await controlVerbs(input).releaseRecoveryPoints.executeWithOptions(summary(`${name(order)}: release older points`), [
    { failback: input, run, before: number, keep: kept.map(({ since }) => since.number) },
  ]);
}

const name = (order: RoundOrder): string =>
  order.final ? 'Final round' : order.number === 1 ? 'Seed' : `Round ${order.number}`;

async function transferOne(order: RoundOrder, disk: OpenDisk, point: RecoveryPoint): Promise<TransferProof> {
  const mover = moverVerbs(order.input);
  const { chosen, base } = order;
  const now = pointOf(chosen?.point ?? point, disk.disk);
  const before = base && pointOf(base, disk.disk);
  const work = {
    machine: order.input.machine,
    run: order.run,
    sourceSite: order.input.source.site,
    disk,
    point: now,
    urgent: order.final,
    handovers: order.input.mover.handovers ?? 0,
    anew: order.anew ?? 0,
  };
  // A name instead of a number, so that an operator can pause this very copy: docs/operate.md.
  const activityId = moverStepId('transfer', disk.disk, order.input.mover);
  const named = { activityId, priority: { priorityKey: order.final ? 1 : 4 } };
  const say = (what: string) => ({ ...summary(`${name(order)}: ${disk.disk}, ${what}`), ...named });
  const whole = (why = ''): Promise<TransferProof> =>
    mover.transferDisk.executeWithOptions(say(`whole disk${why}`), [work]);
  const damaged = order.damaged?.includes(disk.disk) === true;
  try {
    if (!before || damaged) return await whole(damaged ? ' again, damaged' : '');
    return await mover.transferDisk.executeWithOptions(say('changes'), [
      { ...work, base: before, ...(chosen && base ? { around: around(chosen, base, point, disk.disk) } : {}) },
    ]);
  } catch (error) {
    if (!needsFullCopy(error)) throw error;
    await order.tellCopiedAgain?.(copiedAgain(disk.disk, error));
    return await whole(' again, lineage broken');
  }
}

/** Runs all; when one fails the others are stopped and waited for, so that nothing writes behind the failure. */
export async function together<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  return await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const running = tasks.map(async (task) => {
      try {
        return await task();
      } catch (error) {
        scope.cancel();
        throw error;
      }
    });
    const settled = await Promise.allSettled(running);
    const failures = settled.filter((one) => one.status === 'rejected').map((one) => one.reason as unknown);
    const cause = failures.find((failure) => !stoppedAsAsked(failure)) ?? failures[0];
    if (failures.length > 0) throw cause;
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  });
}

export function reportOf(
  order: RoundOrder,
  point: RecoveryPoint,
  proofs: readonly TransferProof[],
  { startedAt, pointMs }: { readonly startedAt: number; readonly pointMs: number },
): RoundReport {
  const took = withTry(order.tried, Date.now() - startedAt, pointMs);
  const sum = (pick: (proof: TransferProof) => number): number =>
    proofs.reduce((total, proof) => total + pick(proof), 0);
  return {
    number: order.number,
    mode: proofs.every((proof) => proof.mode === 'delta') ? 'delta' : 'full',
    takenAt: point.takenAt,
    endedAt: new Date().toISOString(),
    changedBytes: sum((proof) => proof.changedBytes),
    copiedBytes: sum((proof) => proof.copiedBytes),
    durationMs: took.ms,
    pointMs: took.pointMs,
    ...moversTime(order.tried, proofs),
    ...lowestLimit(proofs),
    ...saidBefore(proofs),
    ...readBack(proofs),
  };
}

/**
 * L3: of a link that breaks again and again the last attempt alone says little, and of a pause in between the whole time as
 * little; nor is it known how much of what a try before this one took was work, and how much a wait for a mover that was dead.
 */
function moversTime(
  tried: RoundTries | undefined,
  proofs: readonly TransferProof[],
): Pick<RoundReport, 'moverMs' | 'stood'> {
  const slowest = Math.max(...proofs.map(({ durationMs, workedMs = durationMs }) => workedMs));
  const again = proofs.filter(({ retried }) => retried);
  if (again.length === 0) return { moverMs: slowest };
  if (tried || again.some(({ workedMs }) => workedMs === undefined)) return { stood: true };
  return { moverMs: slowest, stood: true };
}

function lowestLimit(proofs: readonly TransferProof[]): Pick<RoundReport, 'limit'> {
  const limits = proofs.flatMap(({ limit }) => limit ?? []);
  const [limit] = limits.sort((a, b) => a.bytesPerSecond - b.bytesPerSecond);
  return limit ? { limit } : {};
}

/** The disks copy beside each other, so the round was forecast to take as long as the slowest. */
function saidBefore(proofs: readonly TransferProof[]): Pick<RoundReport, 'said'> {
  const all = proofs.flatMap(({ forecast }) => forecast ?? []);
  const [slowest] = [...all].sort((a, b) => b.seconds - a.seconds);
  if (!slowest) return {};
  return { said: { ...slowest, listedBytes: all.reduce((sum, { listedBytes }) => sum + listedBytes, 0) } };
}

function readBack(proofs: readonly TransferProof[]): Pick<RoundReport, 'cached'> {
  const cached = cachedDisks(proofs);
  return cached.length > 0 ? { cached } : {};
}
