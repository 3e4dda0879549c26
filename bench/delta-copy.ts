/**
 * Rounds of changes: how much longer they take than their bytes would within a full copy.
 * Rule: each round copies the base in full, verified, and then the changes, in one mover; the delta is held against the
 * full copy right before it. The copy is compared with the changed disk.
 */
import { withMover } from './contestants.ts';
import { gib, kib, lengthOf, mib, type Range, scattered, thirdHoles } from './layout.ts';
import type { Mover } from './mover-run.ts';
import { measured, median, type Result } from './result.ts';
import type { RowName } from './rows.ts';
import type { SourceDisk, Stage } from './stage.ts';
import { interleaved, type Plan, type Suite } from './suite.ts';

interface DeltaPlan {
  readonly row: RowName;
  readonly extents: (sizeBytes: number) => Range[];
  readonly sizeBytes: (quick: boolean) => number;
}

interface Round {
  readonly overhead: number;
  readonly seconds: number;
  readonly bytesPerSecond: number;
}

export async function deltaRound(
  stage: Stage,
  plan: Plan,
  mover: Mover,
  base: SourceDisk,
  changed: SourceDisk,
  bytes: number,
): Promise<Round> {
  const target = await stage.makeTarget(base.sizeBytes);
  const reach = { checked: true };
  const [from, to] = [stage.publish(base, base.name, reach), stage.publish(changed, base.name, reach)];
  const full = await mover.do('transfer', [stage.transfer(target, from)]);
  const delta = await mover.do('transfer', [stage.transfer(target, to, from)]);
  await mover.do('seal', [stage.transfer(target, to)]);
  await stage.mustEqual(changed, target.path);
  await stage.clear();
  plan.peak(delta.peakMiB);
  const bytesPerSecond = base.dataBytes / full.seconds;
  return { overhead: delta.seconds / (bytes / bytesPerSecond), seconds: delta.seconds, bytesPerSecond };
}

const deltaSuite = ({ row, extents, sizeBytes }: DeltaPlan): Suite => ({
  rows: [row],
  async run(stage, plan): Promise<Result[]> {
    const size = sizeBytes(plan.quick);
    const changes = extents(size);
    const bytes = lengthOf(changes);
    const base = await stage.makeSource('base', size, thirdHoles(size));
    const changed = await stage.makeChanged('changed', base, changes);
    const rounds = await withMover(stage, (mover) =>
      interleaved(plan, row, () => deltaRound(stage, plan, mover, base, changed, bytes)),
    );
    for (const disk of [base, changed]) await stage.removeSource(disk);
    const note =
      `${changes.length} extents, ${(bytes / mib).toFixed(0)} MiB in ${median(rounds.map(({ seconds }) => seconds)).toFixed(2)} s; ` +
      `full copy ${Math.round(median(rounds.map((round) => round.bytesPerSecond)) / mib)} MiB/s`;
    const overheads = rounds.map(({ overhead }) => overhead);
    return [measured(row, overheads, note)];
  },
});

export const largeDelta = deltaSuite({
  row: 'delta-overhead',
  sizeBytes: (quick) => (quick ? gib / 4 : 4 * gib),
  extents: (sizeBytes) =>
    scattered({ sizeBytes, smallestBytes: 64 * kib, largestBytes: 4 * mib, bytes: Math.floor(sizeBytes / 100) }),
});

export const smallDelta = deltaSuite({
  row: 'delta-overhead-small',
  sizeBytes: (quick) => (quick ? gib / 4 : 4 * gib),
  // As many for each GiB in a quick run as in a full one.
  extents: (sizeBytes) =>
    scattered({
      ...{ sizeBytes, smallestBytes: 4 * kib, largestBytes: 64 * kib },
      extents: Math.round((20_000 * sizeBytes) / (4 * gib)),
    }),
});
