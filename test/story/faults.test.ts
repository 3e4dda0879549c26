/**
 * The worlds misbehave in ways they are known to: each fault ends well by itself, or in a wait that tells a person what
 * happened and what to do, with nothing changed that must not change; and resolving it lets the same run go on.
 * Rule: what a person is told is read from the status, what did or did not happen from the two worlds.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { defineSearchAttributeKey } from '@temporalio/common';
import { readAzure } from '../../lab/azure-control.ts';
import { knock } from '../../lab/control-door.ts';
import { readVcenter } from '../../lab/vcenter-control.ts';
import { searchAttributeNames } from '../../model/failback-input.ts';
import type { Phase } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import { changes, oneWayHome } from './kill-points.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { sealedAndStarted } from './sealed-on-mover.ts';
import { everyFault, thorough } from './thorough.ts';

/** Seconds between rounds: the seed and the final round are the only ones. */
const roundEvery = 3_600;
const lastPoint = 'data-0-2';
const mover = 'homeward-mover';
const runMs = 180_000;
const needsHumanKey = defineSearchAttributeKey(searchAttributeNames.needsHuman, 'BOOL');

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 11 : 5, { policy: { sourceWatchSeconds: 0.5 } });
}, 180_000);
afterEach(async () => {
  await scene.forgetRules();
  await atDoor('vcenter', '/snapshot', { vm: mover }, 'DELETE');
});
afterAll(() => scene?.close(), 60_000);

/** Does something at a world's control door. */
async function atDoor(world: 'azure' | 'vcenter', path: string, body: object = {}, method?: 'DELETE'): Promise<void> {
  const { control } = world === 'azure' ? scene.lab.azure : scene.lab.vcenter;
  await knock(`${control}${path}`, body, method);
}

const needsHuman = async (run: Run): Promise<boolean | undefined> =>
  (await scene.link.client.workflow.getHandle(run.id).describe()).typedSearchAttributes.get(needsHumanKey);

const sourcePower = async ({ machine }: Run): Promise<string | undefined> =>
  (await readAzure(scene.lab.azure.control)).vms.find((vm) => vm.name === machine.source.vm)?.power;
const targetVm = async ({ machine }: Run) =>
  (await readVcenter(scene.lab.vcenter.control)).find((vm) => vm.name === machine.target.vm);

/** Waits for the call for a person, and checks what every such call must say. */
async function asksForHelp(run: Run, ...left: Phase[]): Promise<NonNullable<Status['trouble']>> {
  const status = await run.until('NeedsOperator');
  expect(left).toContain(status.left);
  expect(status.waitsFor).toMatch(/^resolve: /);
  expect(status.trouble?.op).toMatch(/\w/);
  expect(status.trouble?.hint).toMatch(/\w+ \w+/);
  expect(await needsHuman(run)).toBe(true);
  if (!status.trouble) throw new Error('the status names no trouble');
  return status.trouble;
}

const called = (status: Status): number => status.record.filter((entry) => entry.key === 'operator-called').length;

/** The run's changes so far, with each thing's second change named. */
function changed(since: number, { machine }: Run): ReturnType<typeof changes> {
  const mine = ({ vm = '', file = '', resource = '' }: { vm?: unknown; file?: unknown; resource?: unknown }): boolean =>
    `${vm} ${file} ${resource}`.includes(machine.name);
  return changes(scene.lab.witness.effects().slice(since).filter(mine));
}
const soFar = (): number => scene.lab.witness.effects().length;

/** Ended well: Committed as any other, each change once, nobody called more often than said. */
async function endedWell(run: Run, since: number, calls = 0, twice: string[] = []): Promise<Status> {
  const end = await run.until('Committed');
  expect(await run.wrongAtEnd('committed')).toEqual([]);
  expect(called(end)).toBe(calls);
  expect(changed(since, run).twice).toEqual(twice);
  return end;
}

