/**
 * Which moment comes home, on the real Temporal server: an older, application-consistent point with exactly the records up to
 * it, although the target was ahead; beside it a machine of which no such point could be had; and another point after the
 * machine was started at home, there and back.
 * Rule: one lab for all of it; what came home is looked up in what the application found.
 */
import { createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { readAzure } from '../../lab/azure-control.ts';
import { knock } from '../../lab/control-door.ts';
import { freePort } from '../../lab/free-port.ts';
import { readAcknowledgements } from '../../lab/guest/acknowledgements.ts';
import { probe } from '../../model/arrival-policy.ts';
import { firstBroken } from '../../model/evidence.ts';
import type { Status } from '../../model/status.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const toOlder = { point: 'application-consistent', acceptLoss: true };
const toLatest = { point: 'latest', acceptLoss: true };
/** Long enough for one point a run: the first is taken right behind the seed. */
const hour = 3_600;
let scene: Scene;
let ahead: Run;
let untaken: Run;
/** The application of a machine, as its probe sees it: it comes up with the older point only. */
let application: Server;
let port = 0;
beforeAll(async () => {
  scene = await openScene(everyFault ? 6 : 3, {
    policy: { applicationPointEverySeconds: hour, homeWatchSeconds: 0.5 },
  });
  port = await freePort();
  application = createServer((socket) => socket.end());
  const [, second] = scene.lab.machines;
  // Both come home beside each other; the agent in the second one's guest does not answer.
  const lroFail = { code: 'VMAgentStatusCommunicationError', message: 'The agent does not answer.' };
  await scene.fault('azure', {
    ...{ operation: 'restorePoints.create', resource: `homeward-${second?.name}-`, action: { lroFail }, count: 1_000 },
  });
  ahead = await scene.begin();
  untaken = await scene.begin();
}, 120_000);
afterAll(async () => {
  application?.close();
  await scene?.close();
}, 60_000);

const factsOf = ({ record }: Status, key: string) => record.findLast((entry) => entry.key === key)?.facts;
const countOf = ({ record }: Status, key: string): number => record.filter((entry) => entry.key === key).length;
const collectionsOf = async ({ machine }: Run) =>
  ((await readAzure(scene.lab.azure.control)).restorePointCollections ?? []).filter(
    ({ tags }) => tags['homeward-machine'] === machine.name,
  );

/** The newest record that the machine's application point holds, once the target is ahead of it. */
async function aheadOfItsPoint(run: Run): Promise<number> {
  await run.untilView('ahead of its point', ({ status, rounds }) => {
    return status?.applicationPoints?.length === 1 && (rounds?.done ?? 0) >= 3;
  });
  const [collection] = await collectionsOf(run);
  return collection?.points[0]?.newestRecord ?? 0;
}

/** What each slot was acknowledged to hold in Azure up to a record, and what the application found at home at its last start. */
async function recordsOf({ machine }: Run, newest = Number.POSITIVE_INFINITY) {
  const slots = new Map<number, string>();
  for (const event of await readAcknowledgements(machine.acknowledgements.azure)) {
    if ((event.kind !== 'done' && event.kind !== 'found') || event.at.seq > newest) continue;
    if (event.at.sum === '-') slots.delete(event.at.slot);
    else slots.set(event.at.slot, `${event.at.slot} ${event.at.seq} ${event.at.sum}`);
  }
  const found = (await lastBoot(machine)).flatMap((event) =>
    event.kind === 'found' ? [`${event.at.slot} ${event.at.seq} ${event.at.sum}`] : [],
  );
  return { wanted: [...slots.values()].sort(), found: found.sort() };
}

async function lastBoot({ acknowledgements }: Run['machine']) {
  const atHome = await readAcknowledgements(acknowledgements.onPrem);
  return atHome.slice(atHome.findLastIndex(({ kind }) => kind === 'boot'));
}

/** The machine at home has made records of its own durable, which are dropped with the point. */
async function untilWritten({ machine }: Run): Promise<void> {
  while ((await lastBoot(machine)).filter(({ kind }) => kind === 'done').length < 5) await pause(50);
}

/** Stops the reading of a point half way, by its name in Azure: whoever reads it is in the middle of a transfer. */
async function slowReading(resource: string, delayMs = 20_000): Promise<void> {
  await scene.fault('azure', { operation: 'blob.getRange', resource, count: 1_000, action: { delayMs } });
}

test('S001-13 S001-19 S1 S2 S9 S11 S12 a target that is ahead goes back to the application-consistent point by a delta: every record up to it and none after, and what came after stays in Azure by name', async () => {
  const run = ahead;
  const newest = await aheadOfItsPoint(run);
  expect(newest).toBeGreaterThan(0);
  const acknowledged = (await readAcknowledgements(run.machine.acknowledgements.azure)).flatMap((event) =>
    event.kind === 'done' && event.at.seq > newest ? [event.at.seq] : [],
  );
  expect(acknowledged.length).toBeGreaterThan(0);
  // Its first grant exists although the answer was lost: Azure does not tell so, and the next try revokes it all the same.
  await scene.fault('azure', { operation: 'diskRestorePoint.grantAccess', action: { drop: 'after' }, count: 1 });
  scene.lab.witness.olderChosen(run.machine.name);
  expect(await run.say('completeFailover', { point: 'application-consistent' })).toEqual({ accepted: true });
  const arrived = await run.until('AwaitingCommit');
  const { wanted, found } = await recordsOf(run, newest);
  expect(found).toEqual(wanted);
  for (const disk of ['os', 'data-0']) {
    const facts = factsOf(arrived, `final/${disk}`);
    expect(facts).toMatchObject({ mode: 'delta', point: expect.stringContaining('/diskRestorePoints/') });
    expect(Number(facts?.changedBytes)).toBeLessThan(16 << 20);
  }
  const keys = arrived.record.map((entry) => entry.key);
  expect(keys.indexOf('source-stopped')).toBeLessThan(keys.indexOf('final-point'));
  expect(keys.indexOf('final-point')).toBeLessThan(keys.indexOf('older-point'));
  await run.say('commit');
  const end = await run.until('Committed');
  expect(firstBroken(end.record)).toBeUndefined();
  const kept = String(factsOf(end, 'final-point-kept')?.points);
  const left = (await readAzure(scene.lab.azure.control)).snapshots.filter(({ tags }) =>
    Object.values(tags).includes(run.machine.name),
  );
  expect(left.map(({ name }) => name).every((name) => kept.includes(name) && name.endsWith('-final'))).toBe(true);
  expect(left).toHaveLength(2);
  const lost = (line: string): boolean => {
    const seq = Number(/^lost: .*"acknowledged":(\d+)/.exec(line)?.[1] ?? 0);
    return seq > newest;
  };
  const asChosen = (line: string): boolean => lost(line) || /snapshot homeward-\S+-final( |$)/.test(line);
  expect((await run.wrongAtEnd('committed')).filter((line) => !asChosen(line))).toEqual([]);
}, 180_000);

test('S001-13 S001-16 S001-18 S7 S11 where no such point could be taken none can be chosen, the reason says why, and the latest, crash-consistent one comes home with every record', async () => {
  const run = untaken;
  const { status } = await run.untilView('without a point', (view) => view.status?.pointTrouble !== undefined);
  expect(status?.pointTrouble).toMatchObject({ hint: expect.stringContaining('VM agent') });
  expect(status?.checks).toEqual(
    expect.arrayContaining([expect.objectContaining({ id: 'application-point-guest', verdict: 'warn' })]),
  );
  expect(await run.say('completeFailover', { point: 'application-consistent' })).toEqual({
    refused: expect.stringContaining('VMAgentStatusCommunicationError'),
  });
  expect((await run.status()).completion).toBeUndefined();
  expect(await collectionsOf(run)).toHaveLength(1);
  const end = await run.comeHome();
  expect(end.record.map(({ key }) => key)).not.toContain('older-point');
  expect(await run.wrongAtEnd('committed')).toEqual([]);
  expect(await collectionsOf(run)).toEqual([]);
}, 120_000);

/** Completes a run to its older point, and stops the reading of it half way. */
async function halfWayBack(run: Run): Promise<void> {
  await aheadOfItsPoint(run);
  scene.lab.witness.olderChosen(run.machine.name);
  const slow = { operation: 'blob.getRange', resource: `${run.machine.name}-data_`, count: 1_000 };
  await scene.fault('azure', { ...slow, action: { delayMs: 20_000 } });
  await run.say('completeFailover', { point: 'application-consistent' });
  await scene.untilMet('azure');
}

thorough(
  'L2 S8 S9 a control worker killed while a point is taken takes no second one, and a mover killed while a disk goes back goes on where it was',
  async () => {
    await scene.forgetRules();
    await scene.fault('azure', { operation: 'restorePoints.create', action: { delayMs: 5_000 }, count: 1 });
    const run = await scene.begin();
    await scene.untilMet('azure');
    await scene.workers.kill('control');
    await scene.forgetRules();
    await scene.workers.restart('control');
    await halfWayBack(run);
    const [collection] = await collectionsOf(run);
    expect(collection?.points).toHaveLength(1);
    await scene.workers.kill('mover');
    await scene.forgetRules();
    await scene.workers.restart('mover');
    const arrived = await run.until('AwaitingCommit');
    const { wanted, found } = await recordsOf(run, collection?.points[0]?.newestRecord ?? 0);
    expect(found).toEqual(wanted);
    expect(factsOf(arrived, 'final/data-0')).toMatchObject({ mode: 'delta' });
    await scene.lab.witness.quiet();
    const violations = scene.lab.witness.violations().filter(({ machine }) => machine === run.machine.name);
    expect(violations).toEqual([]);
  },
  180_000,
);

thorough(
  'S5 S11 a cancel while a disk goes back ends with the source serving, with all that it wrote, and no point left behind',
  async () => {
    const run = await scene.begin();
    await halfWayBack(run);
    await run.say('cancel');
    await scene.forgetRules();
    await run.until('ReturnedToSource');
    expect(await run.wrongAtEnd('returned')).toEqual([]);
    expect(await collectionsOf(run)).toEqual([]);
  },
  180_000,
);

test('S001-13 S1 S2 S3 S4 S5 S7 S9 S11 S12 a machine whose probe fails at home is offered another point; it comes home with every record up to that and none after, and what was written at home is counted and told as dropped', async () => {
  await scene.forgetRules();
  const { host, everySeconds, timeoutSeconds } = { host: '127.0.0.1', everySeconds: 0.2, timeoutSeconds: 2 };
  const answers = probe.parse({ kind: 'tcp', name: 'app', host, port, everySeconds, timeoutSeconds });
  const run = await scene.begin({}, { probes: [answers] });
  const newest = await aheadOfItsPoint(run);
  await run.say('completeFailover');
  const called = await run.until('NeedsOperator');
  expect(called).toMatchObject({ left: 'StartingTarget', trouble: { op: 'probes' }, targetLive: true });
  expect(called.trouble?.hint).toContain('change-point');
  expect(called.waitsFor).toContain('changePoint {"by":"you","point":"application-consistent","acceptLoss":true}');
  expect(await run.say('changePoint', { point: 'application-consistent' })).toEqual({
    refused: expect.stringMatching(/went live at .*"acceptLoss": true/),
  });
  await untilWritten(run);
  application.listen(port, '127.0.0.1');
  scene.lab.witness.olderChosen(run.machine.name);
  expect(await run.say('changePoint', toOlder)).toEqual({ accepted: true });
  const arrived = await run.until('AwaitingCommit');
  const { wanted, found } = await recordsOf(run, newest);
  expect(found).toEqual(wanted);
  const keys = arrived.record.map(({ key }) => key);
  const inOrder = ['target-started', 'target-stopped', 'open/os', 'another-point/os', 'point-changed', 'seal/os'];
  const places = inOrder.map((key) => keys.lastIndexOf(key));
  expect(places.slice(1)).toEqual([...places.slice(1)].sort((one, other) => one - other));
  expect(keys.indexOf('target-started')).toBeLessThan(keys.indexOf('target-stopped'));
  for (const disk of ['os', 'data-0']) {
    const facts = factsOf(arrived, `another-point/${disk}`);
    expect(facts).toMatchObject({ mode: 'delta' });
    expect(Number(facts?.usedBytes)).toBeGreaterThan(0);
    expect(factsOf(arrived, `seal/${disk}`)).toMatchObject({ rereadInFull: true });
  }
  // Its system writes to one small place; what the application writes grows with the time that a person takes.
  expect(Number(factsOf(arrived, 'another-point/os')?.copiedBytes)).toBeLessThan(16 << 20);
  expect(factsOf(arrived, 'point-changed')).toMatchObject({
    ...{ from: 'latest', to: 'application-consistent', by: 'ana', lostSince: called.liveSince },
    lostBytes: expect.any(Number),
  });
  expect(arrived.loss).toMatchObject({ since: called.liveSince, until: expect.any(String), acceptedBy: 'ana' });
  // S2: what was approved of the disks before counts no more.
  expect(await run.say('commit', { evidence: called.evidence })).toEqual({
    refused: expect.stringContaining(`the disks' evidence is ${arrived.evidence}`),
  });
  await run.say('commit', { evidence: arrived.evidence });
  const end = await run.until('Committed');
  expect(firstBroken(end.record)).toBeUndefined();
  const kept = String(factsOf(end, 'final-point-kept')?.points);
  const asChosen = (line: string): boolean => {
    const [snapshot] = /homeward-\S+-final/.exec(line) ?? [];
    return snapshot === undefined
      ? Number(/^lost: .*"acknowledged":(\d+)/.exec(line)?.[1] ?? 0) > newest
      : kept.includes(snapshot);
  };
  expect((await run.wrongAtEnd('committed-after-change')).filter((line) => !asChosen(line))).toEqual([]);
}, 240_000);

/** Somebody takes a snapshot of the machine at home, or removes it. */
async function snapshotAtHome({ machine }: Run, method: 'POST' | 'DELETE'): Promise<void> {
  await knock(`${scene.lab.vcenter.control}/snapshot`, { vm: machine.target.vm, name: 'before the update' }, method);
}

/** A change that could not go on is refused before the machine is stopped, held or not, and withdrawn if it was accepted. */
async function refusedWhileItServes(run: Run, live: Status): Promise<void> {
  await snapshotAtHome(run, 'POST');
  const reason = expect.stringContaining('has 1 snapshot(s)');
  expect(await run.say('changePoint', toLatest)).toEqual({ refused: reason });
  await snapshotAtHome(run, 'DELETE');
  await run.say('hold');
  expect(await run.say('changePoint', toLatest)).toMatchObject({ accepted: true });
  await snapshotAtHome(run, 'POST');
  expect(await run.status()).toMatchObject({ phase: 'AwaitingCommit', pointChange: { by: 'ana' } });
  await run.say('resume');
  const { status } = await run.untilView('withdrawn', (view) => view.status?.pointChange === undefined);
  expect(status).toMatchObject({ phase: 'AwaitingCommit', serves: 'target', liveSince: live.liveSince });
  expect(status?.refusals.slice(-2).map(({ message, reason: why }) => [message, why])).toEqual([
    [expect.stringContaining('changePoint'), reason],
    ['changePoint', reason],
  ]);
  expect(status?.record.filter(({ key }) => key === 'point-not-changed' || key === 'target-stopped')).toHaveLength(1);
  await snapshotAtHome(run, 'DELETE');
}

/** Chooses the latest point, and holds the run while vCenter is asked whether it can be taken: it stays where it is. */
async function heldInTheLook(run: Run): Promise<void> {
  await run.say('hold');
  expect(await run.say('changePoint', toLatest)).toMatchObject({ accepted: true });
  await scene.fault('vcenter', { method: 'FindByInventoryPath', count: 2, delayMs: 1_500 });
  await run.say('resume');
  await scene.untilMet('vcenter');
  expect(await run.say('hold')).toEqual({ accepted: true });
  await pause(4_000);
  expect(await run.status()).toMatchObject({ phase: 'AwaitingCommit', serves: 'target', pointChange: { by: 'ana' } });
  await run.say('resume');
}

thorough(
  'S001-13 S000-28 L2 S1 S2 S5 S8 S11 the point is changed back and forth, through the death of both workers, and a cancel in the middle of it ends with the source serving as it was found',
  async () => {
    await scene.forgetRules();
    const run = await scene.begin();
    const { witness } = scene.lab;
    await aheadOfItsPoint(run);
    witness.olderChosen(run.machine.name);
    await run.say('completeFailover', { point: 'application-consistent' });
    const first = await run.until('AwaitingCommit');
    expect(first.waitsFor).toContain('changePoint {"by":"you","point":"latest","acceptLoss":true}');
    await untilWritten(run);
    await refusedWhileItServes(run, first);

    await slowReading('-final');
    witness.olderChosen(run.machine.name, false);
    await heldInTheLook(run);
    await scene.untilMet('azure');
    const changing = await run.view();
    expect(changing.status).toMatchObject({ phase: 'ChangingPoint', serves: 'nobody', pointChange: { by: 'ana' } });
    expect(changing.rounds?.now).toBe('taking the disks to the latest point: every block is looked at');
    expect(changing.transfers.map(({ disk }) => disk)).toContain('data-0');
    await Promise.all([scene.workers.kill('mover'), scene.workers.kill('control')]);
    await scene.forgetRules();
    await Promise.all([scene.workers.restart('mover'), scene.workers.restart('control')]);
    const second = await run.until('AwaitingCommit');
    const { wanted, found } = await recordsOf(run);
    expect(found).toEqual(wanted);
    expect(second.evidence).not.toBe(first.evidence);
    expect(factsOf(second, 'another-point/data-0')).toMatchObject({ mode: 'delta' });

    await untilWritten(run);
    await slowReading(`${run.machine.name}-data_`, 600_000);
    witness.olderChosen(run.machine.name);
    await run.say('changePoint', toOlder);
    await scene.untilMet('azure');
    // The machine at home is off by then: nothing more is lost, so no flag is asked for.
    expect(await run.status()).toMatchObject({ phase: 'ChangingPoint', serves: 'nobody' });
    await snapshotAtHome(run, 'POST');
    expect(await run.until('NeedsOperator')).toMatchObject({
      left: 'ChangingPoint',
      trouble: { op: 'target-no-snapshots' },
    });
    await snapshotAtHome(run, 'DELETE');
    await scene.forgetOldestRule('azure');
    await slowReading(`${run.machine.name}-data_`);
    await run.say('resolve', { action: 'retry' });
    await scene.untilMet('azure');
    // Its disks are off it, so that nothing of vCenter's is needed for the source to serve again.
    await scene.fault('vcenter', { method: '*', count: -1, action: 'drop' });
    expect(await run.say('cancel')).toEqual({ accepted: true });
    await scene.forgetOldestRule('azure');
    await run.untilView('serving', ({ status }) => status?.record.some(({ key }) => key === 'source-started') ?? false);
    await scene.forgetRules();
    const end = await run.until('ReturnedToSource');
    expect(firstBroken(end.record)).toBeUndefined();
    expect(end.loss).toMatchObject({ since: first.liveSince, acceptedBy: 'ana' });
    const ended = { startedAt: expect.any(String), endedAt: expect.any(String) };
    expect(end).toMatchObject({ outagesBefore: [first.outage, second.outage], outage: ended });
    expect(countOf(end, 'undo/start the target')).toBe(0);
    expect(countOf(end, 'undo/sealed disks')).toBe(1);
    expect(await run.wrongAtEnd('returned')).toEqual([]);
  },
  240_000,
);
