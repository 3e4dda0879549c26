/** What is told of a stop that failed: whether it is an outage, since when, whose it is, and what the way back does then. */
import { describeCancel } from '../../client/render/confirm.ts';
import { goingDown, keysOf, look, source, stop } from './at-the-stop.ts';
import { play, refusedBy, type Stage } from './stage.ts';

const home = 'observeHomeAgain';
const homeStays = 'observeHomeStays';
/** Azure has this long to show a stop that it has accepted (workflows/stopping.ts). */
const showsWithinMs = 15_000;

const running = source('running');
const off = source('stopped');
const unknown = refusedBy('virtualMachines.deallocate', 'nobody knows what became of it');
const never = refusedBy('virtualMachines.deallocate', 'ScopeLocked', { untouched: true });

/** The stop of a source that ran has failed so. */
async function failed(failure: Error, before: object = running): Promise<Stage> {
  const stage = await play('returned-with-loss', look, stop, home, 'ensureRecoveryPoint');
  await stage.tell(stage.said('completeFailover'));
  await stage.tell(stage.ended(look, before));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, before));
  await stage.tell(stage.ended(stop, failure));
  return stage;
}

/** The same between rounds. */
async function failedInRounds(...seenBehind: readonly [object, object?]): Promise<Stage> {
  const stage = await play('committed-before', look, stop, homeStays);
  await stage.tell(stage.said('completeFailover'));
  await stage.tell(stage.ended(look, running));
  stage.mine(look, stop, homeStays, 'syncRounds');
  await stage.tell(stage.ended(homeStays));
  await stage.tell(stage.ended(look, running));
  await stage.tell(stage.ended(stop, unknown));
  await behind(stage, ...seenBehind);
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  return stage;
}

/** It is looked at at once, and again once a stop that was accepted would show. */
async function behind(stage: Stage, first: object, second?: object): Promise<void> {
  await stage.tell(stage.ended(look, first));
  if (second) {
    await stage.tell(stage.passed(showsWithinMs));
    await stage.tell(stage.ended(look, second));
  }
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', left: 'StoppingSource' });
}

async function triedAgain(stage: Stage, before: object, as?: Error): Promise<void> {
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, before));
  await stage.tell(stage.ended(stop, as));
}

const begun = (stage: Stage): string | undefined => stage.status().outage?.startedAt;

/** So that what begins then begins later. */
async function nextMillisecond(): Promise<void> {
  for (const now = Date.now(); Date.now() === now; ) await new Promise(setImmediate);
}

test('S5 S12 a stop that is known never to have begun is no outage: a person is called at once, and none is told then, nor when the run is taken back', async () => {
  const stage = await failed(never);
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', trouble: { message: 'ScopeLocked' } });
  expect(stage.status().outage).toBeUndefined();
  await stage.tell(stage.said('cancel'));
  expect(stage.status()).toMatchObject({ phase: 'ReturnedToSource', serves: 'source, as it was found' });
  expect(stage.status().outage).toBeUndefined();
});

const inVain = Object.assign(refusedBy('virtualMachines.deallocate', '409 Conflict'), { type: 'Transient' });

test.each([
  ['was refused', unknown],
  ['was tried in vain', inVain],
])(
  'S5 S12 a stop that %s while the source serves on for a while has begun no outage: none is told while a person is called, nor when the run is taken back',
  async (_how, failure) => {
    const stage = await failed(failure);
    // L1: nobody who is to be called waits long for a look.
    expect(stage.patienceMs(look)).toBe(20_000);
    await behind(stage, running, running);
    expect(stage.status().outage).toBeUndefined();
    await stage.tell(stage.said('cancel'));
    expect(stage.status()).toMatchObject({ phase: 'ReturnedToSource', serves: 'source, as it was found' });
    expect(stage.status().outage).toBeUndefined();
    expect(keysOf(stage)).toContain('source-started');
  },
);

test('S5 behind a stop that was refused the source went on serving: the outage begins with the stop that it goes down in', async () => {
  const stage = await failed(unknown);
  const first = begun(stage) ?? '';
  await behind(stage, running, running);
  await nextMillisecond();
  await triedAgain(stage, running);
  expect(stage.status().phase).toBe('FinalSync');
  expect(Date.parse(begun(stage) ?? '')).toBeGreaterThan(Date.parse(first));
});

