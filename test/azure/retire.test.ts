/** The clean-up after the commit: what is deleted, and what never is, against the lab's simulator. */
import type { RetireRequest } from '../../sites/source.ts';
import { type AzureLab, failureOf, group, openAzureLab, path, quiet } from './azure-lab.ts';

let lab: AzureLab;
let request: RetireRequest;
beforeEach(async () => {
  lab = await openAzureLab();
  await lab.source.ensureStopped(path, quiet());
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
  const deleted = await lab.source.ensureRetired(request, quiet());
  expect(left()).toEqual({ vms: [], disks: [], nics: [], snapshots: ['backup-of-someone'] });
  expect(deleted.slice(0, 4)).toEqual([
    'virtual machine erp-db',
    'network interface erp-db-nic',
    'disk erp-db-os',
    'disk erp-db-data',
  ]);
  expect(deleted.slice(4)).toEqual([
    expect.stringMatching(/^snapshot homeward-/),
    expect.stringMatching(/^snapshot homeward-/),
  ]);
  expect(await lab.source.observeRemains(request, quiet())).toEqual([]);
});

test('what remains is named before, and nothing is named after', async () => {
  const remains = await lab.source.observeRemains(request, quiet());
  expect(remains).toHaveLength(6);
  expect(remains[0]).toBe('virtual machine erp-db');
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
