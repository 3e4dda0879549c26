/**
 * Which moment comes home, on the real Temporal server: an older, application-consistent point with exactly the records up to
 * it, although the target was ahead; and beside it a machine of which no such point could be had.
 */

import { readAzure } from '../../lab/azure-control.ts';
import { readAcknowledgements } from '../../lab/guest/acknowledgements.ts';
import { firstBroken } from '../../model/evidence.ts';
import type { Status } from '../../model/status.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

/** Long enough for one point a run: the first is taken right behind the seed. */
const hour = 3_600;
let scene: Scene;
let ahead: Run;
let untaken: Run;
beforeAll(async () => {
  scene = await openScene(everyFault ? 4 : 2, { policy: { applicationPointEverySeconds: hour } });
  const [, second] = scene.lab.machines;
  // Both come home beside each other; the agent in the second one's guest does not answer.
  const lroFail = { code: 'VMAgentStatusCommunicationError', message: 'The agent does not answer.' };
  await scene.fault('azure', {
    ...{ operation: 'restorePoints.create', resource: `homeward-${second?.name}-`, action: { lroFail }, count: 1_000 },
  });
  ahead = await scene.begin();
  untaken = await scene.begin();
}, 120_000);
afterAll(() => scene?.close(), 60_000);

const factsOf = ({ record }: Status, key: string) => record.find((entry) => entry.key === key)?.facts;
const collectionsOf = async ({ machine }: Run) =>
  ((await readAzure(scene.lab.azure.control)).restorePointCollections ?? []).filter(
    ({ tags }) => tags['homeward-machine'] === machine.name,
  );

/** What each slot was acknowledged to hold up to a record, and what the application found at home when it started. */
async function recordsOf({ machine }: Run, newest: number): Promise<{ wanted: string[]; found: string[] }> {
  const slots = new Map<number, string>();
  for (const event of await readAcknowledgements(machine.acknowledgements.azure)) {
    // What it found when it first started was there before any record of this lab.
    if ((event.kind !== 'done' && event.kind !== 'found') || event.at.seq > newest) continue;
    if (event.at.sum === '-') slots.delete(event.at.slot);
    else slots.set(event.at.slot, `${event.at.slot} ${event.at.seq} ${event.at.sum}`);
  }
  const atHome = await readAcknowledgements(machine.acknowledgements.onPrem);
  const found = atHome.flatMap((event) =>
    event.kind === 'found' ? [`${event.at.slot} ${event.at.seq} ${event.at.sum}`] : [],
  );
  return { wanted: [...slots.values()].sort(), found: found.sort() };
}

test('S001-13 S001-19 S1 S2 S9 S11 S12 a target that is ahead goes back to the application-consistent point by a delta: every record up to it and none after, and what came after stays in Azure by name', async () => {
  const run = ahead;
  await run.untilView('ahead of its point', ({ status, rounds }) => {
    return status?.applicationPoints?.length === 1 && (rounds?.done ?? 0) >= 3;
  });
  const [collection] = await collectionsOf(run);
  const newest = collection?.points[0]?.newestRecord ?? 0;
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
  await run.untilView('ahead of its point', ({ status, rounds }) => {
    return status?.applicationPoints?.length === 1 && (rounds?.done ?? 0) >= 3;
  });
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