test.each([
  ['at once', goingDown, undefined],
  ['late', running, goingDown],
])(
  'S5 S12 a stop that was refused and shows %s was an outage from its sending on, whatever becomes of the next one',
  async (_when, one, other) => {
    const stage = await failed(unknown);
    const sent = begun(stage);
    await behind(stage, one, other);
    expect(stage.status()).toMatchObject({ serves: 'nobody: the source is stopped', outage: { startedAt: sent } });
    // The first one is under way, whatever is known of this.
    await triedAgain(stage, off, never);
    await behind(stage, off);
    expect(begun(stage)).toBe(sent);
    await triedAgain(stage, off);
    expect(stage.status()).toMatchObject({ phase: 'FinalSync', outage: { startedAt: sent } });
  },
);

test('S5 S12 an outage that a failed stop brought is over once the source is seen to serve again, and counts beside the next one', async () => {
  const stage = await failed(unknown);
  const sent = begun(stage);
  await behind(stage, goingDown);
  await nextMillisecond();
  await triedAgain(stage, running);
  expect(stage.status().outagesBefore).toEqual([{ startedAt: sent, endedAt: expect.any(String) }]);
  expect(stage.status().outage?.endedAt).toBeUndefined();
});

test('S5 a source that nobody could look at behind a stop that failed is told to be down', async () => {
  const stage = await failed(unknown);
  await stage.tell(stage.ended(look, refusedBy('virtualMachines.get', 'no permission')));
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', trouble: { message: unknown.message } });
  expect(begun(stage)).toBeDefined();
});

test('S5 the question before a cancel says of a source that was off at a stop that failed, and has served since, that it is started again', async () => {
  const stage = await failed(never, off);
  expect(describeCancel(stage.status())).toContain('IS LEFT AS IT IS');
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, running));
  await stage.tell(stage.ended(look, running));
  expect(stage.status().sourceUndo).toBe('start');
  expect(describeCancel(stage.status())).toContain('and the source serves.');
});

test('S5 S12 that the source is off in a round behind a stop of ours that shows late is not told as somebody’s, and the way back starts it', async () => {
  const stage = await failedInRounds(running, goingDown);
  await stage.tell(stage.told('sourceTurned', false));
  expect(keysOf(stage)).not.toContain('source-idle');
  expect(begun(stage)).toBeDefined();
  await takenBackAndStarted(stage);
});

test('S5 S12 that it is off long behind a stop that failed is told as it is known, and the way back starts it', async () => {
  const stage = await failedInRounds(running, running);
  await stage.tell(stage.told('sourceTurned', false));
  const { what } = stage.status().record.find(({ key }) => key === 'source-idle') ?? {};
  expect(what).toBe('somebody, or a stop of ours that had failed, has stopped the source; nobody serves');
  expect(begun(stage)).toBeUndefined();
  await takenBackAndStarted(stage);
});

test('S12 that it is off in a round before the first stop was sent is told as somebody’s', async () => {
  const stage = await play('committed-before', look, stop, homeStays);
  await stage.tell(stage.said('completeFailover'));
  await stage.tell(stage.ended(look, running));
  stage.mine(look, stop, homeStays, 'syncRounds');
  await stage.tell(stage.ended(homeStays, refusedBy('check-before-cutover', 'a snapshot')));
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stage.tell(stage.told('sourceTurned', false));
  const { what } = stage.status().record.find(({ key }) => key === 'source-idle') ?? {};
  expect(what).toBe('somebody stopped the source; nobody serves');
});

test('S5 S12 a source that runs again in a round ends the outage that a failed stop had brought', async () => {
  const stage = await failedInRounds(goingDown);
  await stage.tell(stage.told('sourceTurned', false));
  await stage.tell(stage.told('sourceTurned', true));
  expect(stage.status().outage?.endedAt).toBeDefined();
  expect(stage.status().serves).toMatch(/^source/);
});

async function takenBackAndStarted(stage: Stage): Promise<void> {
  expect(stage.status().serves).toBe('nobody: the source is stopped');
  expect(describeCancel(stage.status())).toContain('rg-failover/erp-db is started again');
  stage.mine();
  await stage.tell(stage.said('cancel'));
  await stage.tell(stage.ended('syncRounds'));
  await stage.tell(stage.ended('ensureSourceStarted', running));
  expect(stage.status().serves).toBe('source');
  expect(keysOf(stage)).toContain('source-started');
}
