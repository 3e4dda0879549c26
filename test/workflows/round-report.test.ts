/** What the run remembers of a round. */
import { reportOf } from '../../workflows/sync-round.ts';

const point = { number: 3, takenAt: '2026-11-23T12:00:00.000Z' };
const proof = { mode: 'delta', changedBytes: 1, copiedBytes: 2 };

test('L3 a round counts what the slowest of its disks took by its mover’s clock, and beside it how long the run waited', () => {
  const proofs = [7_000, 9_000].map((durationMs) => ({ ...proof, durationMs }));
  const startedAt = Date.now() - 3_600_000;
  const report = reportOf({ number: 3 } as never, point as never, proofs as never, { startedAt, pointMs: 500 });
  expect(report).toMatchObject({
    number: 3,
    mode: 'delta',
    changedBytes: 2,
    copiedBytes: 4,
    moverMs: 9_000,
    pointMs: 500,
  });
  expect(report.durationMs).toBeGreaterThanOrEqual(3_600_000);
});

test('L3 a round of which one disk took several attempts is counted by all of them together where that is known, and else not by its time', () => {
  const of = (again: object, order: object = {}) =>
    reportOf(
      { number: 3, ...order } as never,
      point as never,
      [
        { ...proof, durationMs: 7_000 },
        { ...proof, durationMs: 300, retried: true, ...again },
      ] as never,
      { startedAt: Date.now() - 3_600_000, pointMs: 500 },
    );
  expect(of({})).toMatchObject({ stood: true });
  expect(of({}).moverMs).toBeUndefined();
  expect(of({ workedMs: 8_000 })).toMatchObject({ moverMs: 8_000, stood: true });
  expect(of({ workedMs: 900 })).toMatchObject({ moverMs: 7_000, stood: true });
  // Of a try before this one nobody told how much of it was work: it may have waited ten minutes for a mover that was dead.
  const tried = { ms: 680_000, pointMs: 3_000 };
  expect(of({ workedMs: 8_000 }, { tried })).toMatchObject({ stood: true });
  expect(of({ workedMs: 8_000 }, { tried })).not.toHaveProperty('moverMs');
  expect(of({ retried: undefined })).not.toHaveProperty('stood');
});

test('S3 a round names the disks that were read back through the page cache, and no others', () => {
  const proofs = [
    { ...proof, disk: 'os', durationMs: 1 },
    { ...proof, disk: 'data-0', durationMs: 1, cached: true },
  ];
  const times = { startedAt: Date.now(), pointMs: 1 };
  const of = (some: readonly object[]) => reportOf({ number: 3 } as never, point as never, some as never, times);
  expect(of(proofs).cached).toEqual(['data-0']);
  expect(of(proofs.slice(0, 1))).not.toHaveProperty('cached');
});
