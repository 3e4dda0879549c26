/**
 * A source that somebody starts by hand is found wherever the run stands from the target's start on: while the guest is
 * waited for, while an operator is called for another reason, and after the commit.
 * Rule: what the operator is told to type is what the law takes there.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { readAzure } from '../../lab/azure-control.ts';
import { setVcenterPower } from '../../lab/vcenter-control.ts';
import type { Phase } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import { tell } from './both-worlds.ts';
import { copiesOf, deleteSource } from './last-copy.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

/** Seconds. */
const roundEvery = 3_600;
const guestWait = 20;
const runMs = 120_000;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 7 : 3, { policy: { sourceWatchSeconds: 0.5, guestWaitSeconds: guestWait } });
}, 180_000);
afterEach(() => scene.forgetRules());
afterAll(() => scene?.close(), 60_000);

const setPower = (run: Run, state: string): Promise<unknown> =>
  tell(`${scene.lab.azure.control}/vms/${run.machine.source.vm}/power`, { state });
const sourcePower = async ({ machine }: Run): Promise<string | undefined> =>
  (await readAzure(scene.lab.azure.control)).vms.find((vm) => vm.name === machine.source.vm)?.power;
const recorded = (status: Status | undefined, key: string): boolean =>
  status?.record.some((entry) => entry.key === key) === true;

/** Waits until the watch has called, and answers how the run stands. */
async function found(run: Run, left: Phase): Promise<Status> {
  const { status } = await run.untilView('told of the source', (view) => view.status?.trouble?.watch === true);
  expect(status).toMatchObject({ phase: 'NeedsOperator', left, trouble: { kind: 'Refused', op: 'observe-power' } });
  if (!status) throw new Error('the run has no status');
  return status;
}

thorough(
  'S1 L6 a source started by hand while the guest of the target is waited for calls a person at once, and the wait goes on when it is left as it stands',
  async () => {
    const run = await scene.begin({ roundEvery });
    await tell(`${scene.lab.vcenter.control}/guest`, { vm: run.machine.target.vm, missing: true });
    await run.until('Syncing');
    await run.say('completeFailover');
    await run.untilView('started', ({ status }) => recorded(status, 'target-started'));
    const begun = performance.now();
    await setPower(run, 'running');
    const { trouble } = await found(run, 'StartingTarget');
    expect(performance.now() - begun).toBeLessThan((guestWait * 1000) / 2);
    expect(trouble?.hint).toContain('cancel --accept-loss');
    await setPower(run, 'deallocated');
    expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
    const status = await run.until('AwaitingCommit');
    expect(recorded(status, 'guest-silent')).toBe(true);
    expect(recorded(status, 'source-unwatched')).toBe(true);
    // Nothing watches any more, so the same source calls nobody again.
    await pause(1_500);
    expect((await run.status()).phase).toBe('AwaitingCommit');
    expect(await run.say('cancel', { acceptLoss: true })).toEqual({ accepted: true });
    await run.until('ReturnedToSource');
    expect(await sourcePower(run)).toBe('running');
  },
  runMs,
);

thorough(
  'S1 L1 a source started by hand while a person is called because the target does not start is told beside the first trouble',
  async () => {
    const run = await scene.begin({ roundEvery });
    const { target } = run.machine;
    await scene.fault('vcenter', { method: 'PowerOnVM_Task', objectName: target.vm, fault: 'NoPermission' });
    await run.until('Syncing');
    await run.say('completeFailover');
    const before = await run.until('NeedsOperator');
    expect(before).toMatchObject({ left: 'StartingTarget', trouble: { op: expect.stringContaining('PowerOn') } });
    // S5: vCenter has refused the start, so there is nothing at home that going back would lose.
    expect(before.targetLive).toBeUndefined();
    expect(before.liveSince).toBeUndefined();
    expect(before.waitsFor).toContain('"undo"');
    expect(before.waitsFor).not.toContain('acceptLoss');
    expect(await run.say('resolve', { action: 'skip' })).toEqual({ refused: expect.stringContaining('left out') });
    await setPower(run, 'running');
    const { trouble } = await found(run, 'StartingTarget');
    expect(trouble?.message).toMatch(/the source is (changing|running) .*besides, in .*PowerOn/);
    expect(trouble?.hint).toContain(before.trouble?.hint);
    // The step that waits cannot be left out, only the watch: the start itself is refused beside a running source.
    expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
    await run.untilView('refused again', ({ status }) => status?.trouble !== undefined && !status.trouble.watch);
    expect((await run.status()).trouble).toMatchObject({ op: 'observe-power' });
    expect(await run.say('cancel')).toEqual({ accepted: true });
    expect((await run.until('ReturnedToSource')).loss).toBeUndefined();
    expect(await run.wrongAtEnd('returned')).toEqual([]);
  },
  runMs,
);

