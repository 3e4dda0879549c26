/** What happens in one workflow task: answers that Temporal tells together, as it does after a worker was away for a while. */
import { play, refusedBy, type Stage } from './stage.ts';

const watch = 'observeSourceStaysOff';
const itRuns = refusedBy('observe-power', 'the source is running');

/** At home, with another point accepted, and the look before it about to end. */
async function lookedAt(): Promise<Stage> {
  const stage = await play('changed-point-then-committed', watch);
  await stage.tell(stage.said('completeFailover', { point: 'application-consistent' }));
  stage.mine(watch, 'observeReopening');
  await stage.tell(stage.said('changePoint', { point: 'latest', acceptLoss: true }));
  await stage.tell(stage.ended('observeReopening'));
  stage.mine(watch, 'observeMoverWorker');
  await stage.tell(stage.ended('observeReopening'));
  expect(stage.status()).toMatchObject({ phase: 'AwaitingCommit', pointChange: { by: 'ana' } });
  return stage;
}

test.each(['before', 'behind'])(
  'S1 L6 a source that is found running right %s the look before another point calls a person, who may keep what runs at home',
  async (when) => {
    const stage = await lookedAt();
    const looked = stage.ended('observeMoverWorker');
    const found = stage.ended(watch, itRuns);
    await stage.tell(...(when === 'before' ? [found, looked] : [looked, found]));
    const called = { kind: 'Refused', op: 'observe-power', message: 'the source is running' };
    expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', left: 'AwaitingCommit', trouble: called });
    stage.mine(watch, 'observeReopening');
    await stage.tell(stage.said('resolve', { action: 'retry' }));
    // The choice stands, and is looked at anew.
    expect(stage.status()).toMatchObject({ phase: 'AwaitingCommit', pointChange: { by: 'ana' } });
    await stage.tell(stage.ended('observeReopening', refusedBy('observe-reopening', 'no free slot')));
    expect(stage.status()).toMatchObject({ phase: 'AwaitingCommit', targetLive: true });
    await stage.tell(stage.said('commit'));
    expect(stage.status()).toMatchObject({ phase: 'Committed' });
  },
);