test(
  'L1 S1 S6 a vCenter session that ends in mid-run, in the middle of a task too, is renewed and nothing is done twice',
  async () => {
    const since = soFar();
    const run = await scene.begin({ roundEvery });
    await run.until('Seeding', 'Syncing');
    await atDoor('vcenter', '/sessions/expire');
    await run.until('Syncing');
    await atDoor('vcenter', '/sessions/expire');
    const task = { method: 'PowerOnVM_Task', objectName: run.machine.target.vm, where: 'task', delayMs: 2_000 };
    await scene.fault('vcenter', task);
    await run.say('completeFailover');
    await run.until('StartingTarget');
    for (let asked = 0; asked < 3; asked++) {
      await pause(700);
      await atDoor('vcenter', '/sessions/expire');
    }
    await run.until('AwaitingCommit');
    await run.say('commit');
    await endedWell(run, since);
    expect(changed(since, run).counts).toEqual(oneWayHome);
  },
  runMs,
);

thorough(
  'L1 an Azure that says 429 or 503, with and without Retry-After, is waited for as long as it asks',
  async () => {
    const since = soFar();
    const run = await scene.begin({ roundEvery });
    await run.until('Syncing');
    const { name } = run.machine;
    const busy = { status: 429, code: 'TooManyRequests', message: 'The request is being throttled.' };
    const rule = (operation: string, resource: string, action: object) =>
      scene.fault('azure', { operation, resource, count: 1, action });
    await rule('virtualMachines.deallocate', name, { ...busy, retryAfter: 4 });
    await rule('snapshots.createOrUpdate', lastPoint, { ...busy, retryAfter: 'none' });
    await rule('blob.getRange', lastPoint, { status: 503, code: 'ServerBusy', retryAfter: 'none' });
    await rule('disks.delete', name, { status: 503, code: 'ServerTimeout', retryAfter: 1 });
    await run.comeHome();
    await endedWell(run, since);
    expect(changed(since, run).counts).toEqual(oneWayHome);
    const lines = (await readFile(scene.lab.azure.audit, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
    const calls = lines.map(
      (line) => JSON.parse(line) as { operation: string; resource: string; at: string; status: number },
    );
    const stops = calls.filter(
      (one) => one.operation === 'virtualMachines.deallocate' && one.resource.endsWith(`/${name}`),
    );
    expect(stops.map((one) => one.status)).toEqual([429, 202]);
    const [refused = '', taken = ''] = stops.map((one) => one.at);
    expect(Date.parse(taken) - Date.parse(refused)).toBeGreaterThanOrEqual(4_000);
  },
  runMs,
);

thorough(
  'L1 an Azure that is too busy for the preflight is asked again as late as it wishes, and only after six times a person',
  async () => {
    const since = soFar();
    const throttled = { status: 429, code: 'TooManyRequests', retryAfter: 1 };
    const busy = (count: number) =>
      scene.fault('azure', { operation: 'virtualMachines.get', count, action: throttled });
    await busy(1_000);
    const run = await scene.begin({ roundEvery });
    const trouble = await asksForHelp(run, 'Preflight');
    expect(trouble.message).toContain('429');
    expect(trouble.hint).toContain('6 times');
    await scene.forgetRules();
    await busy(3);
    await run.say('resolve', { action: 'retry' });
    expect(called(await run.until('Syncing'))).toBe(1);
    await run.comeHome();
    await endedWell(run, since, 1);
  },
  runMs,
);

test(
  'L1 L6 a long operation that fails is tried again, or waits for a person and goes on in the same run when resolved',
  async () => {
    const since = soFar();
    const run = await scene.begin({ roundEvery });
    const { runId } = await scene.link.client.workflow.getHandle(run.id).describe();
    await run.until('Syncing');
    const lro = (operation: string, resource: string, code: string) =>
      scene.fault('azure', {
        ...{ operation, resource, count: 1 },
        action: { lroFail: { code, message: `${operation} did not end well` } },
      });
    await lro('snapshots.createOrUpdate', lastPoint, 'InternalExecutionError');
    await lro('virtualMachines.deallocate', run.machine.name, 'OperationNotAllowed');
    await run.say('completeFailover');
    const trouble = await asksForHelp(run, 'StoppingSource');
    expect(trouble).toMatchObject({ kind: 'Refused', op: 'virtualMachines.deallocate' });
    expect(trouble.message).toContain('did not end well');
    expect(await sourcePower(run)).toBe('running');
    expect(changed(since, run).counts['snapshots.createOrUpdate']).toBe(2);
    expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
    await run.until('AwaitingCommit');
    await run.say('commit');
    // The snapshot whose making failed goes before it is made anew.
    await endedWell(run, since, 1, [expect.stringMatching(/^snapshots\.delete .*-data-0-2/)]);
    const after = await scene.link.client.workflow.getHandle(run.id).describe();
    expect(after.runId).toBe(runId);
    expect(await needsHuman(run)).toBe(false);
  },
  runMs,
);

thorough(
  'L1 S13 grants and tokens that end in the middle of a copy are renewed without anybody noticing',
  async () => {
    const since = soFar();
    const run = await scene.begin({ roundEvery });
    const { name } = run.machine;
    await scene.fault('azure', { operation: 'blob.getRange', resource: name, count: 60, action: { delayMs: 1_000 } });
    // What is on its way when the grants end meets their end: the slow world looks at a grant after the wait.
    await scene.untilMet('azure');
    await atDoor('azure', '/expire-sas');
    expect((await run.status()).phase).toBe('Seeding');
    await atDoor('azure', '/revoke-tokens');
    await atDoor('azure', '/expire-sas');
    await scene.forgetRules();
    await run.comeHome();
    const end = await endedWell(run, since);
    const grants = scene.lab.witness
      .effects()
      .slice(since)
      .filter((one) => one.op === 'snapshots.grantAccess');
    // Seed 2, final round 4 (the base too), whose grants the seals use; whatever is more is a renewal.
    expect(grants.length).toBeGreaterThan(2 + 4);
    expect(JSON.stringify(end)).not.toMatch(/sig=/);
  },
  runMs,
);

test(
  'S001-8 L1 a snapshot on the mover is refused before anything is touched, again before the source is stopped, and one that appears later still waits for a person',
  async () => {
    const since = soFar();
    const vm = mover;
    await atDoor('vcenter', '/snapshot', { vm });
    const run = await scene.begin({ roundEvery });
    const early = await asksForHelp(run, 'Preflight');
    expect([early.message, early.hint]).toEqual(Array(2).fill(expect.stringMatching(/snapshot/i)));
    expect(changed(since, run).counts).toEqual({});
    await atDoor('vcenter', '/snapshot', { vm }, 'DELETE');
    await run.say('resolve', { action: 'retry' });
    await run.until('Syncing');
    await atDoor('vcenter', '/snapshot', { vm });
    await run.say('completeFailover');
    expect((await asksForHelp(run, 'Syncing')).hint).toMatch(/snapshot/i);
    expect(await sourcePower(run)).toBe('running');
    await atDoor('vcenter', '/snapshot', { vm }, 'DELETE');
    await scene.fault('azure', { operation: 'virtualMachines.deallocate', action: { delayMs: 3_000 } });
    await run.say('resolve', { action: 'retry' });
    await scene.untilMet('azure');
    await atDoor('vcenter', '/snapshot', { vm });
    await scene.forgetRules();
    // Found by the watch beside the final copy, or where the disks are unplugged.
    const late = await asksForHelp(run, 'FinalSync', 'StartingTarget');
    expect(late).toMatchObject({ kind: 'Refused', hint: expect.stringMatching(/snapshot/i) });
    expect(`${late.subject} ${late.message}`).toContain(vm);
    expect((await targetVm(run))?.power).toBe('off');
    await atDoor('vcenter', '/snapshot', { vm }, 'DELETE');
    await run.say('resolve', { action: 'retry' });
    await run.until('AwaitingCommit');
    await run.say('commit');
    await endedWell(run, since, 3);
  },
  runMs,
);

thorough(
  'S3 S4 a flipped byte on the wire is read again, and one that stays flipped never ends in a sealed disk',
  async () => {
    const since = soFar();
    const flip = (resource: string, skip: number, count: number) =>
      scene.fault('azure', { operation: 'blob.getRange', resource, skip, count, action: { flipByte: 77 } });
    await flip('', 2, 2);
    const run = await scene.begin({ roundEvery });
    expect(called(await run.until('Syncing'))).toBe(0);
    await flip(lastPoint, 0, 10_000);
    await run.say('completeFailover');
    const trouble = await asksForHelp(run, 'FinalSync');
    expect(trouble.kind).toBe('Corrupt');
    expect(trouble.message).toMatch(/checksum/);
    const status = await run.status();
    expect(status.seals).toEqual([]);
    expect(status.record.filter((entry) => entry.key.startsWith('seal/'))).toEqual([]);
    const target = await targetVm(run);
    expect([target?.power, target?.disks]).toEqual(['off', []]);
    await scene.forgetRules();
    await run.say('resolve', { action: 'retry' });
    await run.until('AwaitingCommit');
    await run.say('commit');
    await endedWell(run, since, 1);
  },
  runMs,
);

thorough(
  'S5 L6 an undo that fails calls a person, cannot be taken back itself, and goes on when resolved',
  async () => {
    const run = await scene.begin({ roundEvery });
    await run.until('Syncing');
    await scene.fault('vcenter', { method: 'ReconfigVM_Task', objectName: mover, fault: 'NoPermission' });
    await run.say('cancel');
    const trouble = await asksForHelp(run, 'Undoing');
    expect(trouble).toMatchObject({ kind: 'Refused', op: expect.stringContaining('Reconfig') });
    expect(trouble.hint).toMatch(/privilege/);
    expect(await sourcePower(run)).toBe('running');
    expect((await targetVm(run))?.power).toBe('off');
    expect(await run.say('resolve', { action: 'undo' })).toEqual({ refused: expect.stringContaining('retry') });
    expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
    await run.until('ReturnedToSource');
    expect(await run.wrongAtEnd('returned')).toEqual([]);
  },
  runMs,
);

test(
  'S1 S3 S5 a source started by hand while the disks are sealed keeps them from going back, and the run can be taken back without loss',
  async () => {
    const since = soFar();
    const run = await scene.begin({ roundEvery });
    await run.until('Syncing');
    const { name, source } = run.machine;
    const sealReads = { operation: 'blob.getRange', resource: lastPoint, range: 'bytes=0-', count: 20 };
    await scene.fault('azure', { ...sealReads, action: { delayMs: 60_000 } });
    await run.say('completeFailover');
    await run.until('Sealing');
    const ofThisTest = await sealedAndStarted(scene, run);
    await atDoor('azure', `/vms/${source.vm}/power`, { state: 'running' });
    await scene.forgetRules();
    const trouble = await asksForHelp(run, 'StartingTarget');
    expect(trouble).toMatchObject({ kind: 'Refused', op: 'observe-power', subject: expect.stringContaining(name) });
    expect(trouble.message).toMatch(/source is running/);
    expect(trouble.hint).toContain('resolve with undo');
    const target = await targetVm(run);
    expect([target?.power, target?.disks]).toEqual(['off', []]);
    expect(changed(since, run).counts.powerOn).toBeUndefined();
    // Stopped again by hand, it still has data that a retry would lose.
    await atDoor('azure', `/vms/${source.vm}/power`, { state: 'deallocated' });
    await run.say('resolve', { action: 'retry' });
    const changedSince = (status: Status | undefined): boolean => status?.trouble?.op === 'source-changed';
    await run.untilView('told that the source has changed', ({ status }) => changedSince(status));
    expect((await targetVm(run))?.disks).toEqual([]);
    expect(await run.say('resolve', { action: 'undo' })).toEqual({ accepted: true });
    await run.until('ReturnedToSource');
    expect((await run.wrongAtEnd('returned')).filter((one) => !ofThisTest(one))).toEqual([]);
    expect(await sourcePower(run)).toBe('running');
  },
  runMs,
);

thorough(
  'S1 S6 a source started by hand between the return of the disks and the start keeps the target off',
  async () => {
    const since = soFar();
    const run = await scene.begin({ roundEvery });
    await run.until('Syncing');
    const { source, target } = run.machine;
    // The last of its three reconfigurations says that the disks are back; its task holds the start back.
    const last = { method: 'ReconfigVM_Task', objectName: target.vm, skip: 1, where: 'task', delayMs: 6_000 };
    await scene.fault('vcenter', last);
    await run.say('completeFailover');
    await run.until('StartingTarget');
    // Twice to the mover, twice back; the witness has looked at each.
    while (changed(since, run).counts.attachDisk !== 4) await pause(50);
    await atDoor('azure', `/vms/${source.vm}/power`, { state: 'running' });
    const trouble = await asksForHelp(run, 'StartingTarget');
    expect(trouble).toMatchObject({ kind: 'Refused', op: 'observe-power' });
    expect(trouble.hint).toContain('cancel --accept-loss');
    expect((await targetVm(run))?.power).toBe('off');
    expect(changed(since, run).counts.powerOn).toBeUndefined();
    // S5: no start was sent, so the way back loses nothing at home and wants no flag.
    expect(await run.say('cancel')).toEqual({ accepted: true });
    expect((await run.until('ReturnedToSource')).loss).toBeUndefined();
    expect(await run.wrongAtEnd('returned')).toEqual([]);
    expect(await sourcePower(run)).toBe('running');
  },
  runMs,
);

test(
  'S1 S2 L6 a source started by hand while the target waits for its commit calls a person at once, keeps the commit out, and may be left as it stands',
  async () => {
    const run = await scene.begin({ roundEvery });
    await run.until('Syncing');
    await run.say('completeFailover');
    await run.until('AwaitingCommit');
    const { source } = run.machine;
    await atDoor('azure', `/vms/${source.vm}/power`, { state: 'running' });
    const trouble = await asksForHelp(run, 'AwaitingCommit');
    expect(trouble).toMatchObject({ kind: 'Refused', op: 'observe-power' });
    // The hint is what the law takes here: a plain undo is refused, two lines below.
    expect(trouble.hint).toContain('cancel --accept-loss');
    expect(trouble.hint).not.toMatch(/undo/);
    expect(await run.say('commit')).toEqual({ refused: expect.stringContaining('NeedsOperator') });
    expect(await run.say('resolve', { action: 'undo' })).toEqual({ refused: expect.stringContaining('acceptLoss') });
    // Stopped again, it still has newer data; that stays true however often it is looked at.
    await atDoor('azure', `/vms/${source.vm}/power`, { state: 'deallocated' });
    await run.say('resolve', { action: 'retry' });
    await run.untilView('told again', ({ status }) => status?.trouble?.op === 'source-changed');
    expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
    await run.until('AwaitingCommit');
    expect(await run.say('commit')).toEqual({ accepted: true });
    expect(await asksForHelp(run, 'Committing')).toMatchObject({ op: 'source-changed' });
    expect(await run.say('resolve', { action: 'skip' })).toEqual({ accepted: true });
    const end = await run.until('Committed');
    expect(end.says).toContain('An operator left out: delete the source');
    expect(await sourcePower(run)).toBe('deallocated');
    expect((await targetVm(run))?.power).toBe('on');
  },
  runMs,
);
