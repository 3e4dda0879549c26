/** What is looked at in Azure before the way back deletes, and before another point is taken home; against the lab's simulator. */
import { setTimeout as pause } from 'node:timers/promises';
import { createMoverLookActivities } from '../../activities/movers.ts';
import { createPowerActivities } from '../../activities/power.ts';
import type { Sites } from '../../activities/preflight.ts';
import { createRecoveryPointActivities } from '../../activities/recovery-point.ts';
import { attachNewDisk, deleteWithDisks, detachAndDelete } from '../../lab/azure/attaching.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { soundPolicy } from '../../model/inventory.ts';
import type { RecoveryPoint, SourceMachine } from '../../model/machine.ts';
import { inActivity } from '../activities/in-activity.ts';
import { type AzureLab, failureOf, group, machine, mib, openAzureLab, path, quiet, run } from './azure-lab.ts';

let lab: AzureLab;
let sites: Sites;
let found: SourceMachine;
const failback = {
  machine,
  source: { site: 'azure', path },
  target: { site: 'home', path: '/DC0/vm/erp-db' },
  mover: { name: 'm1', path: '/DC0/vm/m1' },
  policy: soundPolicy({}),
} as FailbackInput;
beforeEach(async () => {
  lab = await openAzureLab();
  found = await lab.source.observeMachine(path, quiet());
  // Home has nothing to object, so that what is refused is refused because of the source.
  const target = () => ({ observeReopening: async () => undefined });
  sites = { version: 'v', source: () => lab.source, target } as unknown as Sites;
});
afterEach(() => lab.close());
const names = (): string[] => [...lab.world.snapshots.values()].map((one) => one.name);
const vm = () => lab.world.machine(group, machine);
const place = `${group}/${machine}`;
const forbidden = { status: 403, code: 'AuthorizationFailed', message: 'no right' };
const otherSideOff = async (): Promise<void> => undefined;

const release = () =>
  inActivity(() => createRecoveryPointActivities(sites).releaseRecoveryPoints({ failback, run, before: 'all', found }));

const move = () => {
  const moved = vm();
  lab.world.machines.delete(place);
  lab.world.machines.set(`rg-elsewhere/${machine}`, { ...moved, resourceGroup: 'rg-elsewhere' });
};
const detach = () => lab.world.machines.set(place, { ...vm(), dataDisks: [] });
const removeDisk = () => detachAndDelete(lab.world, vm(), vm().dataDisks[0]?.disk ?? '');

test.each<[string, string, () => unknown, RegExp]>([
  ['was deleted with its disks', 'source-gone', () => deleteWithDisks(lab.world, vm()), /does not exist any more/],
  [
    'was deleted, its disks not',
    'source-gone',
    () => lab.world.deleteMachine(vm()),
    /not exist any more.*disk erp-db-os/,
  ],
  ['is being deleted', 'source-gone', () => Object.assign(vm(), { deleting: true }), /is being deleted/],
  [
    'was made anew',
    'source-gone',
    () => lab.world.machines.set(place, { ...vm(), vmId: 'another' }),
    /is another machine/,
  ],
  ['lost a disk', 'source-changed', detach, /disk data-0 .*is not attached .* still exists/],
  ['lost a disk for good', 'source-changed', removeDisk, /disk data-0 .*does not exist any more/],
])(
  'S5 S11 S2 a way back whose source %s (%s) deletes no recovery point, and names what is still there',
  async (_, op, happens, words) => {
    await lab.source.ensureRecoveryPoint(await lab.pointRequest(), quiet());
    const points = names();
    await happens();
    const failure = (await release().catch((error: unknown) => error)) as { message: string; details: object[] };
    expect(failure).toMatchObject({ type: 'Refused', message: expect.stringMatching(words) });
    expect(failure.details).toEqual([expect.objectContaining({ op, subject: path })]);
    for (const name of points) expect(failure.message).toContain(`snapshot ${name}`);
    expect(names()).toEqual(points);
  },
);

/** Somebody deletes the machine with its disks while `act` waits for the answer to its `skip + 1`st `operation`. */
async function deletedWhile<T>(act: () => Promise<T>, operation = 'disks.get', skip = 0): Promise<T> {
  lab.fault(operation, { delayMs: 60_000 }, { count: 100, skip });
  const acting = act();
  while (!lab.faults.list().some((rule) => (rule as { hits: number }).hits > 0)) await pause(5);
  await deleteWithDisks(lab.world, vm());
  lab.faults.remove();
  return await acting;
}

test('S1 S5 a machine that is deleted with its disks while it is looked at is gone, not one with a disk that cannot be found', async () => {
  expect(await deletedWhile(() => lab.source.observeMachine(path, quiet()))).toMatchObject({
    ...{ power: 'absent', disks: [], nics: [] },
  });
});

