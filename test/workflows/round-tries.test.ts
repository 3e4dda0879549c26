/** What a round took is told of all its tries (L3), as its bytes are, and not of the last one alone; and which round is under way. */
import { play, playRounds, refusedBy, type Stage } from './stage.ts';

let now = Date.parse('2026-03-01T12:00:00Z');
beforeEach(() => jest.spyOn(Date, 'now').mockImplementation(() => now));
afterEach(() => jest.restoreAllMocks());

const full = refusedBy('state.journal', 'ENOSPC');
const point = 'ensureRecoveryPoint';

/** The pending copies of all disks end so, `ms` later. */
async function after(ms: number, stage: Stage, as?: Error): Promise<void> {
  now += ms;
  const copies = stage.pending().filter((one) => one === 'transferDisk');
  await stage.tell(...copies.map(() => stage.ended('transferDisk', as)));
}

test('L3 the final round took what all its tries took, and not what it waited for a person', async () => {
  const stage = await play('committed-before', 'transferDisk');
  await stage.tell(stage.said('completeFailover'));
  await after(26_000, stage, full);
  expect(stage.status().phase).toBe('NeedsOperator');
  now += 3_600_000;
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await after(1_200, stage);
  expect(stage.status().record.map(({ key }) => key)).toContain('final-point');
  expect(stage.status().rounds?.recent.at(-1)).toMatchObject({ durationMs: 27_200, pointMs: 0 });
});

test('L3 a round that was held took what all its tries took, its recovery point once, and the hold is no part of it', async () => {
  const stage = await playRounds('reassigned-then-committed-rounds', 'transferDisk', point);
  now += 3_000;
  await stage.tell(stage.ended(point));
  now += 20_000;
  await stage.tell(stage.told('hold', true));
  now += 3_600_000;
  await stage.tell(stage.told('hold', false));
  await stage.tell(stage.ended(point));
  await after(1_500, stage);
  expect(stage.rounds().recent.at(-1)).toMatchObject({ durationMs: 24_500, pointMs: 3_000 });
  // The next one begins anew.
  await stage.tell(stage.passed(500));
  await stage.tell(stage.ended(point));
  await after(2_000, stage);
  expect(stage.rounds().recent.at(-1)).toMatchObject({ durationMs: 2_000, pointMs: 0 });
});

test('R4 while a round is copied it is told when its point was taken, and between two rounds nothing is', async () => {
  const stage = await playRounds('reassigned-then-committed-rounds', 'transferDisk', point);
  expect(stage.rounds().pointTakenAt).toBeUndefined();
  await stage.tell(stage.ended(point));
  const { pointTakenAt } = stage.rounds();
  await after(1_500, stage);
  expect(stage.rounds().recent.at(-1)?.takenAt).toBe(pointTakenAt);
  expect(pointTakenAt).toBeDefined();
  expect(stage.rounds().pointTakenAt).toBeUndefined();
});
