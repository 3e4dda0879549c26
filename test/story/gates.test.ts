/**
 * A run that waits for a person and is given none: it reminds, and lets a gate expire only into safety. And what comes after a
 * commit: a deletion that stops half-way and is left out by an operator, and another failback of a machine that came home
 * already and whose source is gone.
 * Rule: the gates of every machine that waits here expire, so that the one that must not is seen not to; what the record says
 * was deleted is held against what the simulated Azure still has; and what a person on call reads never sends them to the side
 * that does not exist, nor has them stop the one that does.
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { readAzure } from '../../lab/azure-control.ts';
import { setVcenterPower } from '../../lab/vcenter-control.ts';
import { firstBroken } from '../../model/evidence.ts';
import { tell } from './both-worlds.ts';
import { homeward } from './command-line.ts';
import { copiesOf, deleteSource } from './last-copy.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const gateExpiresSeconds = 6;
const expiring = { remindEverySeconds: 1, gateExpiresSeconds, guestWaitSeconds: 10 };
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 9 : 7);
}, 180_000);
afterAll(() => scene?.close(), 60_000);

const detailsOf = async (run: Run): Promise<string> =>
  (
    await scene.link.client.workflow
      .getHandle(run.id)
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata')
  ).currentDetails ?? '';

test('L4 a run that waits for its commit reminds again and again, never commits by itself, and never expires', async () => {
  const run = await scene.begin({ roundEvery: 3_600 }, expiring);
  await run.until('Syncing');
  await run.say('completeFailover');
  const reached = await run.until('AwaitingCommit');
  await pause(gateExpiresSeconds * 1000);
  const seen = await run.untilView('reminded', ({ status }) => (status?.waiting?.reminded ?? 0) >= gateExpiresSeconds);
  expect(seen.status).toMatchObject({ phase: 'AwaitingCommit', waitsFor: expect.stringMatching(/^commit: /) });
  expect(Date.parse(seen.status?.waiting?.since ?? '')).toBeGreaterThanOrEqual(Date.parse(reached.phaseSince));
  expect(await detailsOf(run)).toMatch(/\*\*Waits for a person since .*\*\*, reminded \d+ times/);
  expect((await homeward(scene.lab, 'status', run.machine.name)).out).toMatch(/It has waited for .*; \d+ reminders/);
  await run.say('commit');
  const end = await run.until('Committed');
  expect(end.waiting).toBeUndefined();
  const keys = end.record.map(({ key }) => key);
  expect(keys.filter((key) => key === 'reminded/commit').length).toBeGreaterThanOrEqual(gateExpiresSeconds);
  expect(keys.lastIndexOf('reminded/commit')).toBeLessThan(keys.indexOf('commit'));
  expect(firstBroken(end.record)).toBeUndefined();
  expect(await run.wrongAtEnd('committed')).toEqual([]);
}, 180_000);

test('L4 S5 a gate that nobody completes in time takes the run back, and the source goes on serving', async () => {
  const run = await scene.begin({ roundEvery: 3_600 }, expiring);
  const waiting = await run.until('Syncing');
  const end = await run.until('ReturnedToSource');
  expect(Date.parse(end.cancellation?.at ?? '') - Date.parse(waiting.phaseSince)).toBeGreaterThanOrEqual(
    gateExpiresSeconds * 1000,
  );
  expect(end.cancellation?.by).toContain('nobody completed the failover in time');
  expect(end.record.map(({ key }) => key)).toContain('reminded/completeFailover');
  expect(await run.wrongAtEnd('returned')).toEqual([]);
}, 180_000);

test('S5 S11 L4 a gate that expires after the source was deleted with its disks calls a person, and deletes neither our recovery points nor the disks at home, left out or not', async () => {
  const run = await scene.begin({ roundEvery: 3_600, write: 'staged' }, expiring);
  await run.until('Syncing');
  await deleteSource(scene.lab, run);
  const before = await copiesOf(scene.lab, run);
  expect([before.snapshots.length, before.atHome]).toEqual([2, [true, true]]);
  for (const step of ['undo: recovery points', 'undo: open target disks']) {
    const { status } = await run.untilView(step, (view) => view.status?.trouble?.step === step);
    expect(status).toMatchObject({ left: 'Undoing', trouble: { op: 'source-gone' }, sourceGone: true });
    expect(status?.serves).toMatch(/^not known: the source was not found/);
    for (const name of step.includes('points') ? before.snapshots : before.files)
      expect(status?.trouble?.message).toContain(name);
    expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
  }
  const end = await run.until('ReturnedToSource');
  expect(end.cancellation?.by).toContain('nobody completed the failover in time');
  expect([end.serves, end.says].join(' ')).toMatch(/^look at both sides.* not all .*left out: recovery points, open/);
  const told = end.record.filter(({ key }) => key.startsWith('skipped/')).map(({ facts }) => String(facts.because));
  for (const name of [...before.snapshots, ...before.files]) expect(told.join()).toContain(name);
  expect(await copiesOf(scene.lab, run)).toEqual(before);
}, 180_000);

test('S12 S001-22 a target without VMware Tools is waited for as long as the policy says, and is then not said to answer: record, status, details and command line say so before the commit', async () => {
  const run = await scene.begin({ roundEvery: 3_600 }, expiring);
  await tell(`${scene.lab.vcenter.control}/guest`, { vm: run.machine.target.vm, missing: true });
  await run.until('Syncing');
  await run.say('completeFailover');
  const waiting = await run.untilView('waiting for the guest', ({ status }) => status?.awaits !== undefined);
  const { for: what, since, until } = waiting.status?.awaits ?? { for: '', since: '', until: '' };
  expect(what).toMatch(/^the guest of .* to answer \(VMware Tools\)$/);
  expect(Date.parse(until) - Date.parse(since)).toBe(10_000);
  expect(await detailsOf(run)).toContain('**Waits by itself for the guest of');
  const { waitsFor, record, guestSilent, targetIp, awaits } = await run.until('AwaitingCommit');
  expect(awaits).toBeUndefined();
  const keys = record.map(({ key }) => key);
  expect(keys).toContain('guest-silent');
  expect(keys).not.toContain('guest-answers');
  expect([guestSilent, targetIp]).toEqual([true, undefined]);
  const words = 'no agent in it can answer: VMware Tools are not installed';
  expect(record.find(({ key }) => key === 'guest-silent')?.what).toContain(words);
  expect(waitsFor).toContain(words);
  expect(await detailsOf(run)).toContain(words);
  const shown = (await homeward(scene.lab, 'status', run.machine.name)).out.replace(/\s+/g, ' ');
  expect(shown).toContain(words);
  await run.say('commit');
  await run.until('Committed');
  expect(await run.wrongAtEnd('committed')).toEqual([]);
}, 180_000);

thorough(
  'S12 L6 a retirement of which Azure refuses a part and that is then left out tells what was really deleted',
  async () => {
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
    expect(record.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['skipped/delete the source', 'source-retired']),
    );
    expect(firstBroken(record)).toBeUndefined();
  },
  180_000,
);

test('S12 S7 L6 a mark that cannot be removed and is left out is named before, by the call that named it, and is never told as removed', async () => {
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
  const note = 'the account lost its rights';
  expect(facts('resolve-accepted')).toMatchObject({ action: 'skip', since: called.trouble?.since, note });
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

test('S1 S2 a machine that was committed is not started by mistake, and a run that touched nothing does not say that the source serves', async () => {
  const run = await scene.begin();
  const { name } = run.machine;
  const first = await run.comeHome();
  const refused = await homeward(scene.lab, 'failback', 'start', name);
  expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('--again') });
  expect(refused.err).toContain(first.run);
  const looked = await homeward(scene.lab, 'preflight', name);
  expect(looked.code).toBe(3);
  expect(looked.out.replace(/\s+/g, ' ')).toMatch(
    new RegExp(`^refuse not-home-already ${name} it was committed home at \\S+ by run ${first.run}`),
  );
  expect(looked.out).not.toContain('Correct the path');
  expect(await homeward(scene.lab, 'failback', 'start', name, '--again')).toMatchObject({ code: 0 });
  const { trouble, checks, serves } = await run.until('NeedsOperator');
  expect(trouble?.message).toContain('source-found');
  expect(serves).toBe('target');
  const advice = checks.filter(({ id }) => id.startsWith('target-')).map(({ remedy = '' }) => remedy);
  expect(advice.join('\n')).toContain('may be the only live copy');
  expect(JSON.stringify(checks)).not.toMatch(/Power the on-prem machine off|surplus/);
  expect(await run.say('resolve', { action: 'undo' })).toEqual({ accepted: true });
  const view = await run.untilView('over', ({ execution }) => execution === 'completed');
  expect(view.status).toMatchObject({
    phase: 'ReturnedToSource',
    serves: 'as before this run, which touched nothing; it saw: the source was not found, the target ran',
    says: expect.stringContaining('ended before it touched anything'),
    record: expect.arrayContaining([expect.objectContaining({ key: 'nothing-touched' })]),
  });
  expect(view).not.toHaveProperty('remains');
  expect(view.committed?.run).toBe(first.run);
  const shown = await homeward(scene.lab, 'status', name);
  expect(shown.out.replace(/\s+/g, ' ')).toContain(
    `homeward --config ${scene.lab.config} failback evidence ${name} --run ${first.run}`,
  );
  expect(shown.out).not.toMatch(/Nothing of it remains|serves +source/);
  expect((await homeward(scene.lab, 'machines')).out).toMatch(/committed home at .*later run: ReturnedToSource/);
  expect(await homeward(scene.lab, 'failback', 'start', name)).toMatchObject({ code: 3 });
}, 240_000);

thorough(
  'S11 L1 a mover that is gone for good does not keep a run from its end, and the record declares what it has left there',
  async () => {
    const run = await scene.begin({ roundEvery: 3_600 }, expiring);
    await run.until('Syncing');
    await run.say('completeFailover');
    await run.until('AwaitingCommit');
    await scene.workers.kill('mover');
    const committed = Date.now();
    await run.say('commit');
    const end = await run.until('Committed');
    expect(Date.now() - committed).toBeLessThan(60_000);
    const left = end.record.find(({ key }) => key === 'mover-leftover');
    expect(left?.what).toContain(run.machine.name);
    expect(left?.facts).toMatchObject({ disks: 'os, data-0', because: expect.stringMatching(/\w/) });
    expect(end.record.map(({ key }) => key)).not.toContain('operator-called');
    expect(await readdir(scene.lab.moverState)).toContain(run.machine.name);
    expect(await run.wrongAtEnd('committed')).toEqual([]);
  },
  180_000,
);
