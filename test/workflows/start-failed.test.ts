/** What is told of a start at home that failed: whether the machine may run there, since when, and what going back would lose. */
import { describeCancel } from '../../client/render/confirm.ts';
import { keysOf } from './at-the-stop.ts';
import { play, refusedBy, type Stage } from './stage.ts';

const start = 'ensureTargetStarted';
const never = refusedBy('PowerOnVM_Task', 'NoPermission', { untouched: true });
const unknown = refusedBy('PowerOnVM_Task', 'nobody knows what became of it');

/** The first start has failed so. */
async function failed(failure: Error, run = 'returned-with-loss'): Promise<Stage> {
  const stage = await play(run, start, 'observeGuest');
  await stage.tell(stage.said('completeFailover'));
  expect(stage.status()).toMatchObject({ phase: 'StartingTarget', targetLive: true, startUnseen: true });
  await stage.tell(stage.ended(start, failure));
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', left: 'StartingTarget' });
  return stage;
}

const since = (stage: Stage): string | undefined => stage.status().liveSince;

/** So that what begins then begins later. */
async function nextMillisecond(): Promise<void> {
  for (const now = Date.now(); Date.now() === now; ) await new Promise(setImmediate);
}

test('S5 S12 of a start that was refused nobody is told that the machine ran at home: the run is taken back without a loss, by an undo too', async () => {
  for (const back of [{ name: 'cancel' }, { name: 'resolve', payload: { action: 'undo' } }] as const) {
    const stage = await failed(never);
    const { targetLive, liveSince, startUnseen, waitsFor, serves } = stage.status();
    expect([targetLive, liveSince, startUnseen]).toEqual([undefined, undefined, undefined]);
    expect(waitsFor).not.toContain('acceptLoss');
    expect(serves).toBe('nobody');
    expect(describeCancel(stage.status())).toContain('and the source serves');
    await stage.tell(stage.said(back.name, 'payload' in back ? back.payload : {}));
    const end = stage.status();
    expect(end).toMatchObject({ phase: 'ReturnedToSource', serves: 'source, as it was found' });
    expect(end.loss).toBeUndefined();
    expect(keysOf(stage)).not.toContain('loss-accepted');
    // Whoever started it meanwhile: it is looked at, and off, before the source starts (S1).
    expect(keysOf(stage)).toContain('target-stopped');
  }
});

test('S5 behind a start that was refused the next one counts from its own sending, and what is written from then on', async () => {
  const stage = await failed(never);
  await nextMillisecond();
  const resolved = new Date().toISOString();
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  expect(stage.status()).toMatchObject({ phase: 'StartingTarget', targetLive: true, startUnseen: true });
  expect((since(stage) ?? '') >= resolved).toBe(true);
  const second = since(stage);
  await stage.tell(stage.ended(start));
  expect(stage.status()).toMatchObject({ targetLive: true, liveSince: second });
  expect(stage.status().startUnseen).toBeUndefined();
  stage.mine(start, 'observeGuest', 'observeWritten');
  await stage.tell(stage.passed(60_000));
  expect(stage.pending()).toContain('observeWritten');
});

test('S5 behind a start that was refused neither a way back nor another point stops a machine that runs all the same, whose writes nobody has counted or accepted', async () => {
  const stop = 'ensureTargetStopped';
  const stage = await failed(never);
  stage.mine(start, stop);
  await stage.tell(stage.said('cancel'));
  expect(stage.given(stop)).toMatchObject({ neverStarted: true });
  await stage.tell(stage.ended(stop, refusedBy('PowerOffVM_Task', 'erp-db is poweredOn, but not by this run')));
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', left: 'Undoing' });
  expect(stage.status().serves).toContain('nobody');

  const another = await failed(never, 'changed-point-then-committed');
  another.mine(start, stop);
  await another.tell(another.said('changePoint', { point: 'application-consistent' }));
  expect(another.given(stop)).toMatchObject({ neverStarted: true });

  const sent = await failed(unknown);
  sent.mine(start, stop);
  await sent.tell(sent.said('cancel', { acceptLoss: true }));
  await sent.tell(sent.ended('observeWritten', refusedBy('QueryPerf', 'no right')));
  expect(sent.pending()).toEqual([stop]);
  expect(sent.given(stop)).not.toHaveProperty('neverStarted');
});

test('S5 a start that may have been sent counts on, also where the next one is refused', async () => {
  const stage = await failed(unknown);
  const first = since(stage);
  expect(stage.status()).toMatchObject({ targetLive: true, startUnseen: true });
  expect(stage.status().waitsFor).toContain('acceptLoss');
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stage.tell(stage.ended(start, never));
  expect(stage.status()).toMatchObject({ targetLive: true, startUnseen: true, liveSince: first });
});
