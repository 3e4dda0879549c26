/**
 * A run that waits for a person and is given none: it reminds, and lets a gate expire only into safety.
 * Rule: every machine of this scene has a gate that expires, so that the one that must not expire is seen not to.
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { firstBroken } from '../../model/evidence.ts';
import { tell } from './both-worlds.ts';
import { homeward } from './command-line.ts';
import { copiesOf, deleteSource } from './last-copy.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const gateExpiresSeconds = 6;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 5 : 4, {
    policy: { remindEverySeconds: 1, gateExpiresSeconds, guestWaitSeconds: 10 },
  });
}, 180_000);
afterAll(() => scene?.close(), 60_000);

const detailsOf = async (run: Run): Promise<string> =>
  (
    await scene.link.client.workflow
      .getHandle(run.id)
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata')
  ).currentDetails ?? '';

test('L4 a run that waits for its commit reminds again and again, never commits by itself, and never expires', async () => {
  const run = await scene.begin({ roundEvery: 3_600 });
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
  const run = await scene.begin({ roundEvery: 3_600 });
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
  const run = await scene.begin({ roundEvery: 3_600, write: 'staged' });
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
  const run = await scene.begin({ roundEvery: 3_600 });
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
  'S11 L1 a mover that is gone for good does not keep a run from its end, and the record declares what it has left there',
  async () => {
    const run = await scene.begin({ roundEvery: 3_600 });
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
