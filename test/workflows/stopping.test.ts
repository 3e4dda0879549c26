/** What the way back does with the power of a source that was stopped for the cutover, whoever switched it before. */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { PreflightAnswer } from '../../activities/preflight.ts';
import { goingDown, keysOf, look, ranWell, script, source, stop, windowsCompleted } from './at-the-stop.ts';
import { recorded } from './recorded.ts';
import { play, refusedBy, type Stage } from './stage.ts';

const again = refusedBy('check-before-cutover', 'the mover has a snapshot');

/** Completed with a source that stands so; everything else is answered as it was recorded. */
async function completed(found: object): Promise<Stage> {
  const stage = await play('returned-with-loss', look, stop, 'observeHomeAgain', 'ensureRecoveryPoint');
  await stage.tell(stage.said('completeFailover'));
  await stage.tell(stage.ended(look, found));
  return stage;
}

/** Home has changed: a person is called, and has mended it. */
async function calledAndMended(stage: Stage): Promise<void> {
  await stage.tell(stage.ended('observeHomeAgain', again));
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', left: 'StoppingSource' });
  await stage.tell(stage.said('resolve', { action: 'retry' }));
}

async function stopped(stage: Stage, before: object): Promise<void> {
  await stage.tell(stage.ended('observeHomeAgain'));
  await stage.tell(stage.ended(look, before));
  await stage.tell(stage.ended(stop));
  expect(stage.status().phase).toBe('FinalSync');
}

test('S5 a source that somebody started while a person was called is started again on the way back, and was told to serve until its stop', async () => {
  const stage = await completed(source('stopped', { powerSeen: 'off' }));
  expect(stage.status().serves).toBe('nobody: the source is stopped');
  await calledAndMended(stage);
  await stage.tell(stage.ended('observeHomeAgain'));
  await stage.tell(stage.ended(look, source('running', { powerSeen: 'on' })));
  // Looked at anew, as before its scripts.
  await stage.tell(stage.ended(look, source('running', { powerSeen: 'on' })));
  await stopped(stage, source('running', { powerSeen: 'on' }));
  const facts = stage.status().record.find(({ key }) => key === 'source-stopped')?.facts;
  expect(facts).toMatchObject({ before: 'on' });
  await stage.tell(stage.said('cancel'));
  expect(stage.status()).toMatchObject({ phase: 'ReturnedToSource', serves: 'source, as it was found' });
  expect(keysOf(stage)).toContain('source-started');
});

test.each(['during', 'before'] as const)(
  'S001-20 a source that somebody started after its scripts were due is not stopped without them (sync %s)',
  async (sync) => {
    const name = sync === 'during' ? 'returned-with-loss' : 'committed-before';
    const home = sync === 'during' ? 'observeHomeAgain' : 'observeHomeStays';
    const stage = await windowsCompleted(name, home, 'syncRounds');
    if (sync === 'before') await stage.tell(stage.ended('syncRounds'));
    await stage.tell(stage.ended(look, source('stopped')));
    const [left] = stage.status().arrival?.steps ?? [];
    expect(left).toMatchObject({ name: 'enable-vmware-tools', ended: 'not-run', seen: 'the source is off' });
    await stage.tell(stage.ended(home));
    await stage.tell(stage.ended(look, source('running')));
    await stage.tell(stage.ended(look, source('running')));
    expect(stage.pending()).toEqual([script]);
    await stage.tell(stage.ended(script, ranWell));
    await stage.tell(stage.ended('releaseGuestScripts', []));
    // Home is looked at again behind them, and then the source for the last time.
    await stage.tell(stage.ended(home));
    await stage.tell(stage.ended(look, source('running')));
    expect(stage.pending()).toEqual([stop]);
    expect(stage.status().arrival?.steps).toMatchObject([{ name: 'enable-vmware-tools', ended: 'done' }]);
  },
);

test('S5 a source that preflight finds off is not told to serve while its cutover is waited for', async () => {
  const stage = await play('returned-with-loss', 'observePreflight');
  const answer = recorded('returned-with-loss').answer('observePreflight', '1') as Payload;
  const seen = defaultPayloadConverter.fromPayload<PreflightAnswer>(answer);
  await stage.tell(stage.ended('observePreflight', { ...seen, source: { ...seen.source, power: 'stopped' } }));
  expect(stage.status()).toMatchObject({ phase: 'AwaitingCutover', serves: 'nobody: the source is stopped' });
});

test.each([
  ['deallocated', source('stopped')],
  ['shut down inside', source('running', { guestOff: true })],
])('S5 a source that was %s all the time is not started on the way back', async (_how, off) => {
  const stage = await completed(off);
  await stopped(stage, off);
  await stage.tell(stage.said('cancel'));
  await stage.tell(stage.ended(look, off));
  expect(stage.status()).toMatchObject({ phase: 'ReturnedToSource', serves: 'nobody: the source is stopped' });
  expect(keysOf(stage)).not.toContain('source-started');
});

test.each(['running', 'stopped'] as const)(
  'S5 S001-20 a source that was %s before a stop which failed, and stands otherwise before the next one, is started again on the way back; started by somebody it is not stopped without its scripts',
  async (first) => {
    const stage = await completed(source(first));
    await stage.tell(stage.ended('observeHomeAgain'));
    await stage.tell(stage.ended(look, source(first)));
    await stage.tell(stage.ended(stop, refusedBy('virtualMachines.deallocate', 'nobody knows what became of it')));
    await stage.tell(stage.ended(look, goingDown));
    // It may go down yet by the stop that was sent.
    expect(stage.status().outage?.endedAt).toBeUndefined();
    expect(stage.status().outage?.startedAt).toBeDefined();
    await stage.tell(stage.said('resolve', { action: 'retry' }));
    if (first === 'stopped') {
      await stage.tell(stage.ended('observeHomeAgain'));
      await stage.tell(stage.ended(look, source('running')));
      expect(stage.status().outage).toBeUndefined();
      // Looked at anew, as before its scripts.
      await stage.tell(stage.ended(look, source('running')));
      await stopped(stage, source('running'));
    } else await stopped(stage, source('stopped'));
    await stage.tell(stage.said('cancel'));
    expect(stage.status().phase).toBe('ReturnedToSource');
    expect(keysOf(stage)).toContain('source-started');
  },
);

test('S1 S5 a source that was off before its stop and that somebody started later is looked at on the way back, and told to serve', async () => {
  const stage = await completed(source('stopped'));
  await stopped(stage, source('stopped'));
  stage.mine(look);
  await stage.tell(stage.said('cancel'));
  await stage.tell(stage.ended(look, source('running')));
  expect(stage.status()).toMatchObject({ phase: 'ReturnedToSource', serves: 'source, as it was found' });
  expect(keysOf(stage)).not.toContain('source-started');
});

test('S1 S5 what the watch over a source that was off before its stop finds running is not said to stay off', async () => {
  const stage = await play('returned-with-loss', look, stop, 'observeHomeAgain', 'observeSourceStaysOff');
  await stage.tell(stage.said('completeFailover'));
  await stage.tell(stage.ended(look, source('stopped')));
  await stage.tell(stage.ended('observeHomeAgain'));
  await stage.tell(stage.ended(look, source('stopped')));
  await stage.tell(stage.ended(stop));
  expect(stage.status()).toMatchObject({ phase: 'AwaitingCommit', sourceIdle: true });
  await stage.tell(stage.ended('observeSourceStaysOff', refusedBy('observe-power', 'the source is running')));
  expect(stage.status().sourceIdle).toBeUndefined();
});
