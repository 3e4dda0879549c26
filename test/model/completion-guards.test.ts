/** What lets a failover be completed, and what stands against it. */
import { blocking } from '../../model/check.ts';
import { completionGuards, type Replication } from '../../model/completion-guards.ts';

const takenAt = '2026-11-23T12:00:00.000Z';
const round = {
  number: 2,
  mode: 'delta',
  takenAt,
  endedAt: takenAt,
  changedBytes: 1,
  copiedBytes: 1,
  durationMs: 1,
} as const;
const proven = { done: 2, recent: [round], scrubs: [{ disk: 'os', damages: 0 }] };
const guards = (more: Partial<Replication> = {}) =>
  completionGuards({ machine: 'erp-db', sync: 'before', rounds: proven, ...more });
const refused = (more: Partial<Replication>): string[] => blocking(guards(more)).map(({ id }) => id);

test('S001-17 S001-4 S000-17 a machine with a proven round is ready, and each guard says what it rests on', () => {
  const all = guards();
  expect(all.map(({ id, requirement, verdict }) => [id, requirement, verdict])).toEqual([
    ['recovery-point', 'S001-17', 'pass'],
    ['replication-finished', 'S000-17', 'pass'],
    ['replication-healthy', 'S001-4', 'pass'],
  ]);
  expect(all[0]?.seen).toBe(`round 2 is proven, as of ${takenAt}`);
});

test('S001-17 S001-4 S000-17 a machine that is not replicated home yet has no recovery point and is refused', () => {
  for (const rounds of [undefined, { done: 0, recent: [], scrubs: [] }])
    expect(refused({ rounds })).toEqual(['recovery-point', 'replication-finished']);
  expect(guards({ rounds: undefined })[0]?.remedy).toContain('kept until then');
});

test('S001-17 a machine that is copied inside the cutover makes its point there, and nothing is claimed of rounds', () => {
  const all = guards({ sync: 'during', rounds: undefined });
  expect(blocking(all)).toEqual([]);
  expect(all[0]?.seen).toContain('taken after the stop');
});

test('S001-4 a disk that a scrub found damaged, or a run that waits for a person, is not healthy', () => {
  const scrubs = [{ disk: 'data-0', damages: 1, damage: 'block 7 differs' }];
  expect(refused({ rounds: { ...proven, scrubs } })).toEqual(['replication-healthy']);
  expect(guards({ rounds: { ...proven, scrubs } })[2]?.seen).toContain('damaged on data-0');
  expect(refused({ trouble: { op: 'transfer', message: 'the wire broke' } })).toEqual(['replication-healthy']);
});

test('S001-4 changes that come faster than the link are a warning with what can be done', () => {
  const convergence = { converges: false, changedBytesPerSecond: 2, movedBytesPerSecond: 1, round: 4 };
  const [, , healthy] = guards({ rounds: { ...proven, convergence } });
  expect(healthy).toMatchObject({ verdict: 'warn', remedy: expect.stringContaining('Raise or lift the limit') });
});
