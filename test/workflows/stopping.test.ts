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

const secondsOf = (stage: Stage): string | undefined => stage.status().outage?.startedAt;

test('S5 behind a stop that was refused the source went on serving: the outage begins with the stop that it goes down in', async () => {
  const stage = await completed(source('running'));
  await stage.tell(stage.ended('observeHomeAgain'));
  await stage.tell(stage.ended(look, source('running')));
  const refused = secondsOf(stage);
  await stage.tell(stage.ended(stop, refusedBy('virtualMachines.deallocate', 'no permission')));
  await stage.tell(stage.ended(look, source('running')));
  while (Date.now() <= Date.parse(refused ?? '')) await new Promise(setImmediate);
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stopped(stage, source('running'));
  expect(Date.parse(secondsOf(stage) ?? '')).toBeGreaterThan(Date.parse(refused ?? ''));
});

test('S5 S12 a stop that Azure refused while the source serves on has begun no outage: none is told while a person is called, nor when the run is taken back', async () => {
  const stage = await completed(source('running'));
  await stage.tell(stage.ended('observeHomeAgain'));
  await stage.tell(stage.ended(look, source('running')));
  await stage.tell(stage.ended(stop, refusedBy('virtualMachines.deallocate', 'no permission')));
  await stage.tell(stage.ended(look, source('running')));
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', trouble: { op: 'virtualMachines.deallocate' } });
  expect(stage.status().outage).toBeUndefined();
  await stage.tell(stage.said('cancel'));
  expect(stage.status().phase).toBe('ReturnedToSource');
  expect(stage.status().outage).toBeUndefined();
});

test('S5 S12 a stop that was refused and shows late was an outage from its sending on', async () => {
  const stage = await completed(source('running'));
  await stage.tell(stage.ended('observeHomeAgain'));
  await stage.tell(stage.ended(look, source('running')));
  const sent = secondsOf(stage);
  await stage.tell(stage.ended(stop, refusedBy('virtualMachines.deallocate', 'nobody knows')));
  await stage.tell(stage.ended(look, source('running')));
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stopped(stage, source('stopped'));
  expect(secondsOf(stage)).toBe(sent);
});

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

test.each([
  ['is not told as somebody’s', [look, source('running')] as const, false],
  ['is somebody’s where the first one was not sent yet', undefined, true],
])('S12 that the source is off in a round behind a stop of ours %s', async (_what, sent, told) => {
  const stage = await play('committed-before', look, stop, 'observeHomeStays');
  await stage.tell(stage.said('completeFailover'));
  await stage.tell(stage.ended(look, source('running')));
  stage.mine(look, stop, 'observeHomeStays', 'syncRounds');
  if (sent) {
    await stage.tell(stage.ended('observeHomeStays'));
    await stage.tell(stage.ended(...sent));
    await stage.tell(stage.ended(stop, refusedBy('virtualMachines.deallocate', 'nobody knows')));
    await stage.tell(stage.ended(look, goingDown));
  } else await stage.tell(stage.ended('observeHomeStays', refusedBy('check-before-cutover', 'a snapshot')));
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stage.tell(stage.told('sourceTurned', false));
  expect(keysOf(stage).includes('source-idle')).toBe(told);
});