test(
  'S1 S2 L6 a source started by hand while its deletion waits for a person is told, names no cancel, and may be left as it stands',
  async () => {
    const run = await scene.begin({ roundEvery });
    const forbidden = { status: 403, code: 'AuthorizationFailed', message: 'no right to delete' };
    await scene.fault('azure', {
      ...{ operation: 'virtualMachines.delete', resource: run.machine.source.vm, count: 1_000 },
      action: forbidden,
    });
    await run.until('Syncing');
    await run.say('completeFailover');
    await run.until('AwaitingCommit');
    await run.say('commit');
    expect(await run.until('NeedsOperator')).toMatchObject({ left: 'Committing', trouble: { kind: 'Refused' } });
    await setPower(run, 'running');
    const { trouble } = await found(run, 'Committing');
    expect(trouble?.message).toMatch(/besides, in virtualMachines\.delete/);
    expect(trouble?.hint).not.toContain('--accept-loss');
    await setPower(run, 'deallocated');
    expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
    const end = await run.until('Committed');
    expect(end.says).toContain('An operator left out: delete the source');
    expect(await sourcePower(run)).toBe('deallocated');
  },
  runMs,
);

thorough(
  'S1 S2 the watch over the source ends with the commit and does not take our own deletion for somebody else’s',
  async () => {
    const run = await scene.begin({ roundEvery });
    const { source, name } = run.machine;
    // The machine is gone at once and its disks are not, so the watch has looks left to see that in.
    const slow = { operation: 'disks.delete', resource: `${name}-os`, count: 1, action: { delayMs: 60_000 } };
    await run.until('Syncing');
    await run.say('completeFailover');
    await run.until('AwaitingCommit');
    await scene.fault('azure', slow);
    await run.say('commit');
    await scene.untilMet('azure');
    await pause(1_500);
    await scene.forgetRules();
    const status = await run.until('Committed');
    expect(recorded(status, 'operator-called')).toBe(false);
    expect(await sourcePower(run)).toBeUndefined();
    const { events } = await scene.link.client.workflow.getHandle(run.id).fetchHistory();
    const watches = events
      ?.filter((one) => one.activityTaskScheduledEventAttributes?.activityType?.name === 'observeSourceStaysOff')
      .map(({ eventId }) => String(eventId));
    const failed = events
      ?.map(({ activityTaskFailedEventAttributes: one }) => one)
      .filter((one) => watches?.includes(String(one?.scheduledEventId)));
    expect(failed).toEqual([]);
    const ended = events?.map(({ activityTaskCanceledEventAttributes: one }) => String(one?.scheduledEventId));
    expect([source.vm, watches?.map((id) => ended?.includes(id))]).toEqual([source.vm, [true]]);
  },
  runMs,
);

const toOlder = { point: 'application-consistent', acceptLoss: true };

/** The machine is at home, the other point could be chosen, and its source is deleted with its disks. */
async function homeAlone(
  { before, atHome }: Partial<Record<'before' | 'atHome', (run: Run) => Promise<unknown>>>,
  policy: object = {},
) {
  const asked = { applicationPointEverySeconds: roundEvery, ...policy };
  const run = await scene.begin({ roundEvery, write: 'staged', ...policy }, asked);
  await run.untilView('with a point to choose', ({ status }) => status?.applicationPoints?.length === 1);
  await before?.(run);
  await run.say('completeFailover');
  await run.until('AwaitingCommit');
  await atHome?.(run);
  await deleteSource(scene.lab, run);
  const { status } = await run.untilView('told', (view) => view.status?.trouble?.watch === true);
  expect(status).toMatchObject({ serves: 'target', sourceGone: true, trouble: { op: 'source-gone' } });
  expect(status?.trouble?.hint).toContain('Do not cancel');
  expect(status?.waitsFor).not.toContain('changePoint');
  return run;
}

