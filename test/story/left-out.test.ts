/**
 * A deletion after the commit that stops half-way and is left out by an operator.
 * Rule: what the record says was deleted is held against what the simulated Azure still has.
 */
import { readAzure } from '../../lab/azure-control.ts';
import { setVcenterPower } from '../../lab/vcenter-control.ts';
import { firstBroken } from '../../model/evidence.ts';
import { tell } from './both-worlds.ts';
import { homeward } from './command-line.ts';
import { openScene, type Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(3);
}, 180_000);
afterAll(() => scene?.close(), 60_000);

test('S12 L6 a retirement of which Azure refuses a part and that is then left out tells what was really deleted', async () => {
  const run = await scene.begin({ roundEvery: 3_600 });
  await run.until('Syncing');
  await run.say('completeFailover');
  await run.until('AwaitingCommit');
  const { source, name } = run.machine;
  const locked = { status: 409, code: 'ScopeLocked' };
  await scene.fault('azure', { operation: 'disks.delete', resource: `${name}-data`, count: 99, action: locked });
  expect(await run.say('commit')).toEqual({ accepted: true });
  expect((await run.until('NeedsOperator')).trouble?.message).toContain('ScopeLocked');
  expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
  const { record } = await run.until('Committed');
  const facts = (key: string) => record.find((entry) => entry.key === key)?.facts;
  const deleted = String(facts('source-retired')?.deleted).split(', ');
  const remains = String(facts('source-remains')?.remains).split(', ');
  expect(deleted).toEqual([
    `virtual machine ${source.vm}`,
    expect.stringMatching(/^network interface /),
    `disk ${name}-os`,
  ]);
  expect(remains).toContain(`disk ${name}-data`);
  const azure = await readAzure(scene.lab.azure.control);
  expect(azure.vms.map((vm) => vm.name)).not.toContain(source.vm);
  expect(record.map(({ key }) => key)).toEqual(expect.arrayContaining(['skipped/delete the source', 'source-retired']));
  expect(firstBroken(record)).toBeUndefined();
}, 180_000);

test('S12 L6 a mark that cannot be removed and is left out is named before, and is never told as removed', async () => {
  const run = await scene.begin({ roundEvery: 3_600 });
  await run.until('Syncing');
  await run.say('completeFailover');
  await run.until('AwaitingCommit');
  const { target } = run.machine;
  const { control } = scene.lab.vcenter;
  await scene.fault('vcenter', { method: 'ReconfigVM_Task', objectName: target.vm, fault: 'NoPermission', count: -1 });
  await setVcenterPower(control, target.vm, 'off');
  expect(await run.say('commit', { note: 'signed off in change 4711' })).toEqual({ accepted: true });
  expect((await run.until('NeedsOperator')).trouble?.hint).toContain('Start it, then resolve with retry');
  await setVcenterPower(control, target.vm, 'on');
  expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  await run.untilView('called again', ({ status }) => status?.trouble?.step === 'remove our marks from the target');
  const called = await run.until('NeedsOperator');
  expect(called.trouble?.step).toBe('remove our marks from the target');
  expect([called.says, called.waitsFor, called.trouble?.hint].join(' ')).not.toMatch(/\bundo\b/);
  const asked = await homeward(scene.lab, 'failback', 'resolve', run.machine.name, '--skip');
  expect(asked).toMatchObject({ code: 3, err: expect.stringContaining('step       remove our marks from the target') });
  const sent = ['--skip', '--yes', '--note', 'the account lost its rights'];
  expect(await homeward(scene.lab, 'failback', 'resolve', run.machine.name, ...sent)).toMatchObject({ code: 0 });
  const { record } = await run.until('Committed');
  const facts = (key: string) => record.findLast((entry) => entry.key === key)?.facts;
  expect(facts('resolve-accepted')).toMatchObject({ action: 'skip', note: 'the account lost its rights' });
  expect(facts('commit-accepted')).toMatchObject({ note: 'signed off in change 4711' });
  expect(facts('skipped/remove our marks from the target')).toBeDefined();
  expect(facts('target-finished')).toBeUndefined();
}, 180_000);

test('S2 L6 a commit of a machine that was switched off, and then removed, at home deletes nothing: the look at its power may be left out, that at the machine and its disks may not', async () => {
  const run = await scene.begin({ roundEvery: 3_600 });
  await run.until('Syncing');
  await run.say('completeFailover');
  await run.until('AwaitingCommit');
  const { source, target } = run.machine;
  const { control } = scene.lab.vcenter;
  const called = async (step: string, words: string): Promise<void> => {
    const { status } = await run.untilView(words, (view) => view.status?.trouble?.message.includes(words) === true);
    expect(status).toMatchObject({ phase: 'NeedsOperator', left: 'Committing', trouble: { kind: 'Refused', step } });
    const azure = await readAzure(scene.lab.azure.control);
    expect(azure.vms.map((vm) => vm.name)).toContain(source.vm);
  };
  const look = 'look at the power of the machine at home';
  await setVcenterPower(control, target.vm, 'off');
  expect(await run.say('commit')).toEqual({ accepted: true });
  await called(look, 'does not run (poweredOff)');
  await tell(`${control}/unregister`, { vm: target.vm });
  expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  await called(look, 'no machine stands at');
  expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
  await called('delete the source', 'no machine stands at');
}, 180_000);
