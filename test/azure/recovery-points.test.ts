/** Making and releasing recovery points, against the lab's simulator. */

import { assertSourceOff, type Before } from '../../activities/power.ts';
import type { Sites } from '../../activities/preflight.ts';
import { completionPercent } from '../../lab/azure/snapshot-taking.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { snapshotName } from '../../sites/azure/snapshot-mark.ts';
import type { PointRequest } from '../../sites/source.ts';
import { type AzureLab, dataBytes, failureOf, group, machine, openAzureLab, path, quiet, run } from './azure-lab.ts';

let lab: AzureLab;
let request: PointRequest;
beforeEach(async () => {
  lab = await openAzureLab();
  request = await lab.pointRequest();
  lab.calls();
});
afterEach(() => lab.close());
const names = (): string[] => [...lab.world.snapshots.values()].map((one) => one.name);
const creations = (): number => lab.calls().filter((call) => call === 'snapshots.createOrUpdate').length;

test('S001-18 a recovery point is one incremental snapshot of each disk, crash-consistent and marked as ours', async () => {
  const point = await lab.source.ensureRecoveryPoint(request, quiet());
  expect(point).toMatchObject({ number: 1, consistency: 'crash', final: false });
  expect(point.disks.map((disk) => disk.disk)).toEqual(['os', 'data-0']);
  const tags = [...lab.world.snapshots.values()].map((one) => one.tags);
  expect(tags[0]).toEqual({
    'homeward-run': run,
    'homeward-machine': machine,
    'homeward-disk': 'os',
    'homeward-point': '1',
    'homeward-final': 'false',
  });
  const times = [...lab.world.snapshots.values()].map((one) => one.timeCreated).sort();
  expect(point.takenAt).toBe(times[0]);
});

test('the same recovery point asked for twice is the same snapshots', async () => {
  const first = await lab.source.ensureRecoveryPoint(request, quiet());
  const second = await lab.source.ensureRecoveryPoint(request, quiet());
  expect(second).toEqual(first);
  expect(creations()).toBe(2);
});

test.each([
  ['by a sector', dataBytes + 512],
  ['over 4 TB, from where on Azure compares no more', 4 * 1024 ** 4 + 512],
])('S9 a disk that was resized during the run %s is refused by name', async (_, sizeBytes) => {
  await lab.source.ensureRecoveryPoint(request, quiet());
  await lab.world.disk(group, 'erp-db-data').data.resize(sizeBytes);
  const failure = await failureOf(lab.source.ensureRecoveryPoint({ ...request, number: 2 }, quiet()));
  expect(failure).toMatchObject({ kind: 'Corrupt', message: expect.stringContaining(`data-0 has ${sizeBytes} bytes`) });
  expect(failure.op).toBe('source-resized');
  expect(failure.hint).toMatch(/resized.*--write staged.*exactly \d+ bytes/);
});

test('S3 a Premium v2 disk has a point only when Azure has copied all of it', async () => {
  lab.world.settings.copyMs = 700;
  const slow = lab.world.disk(group, 'erp-db-data');
  lab.world.disks.set(`${group}/erp-db-data`, { ...slow, sku: 'PremiumV2_LRS' });
  const { disks } = await lab.source.ensureRecoveryPoint(request, quiet());
  expect([...lab.world.snapshots.values()].map((one) => completionPercent(one))).toEqual([100, 100]);
  const point = disks.find(({ disk }) => disk === 'data-0');
  if (!point) throw new Error('no data disk in the point');
  const reader = await lab.reader().openPoint({ point, disk: 'data-0' }, quiet());
  await reader.close();
});

test('a creation whose reply is lost is found by the next try', async () => {
  lab.fault('snapshots.createOrUpdate', { drop: 'after' }, { resource: 'data-0' });
  expect((await failureOf(lab.source.ensureRecoveryPoint(request, quiet()))).kind).toBe('Transient');
  await lab.source.ensureRecoveryPoint(request, quiet());
  expect(names()).toHaveLength(2);
  expect(creations()).toBe(2);
});

test('an operation whose status cannot be asked for a while is found done later', async () => {
  lab.fault('operations.get', { status: 429, retryAfter: 9 });
  const failure = await failureOf(lab.source.ensureRecoveryPoint(request, quiet()));
  expect(failure).toMatchObject({ kind: 'Transient', retryAfterMs: 9_000 });
  await lab.source.ensureRecoveryPoint(request, quiet());
  expect(creations()).toBe(2);
});