/** One that cannot be read any more would be missed only when the machine at home is off. */
async function refusesAPointThatIsGone(run: Run): Promise<void> {
  const gone = { status: 404, code: 'NotFound', message: 'no such point' };
  await scene.fault('azure', { operation: 'diskRestorePoint.get', count: 100, action: gone });
  expect(await run.say('changePoint', toOlder)).toEqual({
    refused: expect.stringContaining('does not exist any more'),
  });
  await scene.forgetRules();
}

const allSteps = ['start the target', 'stop the source', 'recovery points', 'open target disks'];

/** A cancel with loss, each step of it left out after what an operator does `meanwhile`: nothing is stopped, deleted or taken off. */
async function keepsAllThatIsLeft(
  run: Run,
  steps: readonly string[],
  meanwhile: (step: string) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const before = await copiesOf(scene.lab, run);
  expect([before.power, before.attached.length, before.snapshots.length > 1]).toEqual(['on', 2, true]);
  expect(await run.say('cancel', { acceptLoss: true })).toEqual({ accepted: true });
  for (const step of steps) {
    const { status } = await run.untilView(step, (view) => view.status?.trouble?.step === `undo: ${step}`);
    const op = step === 'stop the source' ? 'observe-power' : 'source-gone';
    expect(status).toMatchObject({ left: 'Undoing', trouble: { kind: 'Refused', op } });
    expect(status?.trouble?.hint).toMatch(/is gone, .* may be the last copy: .*skip/);
    expect(status?.serves).toMatch(/^target, .*the source was not found/);
    await meanwhile(step);
    expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
  }
  const end = await run.until('ReturnedToSource');
  expect(end.serves).toBe(`look at both sides: an operator left out ${steps.join(', ')}`);
  expect(end.says).toMatch(/may be the last copy/);
  expect(await copiesOf(scene.lab, run)).toEqual(before);
}

test(
  'S5 S11 S001-13 S1 a machine at home whose source was deleted is stopped for no other point, and a cancel with loss stops and deletes nothing of it, proven apart before or not, each step left out or not',
  async () => {
    const run = await homeAlone({ atHome: refusesAPointThatIsGone }, { prove: 'isolated' });
    expect(await run.say('changePoint', toOlder)).toEqual({ refused: expect.stringContaining('source was deleted') });
    expect(recorded(await run.status(), 'target-stopped')).toBe(false);
    await keepsAllThatIsLeft(run, allSteps);
  },
  runMs,
);

test(
  'S5 S11 the last copy that came home in place keeps its disks in a cancel with loss, also when somebody powers it off and tries again',
  async () => {
    const run = await homeAlone({}, { write: 'in-place', prove: 'isolated' });
    const { control } = scene.lab.vcenter;
    await keepsAllThatIsLeft(run, allSteps, async (step) => {
      if (step !== 'open target disks') return;
      const calls = async (): Promise<number> =>
        (await run.status()).record.filter(({ key }) => key === 'operator-called').length;
      const before = await calls();
      await setVcenterPower(control, run.machine.target.vm, 'off');
      await run.say('resolve', { action: 'retry' });
      await run.untilView('called again', ({ status }) => {
        const { record = [], phase } = status ?? {};
        return phase === 'NeedsOperator' && record.filter(({ key }) => key === 'operator-called').length > before;
      });
      await setVcenterPower(control, run.machine.target.vm, 'on');
    });
  },
  runMs,
);

thorough(
  'S5 S11 the same of a source that was switched off by hand before the failover was completed',
  async () => {
    const run = await homeAlone({ before: (one) => setPower(one, 'deallocated') });
    await keepsAllThatIsLeft(run, ['start the target', 'recovery points', 'open target disks']);
  },
  runMs,
);
