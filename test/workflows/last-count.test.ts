/** The last count before what was written at home is dropped: whether it waits for vCenter's first sample. */
import { play, refusedBy, type Stage } from './stage.ts';

const count = 'observeWritten';
const start = 'ensureTargetStarted';

/** Taken back with the loss flag, so that the last count is under way. */
async function takenBack(stage: Stage): Promise<Stage> {
  stage.mine(count);
  await stage.tell(stage.said('cancel', { acceptLoss: true }));
  expect(stage.pending()).toEqual([count]);
  return stage;
}

test('S5 where nothing was counted yet the last count waits for the first sample of a machine that runs, for 20 s at most', async () => {
  const stage = await play('committed-during', count);
  await stage.tell(stage.said('completeFailover'));
  expect(stage.status()).toMatchObject({ phase: 'AwaitingCommit', targetLive: true });
  expect(stage.status().written).toBeUndefined();
  await takenBack(stage);
  expect(stage.patienceMs(count)).toBe(20_000);
  expect(stage.triesOf(count)).toBe(0);
});

test('S5 it is made once where there is a count already or a reason for none, or nobody has seen the machine run', async () => {
  const counted = await play('committed-during', count);
  await counted.tell(counted.said('completeFailover'));
  await counted.tell(counted.ended(count, { bytes: 7, until: '2026-01-01T00:00:00.000Z' }));
  expect(counted.status().written).toBeDefined();
  expect((await takenBack(counted)).triesOf(count)).toBe(1);

  const failed = await play('committed-during', count);
  await failed.tell(failed.said('completeFailover'));
  await failed.tell(failed.ended(count, refusedBy('QueryPerf', 'no right')));
  expect(failed.status().uncounted).toContain('no right');
  expect((await takenBack(failed)).triesOf(count)).toBe(1);

  const unseen = await play('returned-with-loss', count, start);
  await unseen.tell(unseen.said('completeFailover'));
  await unseen.tell(unseen.ended(start, refusedBy('PowerOnVM_Task', 'nobody knows what became of it')));
  expect(unseen.status().startUnseen).toBe(true);
  expect((await takenBack(unseen)).triesOf(count)).toBe(1);
});