test('S1 a final recovery point is refused while the machine is not deallocated', async () => {
  expect((await failureOf(lab.source.ensureRecoveryPoint({ ...request, final: true }, quiet()))).kind).toBe('Refused');
  expect(names()).toEqual([]);
  await lab.stop();
  expect(await lab.source.ensureRecoveryPoint({ ...request, final: true }, quiet())).toMatchObject({ final: true });
});

test('S1 a final point is not believed again once the machine was started after it', async () => {
  await lab.stop();
  const wanted = { ...request, final: true };
  const first = await lab.source.ensureRecoveryPoint(wanted, quiet());
  expect(await lab.source.ensureRecoveryPoint(wanted, quiet())).toEqual(first);
  expect(first.sourceStoppedSince).toBe((await lab.source.observeMachine(path, quiet())).stoppedSince);
  await lab.startAndStop();
  expect((await lab.source.observeMachine(path, quiet())).stoppedSince).not.toBe(first.sourceStoppedSince);
  const failure = await failureOf(lab.source.ensureRecoveryPoint(wanted, quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', op: 'source-changed', hint: expect.stringContaining('loses data') });
});

test('S1 the target does not start, nor get its disks, once the source was started after the final point', async () => {
  await lab.stop();
  const final = await lab.source.ensureRecoveryPoint({ ...request, final: true }, quiet());
  const sites = { source: () => lab.source } as unknown as Sites;
  const failback = { machine, source: { site: 'azure', path } } as FailbackInput;
  await assertSourceOff(sites, { failback, run, final }, 'the target starts', quiet());
  const { sourceStoppedSince: _, ...untold } = final;
  expect(
    (await failureOf(assertSourceOff(sites, { failback, run, final: untold }, 'the target starts', quiet()))).op,
  ).toBe('source-changed');
  await lab.world.powerOn(lab.world.machine(group, machine));
  expect((await failureOf(assertSourceOff(sites, { failback, run, final }, 'the target starts', quiet()))).op).toBe(
    'observe-power',
  );
  await lab.world.powerOff(lab.world.machine(group, machine), 'deallocated');
  expect(await failureOf(assertSourceOff(sites, { failback, run, final }, 'the target starts', quiet()))).toMatchObject(
    {
      kind: 'Refused',
      op: 'source-changed',
      hint: expect.stringContaining('loses data'),
    },
  );
  // What a person is told to do is what the law takes there: an undo, or once the target may be live the loss flag.
  const hintFor = async (before: Before): Promise<string> =>
    (await failureOf(assertSourceOff(sites, { failback, run, final }, before, quiet()))).hint;
  expect(await hintFor('the disks go back')).toMatch(/resolve with undo; nothing was started/);
  const again = assertSourceOff(sites, { failback, run, final, uses: 1 }, 'the disks go back', quiet());
  expect((await failureOf(again)).hint).toMatch(/resolve with undo; what was written at home was dropped/);
  expect(await hintFor('the disks go back')).not.toMatch(/accept-loss/);
  for (const before of ['the target starts', 'the commit'] as const) {
    expect(await hintFor(before)).toMatch(/cancel --accept-loss/);
    expect(await hintFor(before)).not.toMatch(/undo/);
  }
  // A commit may have been accepted already, while somebody held the run: no cancel is taken any more.
  expect(await hintFor('the commit')).toMatch(/committed already.*resolve with skip/i);
  await lab.world.deleteMachine(lab.world.machine(group, machine));
  expect(await failureOf(assertSourceOff(sites, { failback, run, final }, 'the target starts', quiet()))).toMatchObject(
    {
      op: 'source-gone',
      message: expect.stringContaining('deleted'),
      hint: expect.stringMatching(/deletes nothing while the source is not there/),
    },
  );
});

test('S1 a final point of which a part was taken before the machine was started again is refused', async () => {
  await lab.stop();
  const wanted = { ...request, final: true };
  lab.fault('snapshots.createOrUpdate', { drop: 'before' }, { resource: 'data-0' });
  expect((await failureOf(lab.source.ensureRecoveryPoint(wanted, quiet()))).kind).toBe('Transient');
  await lab.startAndStop();
  expect((await failureOf(lab.source.ensureRecoveryPoint(wanted, quiet()))).op).toBe('source-changed');
});

test('S1 a final point during which the machine was started and stopped again is refused', async () => {
  await lab.stop();
  lab.fault('snapshots.createOrUpdate', { delayMs: 300 }, { count: 1, resource: 'data-0' });
  const taking = failureOf(lab.source.ensureRecoveryPoint({ ...request, final: true }, quiet()));
  while (names().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await lab.startAndStop();
  expect((await taking).op).toBe('source-changed');
});

test('S1 a machine whose disks do not tell when it was started last has no final point', async () => {
  await lab.stop();
  lab.world.disk(group, 'erp-db-data').ownershipChangedAt = undefined;
  expect((await failureOf(lab.source.ensureRecoveryPoint({ ...request, final: true }, quiet()))).kind).toBe('Refused');
  expect(names()).toEqual([]);
});

test('a final point stands beside a round of the same number that never ended', async () => {
  const round = await lab.source.ensureRecoveryPoint(request, quiet());
  await lab.stop();
  const final = await lab.source.ensureRecoveryPoint({ ...request, final: true }, quiet());
  expect(final.disks.map(({ id }) => id)).not.toEqual(round.disks.map(({ id }) => id));
  expect(names()).toHaveLength(4);
});

test('a disk that was attached, detached or swapped during the run is noticed at the next point', async () => {
  for (const disks of [request.disks.slice(0, 1), request.disks.map((one) => ({ ...one, id: `${one.id}-swapped` }))])
    expect(await failureOf(lab.source.ensureRecoveryPoint({ ...request, disks }, quiet()))).toMatchObject({
      kind: 'Refused',
      op: 'source-changed',
      hint: expect.stringContaining('all disks'),
    });
  const vm = lab.world.machine(group, machine);
  lab.world.machines.set(`${group}/${machine}`, { ...vm, dataDisks: [] });
  const failure = await failureOf(lab.source.ensureRecoveryPoint(request, quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', op: 'source-changed', message: expect.stringContaining('data-0') });
  expect(names()).toEqual([]);
});

test('S000-15 S001-1 a machine that was moved during the run is noticed at the next point, with where it is now and how to go on', async () => {
  const vm = lab.world.machine(group, machine);
  lab.world.machines.delete(`${group}/${machine}`);
  lab.world.machines.set(`rg-elsewhere/${machine}`, { ...vm, resourceGroup: 'rg-elsewhere' });
  const failure = await failureOf(lab.source.ensureRecoveryPoint(request, quiet()));
  lab.world.machines.delete(`rg-elsewhere/${machine}`);
  expect(failure).toMatchObject({
    ...{ kind: 'Refused', op: 'source-changed' },
    message: expect.stringMatching(/was moved in Azure and is now .*rg-elsewhere/),
    hint: expect.stringMatching(/^Move it back and resolve with retry/),
  });
});

test('S000-16 S001-1 S2 a machine that was deleted during the run is noticed at the next point, and what may be the last copy is named', async () => {
  await lab.source.ensureRecoveryPoint(request, quiet());
  await lab.world.deleteMachine(lab.world.machine(group, machine));
  const failure = await failureOf(lab.source.ensureRecoveryPoint({ ...request, number: 2 }, quiet()));
  expect(failure).toMatchObject({
    ...{ kind: 'Refused', op: 'source-gone' },
    message: expect.stringContaining('does not exist in Azure any more'),
  });
  expect(failure.hint).toMatch(/recovery points may be the last copy .*neither a retry nor a cancel deletes them/);
  expect(names()).toHaveLength(2);
});

test('a round’s point says whether the source served: it ran, its guest was off, it was deallocated', async () => {
  const vm = lab.world.machine(group, machine);
  const served = async (number: number) =>
    (await lab.source.ensureRecoveryPoint({ ...request, number }, quiet())).sourceServed;
  expect(await served(1)).toBe(true);
  await lab.world.powerOff(vm, 'stopped');
  expect(await served(2)).toBe(false);
  await lab.world.powerOff(vm, 'deallocated');
  expect(await served(3)).toBe(false);
  vm.power = 'starting';
  expect(await served(4)).toBeUndefined();
});

test('a machine that was made anew under the same name is noticed at the next point', async () => {
  const failure = await failureOf(lab.source.ensureRecoveryPoint({ ...request, identity: 'what it was' }, quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', op: 'source-changed' });
  expect(names()).toEqual([]);
});

test('Azure refusing an eighth snapshot in five minutes is waited out by Temporal', async () => {
  lab.world.settings.snapshotsPer5Min = 1;
  await lab.source.ensureRecoveryPoint(request, quiet());
  const failure = await failureOf(lab.source.ensureRecoveryPoint({ ...request, number: 2 }, quiet()));
  expect(failure.kind).toBe('Transient');
  expect(failure.retryAfterMs).toBeGreaterThan(200_000);
});

test('a creation that fails is classified by its own code, and a throttled one without a time waits by itself', async () => {
  lab.fault('snapshots.createOrUpdate', { lroFail: { code: 'InternalServerError', message: 'oops' } });
  expect((await failureOf(lab.source.ensureRecoveryPoint(request, quiet()))).kind).toBe('Transient');
  lab.fault('snapshots.createOrUpdate', { status: 429, retryAfter: 'none' });
  const next = { ...request, number: 7 };
  expect(await failureOf(lab.source.ensureRecoveryPoint(next, quiet()))).toMatchObject({
    kind: 'Transient',
    retryAfterMs: undefined,
  });
});

test('S9 a disk that was made anew during the run is not snapshotted', async () => {
  const [os, data] = request.disks;
  if (!os || !data) throw new Error('two disks were expected');
  const disks = [os, { ...data, identity: 'what it was before' }];
  expect((await failureOf(lab.source.ensureRecoveryPoint({ ...request, disks }, quiet()))).kind).toBe('Corrupt');
});

test('a snapshot of our name that is not ours is left alone and refused', async () => {
  const name = snapshotName({ run, machine, disk: 'os', number: 1, final: false });
  const os = lab.world.disk(group, 'erp-db-os');
  await lab.world.createSnapshot(group, name, os, request.disks[0]?.id ?? '', { someone: 'else' });
  expect((await failureOf(lab.source.ensureRecoveryPoint(request, quiet()))).kind).toBe('Refused');
  expect(names()).toContain(name);
});

test('S11 releasing takes only what is older than a number, revokes open grants, and touches nobody else’s snapshots', async () => {
  const foreign = lab.world.disk(group, 'erp-db-os');
  await lab.world.createSnapshot(group, 'backup-of-someone', foreign, request.disks[0]?.id ?? '', {});
  for (const number of [1, 2, 3]) await lab.source.ensureRecoveryPoint({ ...request, number }, quiet());
  const other = { ...request, run: 'another-run', number: 1 };
  await lab.source.ensureRecoveryPoint(other, quiet());
  const open = [...lab.world.snapshots.values()].find((one) => one.tags['homeward-point'] === '2');
  if (!open) throw new Error('no second point');
  lab.world.grants.begin(`snapshot/${open.uniqueId}`, open.name, open.source.uniqueId, 600);
  const deleted = await lab.source.releaseRecoveryPoints({ path, run, machine, before: 3 }, quiet());
  expect(deleted).toHaveLength(4);
  expect(names().filter((name) => deleted.includes(name))).toEqual([]);
  expect(names()).toHaveLength(5);
  expect(names()).toContain('backup-of-someone');
  expect(await lab.source.releaseRecoveryPoints({ path, run, machine, before: 3 }, quiet())).toEqual([]);
});

test('S9 a late release of an older round leaves the newer points alone', async () => {
  for (const number of [1, 2, 3]) await lab.source.ensureRecoveryPoint({ ...request, number }, quiet());
  await lab.source.releaseRecoveryPoints({ path, run, machine, before: 2 }, quiet());
  const left = [...lab.world.snapshots.values()].map((one) => one.tags['homeward-point']);
  expect(left.toSorted()).toEqual(['2', '2', '3', '3']);
});

test('S11 releasing all finds a snapshot that Azure makes only after we stopped asking for it', async () => {
  const stop = new AbortController();
  lab.fault('snapshots.createOrUpdate', { delayMs: 800 }, { resource: 'data-0' });
  const taking = lab.source.ensureRecoveryPoint(request, quiet(stop.signal));
  setTimeout(() => stop.abort(new Error('cancelled')), 400);
  await expect(taking).rejects.toThrow('cancelled');
  const deleted = await lab.source.releaseRecoveryPoints({ path, run, machine, before: 'all' }, quiet());
  expect(deleted).toHaveLength(2);
  expect(names()).toEqual([]);
});

test('a release that is interrupted is finished by the next try', async () => {
  await lab.source.ensureRecoveryPoint(request, quiet());
  lab.fault('snapshots.delete', { drop: 'before' });
  expect((await failureOf(lab.source.releaseRecoveryPoints({ path, run, machine, before: 'all' }, quiet()))).kind).toBe(
    'Transient',
  );
  await lab.source.releaseRecoveryPoints({ path, run, machine, before: 'all' }, quiet());
  expect(names()).toEqual([]);
});

test('a snapshot’s name fits Azure’s 80 characters and stays unique for long machine names', () => {
  const long = 'a'.repeat(63);
  const name = snapshotName({ machine: long, run, disk: 'data-63', number: 12_345, final: true });
  expect(name.length).toBeLessThanOrEqual(80);
  expect(name).toMatch(/^homeward-[a-z0-9-]+-data-63-12345-final$/);
  expect(snapshotName({ machine: `${'a'.repeat(62)}b`, run, disk: 'data-63', number: 12_345, final: true })).not.toBe(
    name,
  );
});
