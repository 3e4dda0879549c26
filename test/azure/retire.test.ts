/** The clean-up after the commit: what is deleted, and what never is, against the lab's simulator. */
import type { RetireRequest } from '../../sites/source.ts';
import { type AzureLab, failureOf, group, machine, openAzureLab, path, quiet, run } from './azure-lab.ts';

let lab: AzureLab;
let request: RetireRequest;
beforeEach(async () => {
  lab = await openAzureLab();
  await lab.stop();
  const wanted = await lab.pointRequest();
  request = await lab.retireRequest(await lab.source.ensureRecoveryPoint({ ...wanted, final: true }, quiet()));
  const { disks } = request;
  const os = lab.world.disk(group, 'erp-db-os');
  await lab.world.createSnapshot(group, 'backup-of-someone', os, disks[0]?.id ?? '', { owner: 'someone' });
  lab.calls();
});
afterEach(() => lab.close());

const left = () => ({
  vms: [...lab.world.machines.values()].map((one) => one.name),
  disks: [...lab.world.disks.values()].map((one) => one.name),
  nics: [...lab.world.nics.values()].map((one) => one.name),
  snapshots: [...lab.world.snapshots.values()].map((one) => one.name),
});
const nothingDeleted = (): void => {
  expect(lab.calls().filter((call) => call.endsWith('.delete'))).toEqual([]);
};

test('S002-26 S11 retiring deletes the machine, its NICs, its disks and our snapshots, and nothing else', async () => {
  await lab.source.ensureRetired(request, quiet());
  expect(left()).toEqual({ vms: [], disks: [], nics: [], snapshots: ['backup-of-someone'] });
  expect(await lab.source.observeRemains(request, quiet())).toEqual([]);
});

test('what remains is named before, and nothing is named after', async () => {
  const remains = await lab.source.observeRemains(request, quiet());
  expect(remains.slice(0, 4)).toEqual([
    'virtual machine erp-db',
    'network interface erp-db-nic',
    'disk erp-db-os',
    'disk erp-db-data',
  ]);
  expect(remains.slice(4)).toEqual([
    expect.stringMatching(/^snapshot homeward-/),
    expect.stringMatching(/^snapshot homeward-/),
  ]);
  expect(remains.join()).not.toContain('backup-of-someone');
});

test('retiring twice is the same as once', async () => {
  await lab.source.ensureRetired(request, quiet());
  await lab.source.ensureRetired(request, quiet());
  expect(left().snapshots).toEqual(['backup-of-someone']);
});

test.each(['virtualMachines.delete', 'networkInterfaces.delete', 'disks.delete', 'snapshots.delete'])(
  'a retirement cut off at %s is finished by the next try',
  async (operation) => {
    lab.fault(operation, { drop: 'before' });
    expect((await failureOf(lab.source.ensureRetired(request, quiet()))).kind).toBe('Transient');
    await lab.source.ensureRetired(request, quiet());
    expect(left()).toEqual({ vms: [], disks: [], nics: [], snapshots: ['backup-of-someone'] });
  },
);

test('S2 a deletion of ours that is still under way is waited for by the next try', async () => {
  lab.world.settings.lroMs = 600;
  lab.fault('virtualMachines.delete', { drop: 'after' });
  expect((await failureOf(lab.source.ensureRetired(request, quiet()))).kind).toBe('Transient');
  await lab.source.ensureRetired(request, quiet());
  expect(left()).toEqual({ vms: [], disks: [], nics: [], snapshots: ['backup-of-someone'] });
  expect(lab.calls().filter((call) => call === 'virtualMachines.delete')).toHaveLength(1);
});

test('S2 the disks of a machine that somebody else deleted are kept, because they may have been written to elsewhere', async () => {
  await lab.world.deleteMachine(lab.world.machine(group, 'erp-db'));
  await lab.write('erp-db-os', 4 << 20, Buffer.alloc(512, 7));
  for (let tries = 0; tries < 2; tries++) {
    const failure = await failureOf(lab.source.ensureRetired(request, quiet()));
    expect(failure).toMatchObject({ kind: 'Refused', op: 'source-changed' });
    expect(failure.hint).toContain(`homeward-retiring=${request.run}`);
  }
  expect(left().disks).toEqual(['erp-db-os', 'erp-db-data']);
  nothingDeleted();
});

