/** A stop that was refused, and the source that somebody switched behind it: what is run, stopped and started then, in which order. */
import { describeCancel, describeLoss } from '../../client/render/confirm.ts';
import {
  keysOf,
  look,
  ranWell,
  script,
  shutDownInside,
  source,
  starting,
  stop,
  windowsCompleted,
} from './at-the-stop.ts';
import { play, refusedBy, type Stage } from './stage.ts';

const home = 'observeHomeAgain';

/** The stop of a source that stood so was refused, and a person is called. */
async function refusedBefore(found: object): Promise<Stage> {
  const stage = await windowsCompleted('returned-with-loss', home, 'ensureRecoveryPoint');
  await stage.tell(stage.ended(look, found));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, found));
  await stage.tell(stage.ended(stop, refusedBy('virtualMachines.deallocate', 'ScopeLocked')));
  await stage.tell(stage.ended(look, found));
  expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', left: 'StoppingSource' });
  return stage;
}

/** Another try finds it so: its scripts run, home is looked at again, and it is stopped. */
async function stoppedBehindScripts(stage: Stage, found: object): Promise<void> {
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, found));
  // Looked at anew, as before its scripts.
  await stage.tell(stage.ended(look, found));
  expect(stage.pending()).toEqual([script]);
  await stage.tell(stage.ended(script, ranWell));
  await stage.tell(stage.ended('releaseGuestScripts', []));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, source('running')));
  await stage.tell(stage.ended(stop));
  expect(stage.status().phase).toBe('FinalSync');
}

test.each([
  ['shut down inside', shutDownInside, source('running')],
  ['off', source('stopped'), source('running')],
  ['off', source('stopped'), starting],
])(
  'S5 S001-20 a source that was %s at a stop that was refused, and that somebody started behind it, is stopped behind its scripts, and started on the way back before they are taken back',
  async (_how, first, then) => {
    const stage = await refusedBefore(first);
    await stoppedBehindScripts(stage, then);
    await stage.tell(stage.said('cancel'));
    // VMware Tools are set back in a guest that runs again.
    expect(keysOf(stage)).toContain('source-started');
    expect(stage.pending()).toEqual([script]);
    await stage.tell(stage.ended(script, ranWell));
    await stage.tell(stage.ended('releaseGuestScripts', []));
    expect(stage.status()).toMatchObject({ phase: 'ReturnedToSource', serves: 'source, as it was found' });
    const undone = keysOf(stage).filter((key) => key.startsWith('undo/'));
    expect(undone.slice(0, 3)).toEqual(
      ['stop the source', 'VMware Tools in the source', 'scripts in the source'].map((name) => `undo/${name}`),
    );
  },
);

test('S000-16 a source that is being deleted behind a stop that was refused is waited for by no script', async () => {
  const stage = await refusedBefore(source('stopped'));
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, source('changing', { powerSeen: 'Deleting', beingDeleted: true })));
  expect(stage.pending()).toEqual([stop]);
});

/** Off before its stop, which went through, as far as the next step that is the test's. */
async function offAndStopped(...mine: string[]): Promise<Stage> {
  const stage = await play('returned-with-loss', look, stop, home, ...mine);
  await stage.tell(stage.said('completeFailover'));
  await stage.tell(stage.ended(look, source('stopped')));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, source('stopped')));
  await stage.tell(stage.ended(stop));
  return stage;
}

test('S5 S1 a source that was off before its stop is left off on the way back, also where somebody ran it meanwhile, and nobody who is asked reads otherwise', async () => {
  const stage = await offAndStopped('observeSourceStaysOff', 'observeWritten');
  const before = describeLoss(stage.status());
  expect(before).toContain('IS LEFT AS IT IS: it was off when it was last looked at');
  await stage.tell(stage.ended('observeSourceStaysOff', refusedBy('observe-power', 'the source is running')));
  // The operator stops it, as the hint says, and answers.
  await stage.tell(stage.said('resolve', { action: 'retry' }));
  const asked = describeLoss(stage.status());
  expect(asked).toContain('IS LEFT AS IT IS: it was off before its stop, and somebody started it since');
  for (const text of [before, asked]) expect(text).not.toMatch(/source serves again|as it was at the final/);
  await stage.tell(stage.said('cancel', { acceptLoss: true }));
  expect(stage.status().serves).toMatch(/^target, until it is stopped; then nobody, unless somebody has started the/);
  await stage.tell(stage.ended('observeWritten', refusedBy('observe-written', 'no count')));
  expect(stage.status().serves).toBe(
    'the source, if it still runs: it was off before its stop, and somebody started it since',
  );
  await stage.tell(stage.ended(look, source('stopped')));
  expect(stage.status()).toMatchObject({ phase: 'ReturnedToSource', serves: 'nobody: the source is stopped' });
  expect(keysOf(stage)).not.toContain('source-started');
});

test.each([
  ['running', source('running'), 'source'],
  ['off', source('stopped'), 'nobody: the source is stopped'],
])(
  'S5 S12 a source that was off before its stop and is seen %s on the way back is told so while a later step calls a person',
  async (_how, seen, serves) => {
    const stage = await offAndStopped('ensureRecoveryPoint');
    stage.mine(look, 'releaseRecoveryPoints');
    await stage.tell(stage.said('cancel'));
    await stage.tell(stage.ended(look, seen));
    await stage.tell(stage.ended('releaseRecoveryPoints', refusedBy('snapshots.delete', 'ScopeLocked')));
    expect(stage.status()).toMatchObject({ phase: 'NeedsOperator', left: 'Undoing', serves });
    const { facts } = stage.status().record.find(({ key }) => key === 'source-left') ?? {};
    expect(facts).toEqual({ power: seen.powerSeen });
  },
);

test('S5 a source that was off before its stop and was seen running since is not told to serve at the end when nobody could look at it', async () => {
  const stage = await offAndStopped('observeSourceStaysOff', 'observeWritten');
  await stage.tell(stage.ended('observeSourceStaysOff', refusedBy('observe-power', 'the source is running')));
  await stage.tell(stage.said('cancel', { acceptLoss: true }));
  await stage.tell(stage.ended('observeWritten', refusedBy('observe-written', 'no count')));
  await stage.tell(stage.ended(look, refusedBy('virtualMachines.get', 'no permission')));
  expect(stage.status()).toMatchObject({
    phase: 'ReturnedToSource',
    serves: expect.stringMatching(/^the source, if it still runs/),
  });
});

test('S5 a source that somebody took down between its scripts and the first stop is started on the way back, for what its guest needs there, and the question says so', async () => {
  const stage = await windowsCompleted('returned-with-loss', home, 'ensureRecoveryPoint');
  await stage.tell(stage.ended(look, source('running')));
  await stage.tell(stage.ended(script, ranWell));
  await stage.tell(stage.ended('releaseGuestScripts', []));
  await stage.tell(stage.ended(home));
  await stage.tell(stage.ended(look, source('stopped')));
  expect(describeCancel(stage.status())).toContain('is started again');
  await stage.tell(stage.ended(stop));
  await stage.tell(stage.said('cancel'));
  expect(keysOf(stage)).toContain('source-started');
  expect(stage.pending()).toEqual([script]);
});