test('S1 a disk that is not found of a machine that is there is refused by its name', async () => {
  lab.fault('disks.get', { status: 404, code: 'ResourceNotFound', message: 'no such disk' }, { resource: 'erp-db-os' });
  const failure = await failureOf(lab.source.observeMachine(path, quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', op: 'disks.get', subject: expect.stringContaining('erp-db-os') });
});

test.each<[string, boolean, string, number]>([
  ['the final point, at the first look at the disks', true, 'disks.get', 0],
  ['the final point, before a snapshot', true, 'disks.get', 2],
  ['a round’s point, before a snapshot', false, 'disks.get', 0],
  ['a round’s point, as a snapshot is taken', false, 'snapshots.createOrUpdate', 0],
])(
  'S000-16 S5 a machine that is deleted with its disks while its point is made is told as gone, and what may be the last copy is named: %s',
  async (_, final, operation, skip) => {
    if (final) await lab.stop();
    const request = { ...(await lab.pointRequest()), final };
    const point = () => lab.source.ensureRecoveryPoint(request, quiet());
    const failure = await failureOf(deletedWhile(point, operation, skip));
    expect(failure).toMatchObject({ kind: 'Refused', op: 'source-gone', subject: path });
    expect(failure.hint).toMatch(/may be the last copy/);
  },
);

test('S5 S11 a source that was moved is there: its recovery points go, but the machine at home is not stopped, because nothing starts the source where it is now', async () => {
  await lab.source.ensureRecoveryPoint(await lab.pointRequest(), quiet());
  move();
  const { ensureTargetStopped } = createPowerActivities(sites);
  const failure = await inActivity(() => ensureTargetStopped({ failback, run, found })).catch(
    (error: unknown) => error,
  );
  const words = /was moved in Azure and is now rg-elsewhere\/erp-db; nothing was stopped/;
  expect(failure).toMatchObject({
    message: expect.stringMatching(words),
    details: [expect.objectContaining({ op: 'source-changed' })],
  });
  expect(await release()).toHaveLength(2);
  expect(names()).toEqual([]);
});

test('S5 whether the source is there is seen without its network, there or not', async () => {
  await lab.source.ensureRecoveryPoint(await lab.pointRequest(), quiet());
  const whole = vm();
  lab.fault('networkInterfaces.get', forbidden, { count: 100 });
  detach();
  await expect(release()).rejects.toMatchObject({ message: expect.stringContaining('is not attached') });
  lab.world.machines.set(place, whole);
  expect(await release()).toHaveLength(2);
});

test('S5 the way back and the start of the source hang on no disk that somebody attached meanwhile', async () => {
  await lab.source.ensureRecoveryPoint(await lab.pointRequest(), quiet());
  const { name } = await attachNewDisk(lab.world, vm(), mib);
  lab.fault('disks.get', forbidden, { count: 100, resource: name });
  await lab.stop();
  const started = await lab.source.ensureStarted({ path, identity: found.identity, otherSideOff }, quiet());
  expect(started).toMatchObject({ power: 'running', identity: found.identity });
  expect(await release()).toHaveLength(2);
});

test('S5 S11 a disk that moved with its machine is known by its identity, and whether an unreadable one is it is not guessed', async () => {
  await lab.source.ensureRecoveryPoint(await lab.pointRequest(), quiet());
  const points = names();
  const [disk, { name }] = [lab.world.disk(group, 'erp-db-data'), await attachNewDisk(lab.world, vm(), mib)];
  // The lab's machines name their disks within one resource group: the moved one gets another name instead.
  const moveDisk = (from: string, to: string): void => {
    lab.world.disks.delete(`${group}/${from}`);
    lab.world.putDisk({ ...disk, name: to });
    vm().dataDisks = vm().dataDisks.map((one) => (one.disk === from ? { ...one, disk: to } : one));
  };
  moveDisk('erp-db-data', 'erp-db-data-moved');
  lab.fault('disks.get', forbidden, { count: 1, resource: name });
  await expect(release()).rejects.toMatchObject({
    type: 'Refused',
    details: [expect.objectContaining({ op: 'disks.get' })],
  });
  expect(names()).toEqual(points);
  expect(await release()).toHaveLength(2);
});

test('S5 S11 a way back whose source is there, running or not, deletes its recovery points', async () => {
  const request = await lab.pointRequest();
  for (const number of [1, 2]) {
    await lab.source.ensureRecoveryPoint({ ...request, number }, quiet());
    expect(await release()).toHaveLength(2);
    await lab.stop();
  }
  expect(names()).toEqual([]);
});

test('S001-13 S1 S5 another point is refused before the machine at home stops when the source ran, is gone, or no longer has the points', async () => {
  const request = await lab.pointRequest();
  const lost = await lab.source.ensureRecoveryPoint(request, quiet());
  const wished = await lab.source.ensureRecoveryPoint({ ...request, number: 2 }, quiet());
  await lab.stop();
  const final = await lab.source.ensureRecoveryPoint({ ...request, final: true }, quiet());
  const input = { failback, run, pairs: [], uses: 1, final, wished };
  const look = async (change: object = {}) => {
    const asked = { ...input, ...change };
    const { checks } = await inActivity(() => createMoverLookActivities(sites).observeReopening(asked));
    return checks.map(({ seen }) => seen);
  };
  const remove = async (point: RecoveryPoint): Promise<unknown> => {
    const snapshot = [...lab.world.snapshots.values()].find(({ name }) => point.disks[0]?.id.endsWith(`/${name}`));
    if (!snapshot) throw new Error('there is no such snapshot');
    await lab.world.deleteSnapshot(snapshot);
    return expect.stringMatching(new RegExp(`${snapshot.name} .*does not exist any more`));
  };
  const ofLost = await remove(lost);
  expect([await look(), await look({ wished: lost })]).toEqual([[], [ofLost]]);
  const ofFinal = await remove(final);
  expect(await look()).toEqual([ofFinal]);
  await lab.startAndStop();
  expect(await look()).toEqual([expect.stringContaining('was started after the final recovery point')]);
  await lab.world.powerOn(vm());
  expect(await look()).toEqual([expect.stringMatching(/^the source is running/)]);
  await deleteWithDisks(lab.world, vm());
  expect(await look()).toEqual([expect.stringContaining('was deleted')]);
});