test('S2 a disk that another run began to retire is kept too', async () => {
  lab.fault('disks.delete', { drop: 'before' }, { count: 9 });
  await failureOf(lab.source.ensureRetired(request, quiet()));
  lab.faults.remove();
  lab.calls();
  const failure = await failureOf(lab.source.ensureRetired({ ...request, run: 'another run' }, quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', op: 'source-changed' });
  nothingDeleted();
});

test('the tags that a disk carries already stay beside the mark of its retirement', async () => {
  lab.world.disk(group, 'erp-db-os').tags = { owner: 'someone' };
  lab.fault('virtualMachines.delete', { drop: 'before' });
  await failureOf(lab.source.ensureRetired(request, quiet()));
  expect(lab.world.disk(group, 'erp-db-os').tags).toEqual({
    owner: 'someone',
    'homeward-retiring': expect.stringMatching(`^${request.run}@20`),
  });
});

test('S2 a refused deletion of the machine leaves no mark: who deletes it later, and uses its disks, is not taken for us', async () => {
  lab.world.disk(group, 'erp-db-os').tags = { owner: 'someone' };
  lab.fault('virtualMachines.delete', { status: 409, code: 'ScopeLocked' });
  expect(await failureOf(lab.source.ensureRetired(request, quiet()))).toMatchObject({ kind: 'Refused' });
  expect(lab.world.disk(group, 'erp-db-os').tags).toEqual({ owner: 'someone' });
  expect(lab.world.disk(group, 'erp-db-data').tags).toEqual({});
  await lab.world.deleteMachine(lab.world.machine(group, 'erp-db'));
  await lab.write('erp-db-os', 4 << 20, Buffer.alloc(512, 7));
  lab.calls();
  const failure = await failureOf(lab.source.ensureRetired(request, quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', op: 'source-changed' });
  expect(failure.hint).toContain('resolve with skip');
  nothingDeleted();
});

test.each([
  ['minutes after it', 11, 'kept'],
  ['right after it', 1, 'deleted'],
])(
  'S2 a mark that a dying worker left behind counts only for its own deletion: a disk let go %s',
  async (_, minutes, end) => {
    lab.fault('virtualMachines.delete', { drop: 'before' });
    await failureOf(lab.source.ensureRetired(request, quiet()));
    await lab.world.deleteMachine(lab.world.machine(group, 'erp-db'));
    const disk = lab.world.disk(group, 'erp-db-data');
    disk.ownershipChangedAt = new Date(Date.now() + minutes * 60_000).toISOString();
    lab.calls();
    const retired = lab.source.ensureRetired(request, quiet());
    if (end === 'deleted') await retired;
    else {
      expect(await failureOf(retired)).toMatchObject({ kind: 'Refused', op: 'source-changed' });
      nothingDeleted();
    }
    expect(left().disks).toHaveLength(end === 'deleted' ? 0 : 2);
  },
);

test('S2 a disk whose time Azure does not tell is kept, unless a person tagged it', async () => {
  lab.fault('virtualMachines.delete', { drop: 'before' });
  await failureOf(lab.source.ensureRetired(request, quiet()));
  await lab.world.deleteMachine(lab.world.machine(group, 'erp-db'));
  const disks = [...lab.world.disks.values()];
  for (const disk of disks) disk.ownershipChangedAt = undefined;
  expect((await failureOf(lab.source.ensureRetired(request, quiet()))).op).toBe('source-changed');
  expect(left().disks).toHaveLength(2);
  for (const disk of disks) disk.tags = { 'homeward-retiring': request.run };
  await lab.source.ensureRetired(request, quiet());
  expect(left().disks).toEqual([]);
});

test('S2 a network interface or a snapshot that was made anew between two tries is not deleted', async () => {
  const [at, nic] = [...lab.world.nics.entries()][0] ?? [];
  if (at === undefined || nic === undefined) throw new Error('the machine has no NIC');
  lab.fault('disks.delete', { drop: 'before' }, { count: 9 });
  await failureOf(lab.source.ensureRetired(request, quiet()));
  lab.faults.remove();
  lab.world.nics.set(at, { ...nic, resourceGuid: 'another one', privateIp: '10.9.9.9' });
  lab.calls();
  const failure = await failureOf(lab.source.ensureRetired(request, quiet()));
  expect(failure.message).toContain('erp-db-nic was made anew');
  nothingDeleted();
  expect((await lab.source.observeRemains(request, quiet()))[0]).toBe(
    'network interface erp-db-nic (made anew, not ours)',
  );
});

test('S2 a snapshot that lost our tags after it was listed is not deleted', async () => {
  for (const one of lab.world.snapshots.values()) {
    const { tags } = one;
    let looks = 0;
    Object.defineProperty(one, 'tags', { get: () => (looks++ === 0 ? tags : { owner: 'someone' }) });
  }
  expect(await lab.source.releaseRecoveryPoints({ path, run, machine, before: 99 }, quiet())).toEqual([]);
  expect(left().snapshots).toHaveLength(3);
});

test('S2 a disk that was made anew under the same name is not deleted, nor is anything before it', async () => {
  const disks = request.disks.map((disk) => (disk.disk === 'os' ? disk : { ...disk, identity: 'the old one' }));
  expect((await failureOf(lab.source.ensureRetired({ ...request, disks }, quiet()))).kind).toBe('Refused');
  nothingDeleted();
});

test('S2 a machine with a disk or a NIC that is not in the record is not deleted', async () => {
  const fewer = { ...request, disks: request.disks.slice(0, 1) };
  expect((await failureOf(lab.source.ensureRetired(fewer, quiet()))).kind).toBe('Refused');
  expect((await failureOf(lab.source.ensureRetired({ ...request, nics: [] }, quiet()))).kind).toBe('Refused');
  nothingDeleted();
});

test('S2 a machine that runs again is not deleted', async () => {
  await lab.world.powerOn(lab.world.machine(group, 'erp-db'));
  expect((await failureOf(lab.source.ensureRetired(request, quiet()))).kind).toBe('Refused');
  nothingDeleted();
});

test('S2 a machine that was started after the final point is not deleted, although it is stopped again', async () => {
  await lab.startAndStop();
  const failure = await failureOf(lab.source.ensureRetired(request, quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', op: 'source-changed' });
  nothingDeleted();
});

test('S2 a machine made anew under the same name is not deleted', async () => {
  const failure = await failureOf(lab.source.ensureRetired({ ...request, identity: 'another machine' }, quiet()));
  expect(failure.kind).toBe('Refused');
  nothingDeleted();
});

test('S2 nobody is told to delete by hand what did not come home', async () => {
  const fewer = { ...request, disks: request.disks.slice(0, 1) };
  const { hint } = await failureOf(lab.source.ensureRetired(fewer, quiet()));
  expect(hint).not.toMatch(/delete by hand/i);
  expect(hint).toContain('did not come home');
});

test('S2 a subscription we may not see any more does not count as deleted', async () => {
  lab.fault('virtualMachines.get', { status: 404, code: 'SubscriptionNotFound' }, { count: 9 });
  expect((await failureOf(lab.source.ensureRetired(request, quiet()))).kind).toBe('Refused');
  nothingDeleted();
});

test('a missing right ends the retirement by name', async () => {
  lab.world.settings.deniedActions = ['Microsoft.Compute/disks/delete'];
  const failure = await failureOf(lab.source.ensureRetired(request, quiet()));
  expect(failure.kind).toBe('Refused');
  expect(failure.message).toContain('Microsoft.Compute/disks/delete');
  expect(left().disks).toHaveLength(2);
});

test('S11 retiring takes the application-consistent points with it, and where an older point came home the final snapshots stay', async () => {
  await lab.world.powerOn(lab.world.machine(group, machine));
  await lab.source.ensureApplicationPoint({ ...(await lab.pointRequest()), number: 1 }, quiet());
  await lab.stop();
  const wanted = { ...(await lab.pointRequest()), number: 2, final: true };
  const final = await lab.source.ensureRecoveryPoint(wanted, quiet());
  const retire = { ...(await lab.retireRequest(final)), applicationPoints: true, keepFinal: true };
  expect((await lab.source.observeRemains(retire, quiet())).at(-1)).toMatch(/^restore point collection homeward-/);
  await lab.source.ensureRetired(retire, quiet());
  const kept = final.disks.map(({ id }) => id.split('/').at(-1));
  expect(left().snapshots).toEqual(expect.arrayContaining([...kept, 'backup-of-someone']));
  expect(lab.world.restorePoints.collections.size).toBe(0);
  expect(await lab.source.observeRemains(retire, quiet())).toEqual(
    expect.arrayContaining(kept.map((name) => `snapshot ${name}`)),
  );
});

test('S2 the final snapshots that an earlier run keeps survive the commit of the next run, and what else it left of these disks goes', async () => {
  await lab.source.ensureRetired({ ...request, keepFinal: true }, quiet());
  const kept = left().snapshots;
  expect(kept).toHaveLength(3);
  // Failed over anew: the same names, other disks, and a run of its own.
  const disks = request.disks.map((disk) => ({ ...disk, identity: `${disk.identity}-anew` }));
  const next = { ...request, run: 'the next run', disks };
  expect(await lab.source.observeRemains(next, quiet())).toEqual([]);
  await lab.source.ensureRetired(next, quiet());
  // Not even where the disks are taken for the same ones.
  await lab.source.ensureRetired({ ...next, disks: request.disks }, quiet());
  expect(left().snapshots).toEqual(kept);
  for (const one of lab.world.snapshots.values()) one.tags = { ...one.tags, 'homeward-final': 'false' };
  await lab.source.ensureRetired(next, quiet());
  expect(left().snapshots).toEqual(kept);
  await lab.source.ensureRetired({ ...next, disks: request.disks }, quiet());
  expect(left().snapshots).toEqual(['backup-of-someone']);
});
