/**
 * Somebody starts the source by hand while the start of the target waits for somebody else's task in vCenter.
 * Rule: the source is off when the step looks for the first time, and runs when the wait is over. In the long run only: that
 * nothing leaves without a last look is shown at both sites' edges, in test/vsphere/last-look and test/azure/observe-and-power.
 */
import { knock } from '../../lab/control-door.ts';
import { tell } from './both-worlds.ts';
import { openScene, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

let scene: Scene;
beforeAll(async () => {
  if (everyFault) scene = await openScene(1);
}, 180_000);
afterAll(() => scene?.close(), 60_000);

thorough(
  'S1 a source that was started by hand while the start waited for somebody else’s task keeps the target off',
  async () => {
    const run = await scene.begin({ roundEvery: 3_600 });
    const { source, target } = run.machine;
    const { azure, vcenter } = scene.lab;
    await run.until('Syncing');
    // The mark that the disks are returned is written slowly: its look at the source is past, that of the start is to come.
    await scene.fault('vcenter', { method: 'ReconfigVM_Task', skip: 2, where: 'task', delayMs: 4_000 });
    await run.say('completeFailover');
    await scene.untilMet('vcenter');
    await scene.fault('vcenter', { method: 'CreateSnapshot_Task', where: 'task', delayMs: 15_000 });
    await scene.fault('azure', {
      operation: 'virtualMachines.get',
      resource: source.vm,
      action: { delayMs: 5_000 },
      // The watch begins beside the start, and either may ask first.
      count: 2,
    });
    await run.untilView(
      'returned',
      ({ status }) => status?.record.some(({ key }) => key === 'disks-returned') === true,
    );
    const snapshot = tell(`${vcenter.control}/snapshot`, { vm: target.vm });
    await run.untilView('waiting', ({ pending }) =>
      pending.some(({ activity, doing }) => activity === 'ensureTargetStarted' && /createSnapshot/.test(doing ?? '')),
    );
    await tell(`${azure.control}/vms/${source.vm}/power`, { state: 'running' });
    const called = await run.until('NeedsOperator', 'AwaitingCommit');
    await snapshot;
    // Whether the look, or the watch beside it, still meets it starting is a matter of moments; either way it is not off.
    const message = expect.stringMatching(/source is (running|changing \(PowerState\/starting\))/);
    expect(called.trouble).toMatchObject({ op: 'observe-power', message });
    expect(called.record.map(({ key }) => key)).not.toContain('target-started');
    expect(scene.lab.witness.effects().filter(({ op }) => op === 'powerOn')).toEqual([]);
    await knock(`${vcenter.control}/snapshot`, { vm: target.vm }, 'DELETE');
    expect(await run.say('cancel', { acceptLoss: true })).toEqual({ accepted: true });
    await run.until('ReturnedToSource');
    expect(await run.wrongAtEnd('returned')).toEqual([]);
  },
  240_000,
);
