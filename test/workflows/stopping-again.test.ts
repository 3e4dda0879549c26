/** A stop that was refused, and the source that somebody switched behind it: what is run, stopped and started then, in which order. */
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
import { refusedBy, type Stage } from './stage.ts';

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
