/**
 * The plan of a machine that is made at an alternate location: what is taken from the source, what from the inventory,
 * and what cannot be worked out and is refused.
 */
import { blocking } from '../../model/check.ts';
import { locationCheck, mostDisks, planCreation, type SourceShape, wayOf } from '../../model/creation.ts';
import type { SourceDisk } from '../../model/machine.ts';
import { type CreateSection, createSection } from '../../model/new-place.ts';

const target = { site: 'dr', path: '/DC1/vm/back/erp-db' };
const GiB = 2 ** 30;

const shape: SourceShape = {
  ...{ size: 'Standard_D4s_v5', cpus: 4, memoryMiB: 16384, firmware: 'efi', system: 'linux' },
  nics: [
    { name: 'nic-a', mac: '00:0D:3A:00:00:01', subnet: 'front', ip: '10.1.0.4' },
    { name: 'nic-b', mac: '00:0D:3A:00:00:02', subnet: 'back', ip: '10.2.7.9' },
  ],
};
const disks = (count: number): SourceDisk[] =>
  Array.from({ length: count }, (_, at) => ({
    ...{ disk: at === 0 ? 'os' : `data-${at - 1}`, id: `d${at}`, name: `d${at}`, sizeBytes: (at + 1) * GiB },
    ...{ sectorBytes: 512, identity: `u${at}`, sku: 'Premium_LRS' },
  }));
const create = (more: Partial<CreateSection> = {}): CreateSection =>
  createSection.parse({ cluster: '/DC1/host/C0', datastore: 'ds', network: 'VM Network', ...more });
const plan = (more: Partial<CreateSection> = {}, of: Partial<SourceShape> = {}, count = 2) =>
  planCreation(target, create(more), { ...shape, ...of }, disks(count));
const refused = (made: ReturnType<typeof plan>): string[] =>
  blocking(made.checks).map(({ id, seen }) => `${id}: ${seen}`);

test('S000-24 size and firmware are those of the source unless the inventory says otherwise; disks get slots by LUN', () => {
  const made = plan();
  expect(made.machine).toEqual({
    ...{ compute: '/DC1/host/C0', datastore: 'ds', firmware: 'efi', cpus: 4, memoryMiB: 16384 },
    ...{ guestId: 'otherLinux64Guest', onNameClash: 'refuse', controller: 'pvscsi' },
    nics: [
      { name: 'nic-a', network: 'VM Network', ip: { was: '10.1.0.4', becomes: '10.1.0.4' } },
      { name: 'nic-b', network: 'VM Network', ip: { was: '10.2.7.9', becomes: '10.2.7.9' } },
    ],
  });
  expect(made.pairs.map(({ disk, target: { slot, file, sizeBytes } }) => [disk, slot, file, sizeBytes])).toEqual([
    ['os', '1000:0', '[ds] erp-db/erp-db.vmdk', GiB],
    ['data-0', '1000:1', '[ds] erp-db/erp-db_1.vmdk', 2 * GiB],
  ]);
  expect(plan({ firmware: 'bios', cpus: 1, memoryMiB: 512, guestId: 'rhel9_64Guest' }).machine).toMatchObject({
    ...{ firmware: 'bios', cpus: 1, memoryMiB: 512, guestId: 'rhel9_64Guest' },
  });
  expect(plan({}, { firmware: 'bios', system: 'windows' }).machine).toMatchObject({
    ...{ firmware: 'bios', guestId: 'windows2019srv_64Guest' },
  });
});

test('disks go round the seventh unit and on to the next controller, and more than four controllers take are refused', () => {
  const slots = plan({}, {}, 17).pairs.map((pair) => pair.target.slot);
  expect([slots[6], slots[7], slots[14], slots[15], slots[16]]).toEqual([
    ...['1000:6', '1000:8', '1000:15', '1001:0', '1001:1'],
  ]);
  expect(new Set(plan({}, {}, mostDisks).pairs.map((pair) => pair.target.slot)).size).toBe(mostDisks);
  expect(refused(plan({}, {}, mostDisks))).toEqual([]);
  const over = plan({}, {}, mostDisks + 1);
  expect(refused(over)).toEqual([
    'new-disk-slots: the source has 61 disks; a machine of four SCSI controllers takes 60',
  ]);
  expect(over.machine).toBeUndefined();
});

test('Windows on a controller whose driver only VMware Tools bring is told before anything is made', () => {
  const check = (more: Partial<CreateSection>, of: Partial<SourceShape>) =>
    plan(more, of).checks.find(({ id }) => id === 'new-controller-driver');
  expect(check({}, {})).toMatchObject({ verdict: 'pass' });
  expect(check({}, { system: 'windows' })).toMatchObject({
    verdict: 'warn',
    remedy: expect.stringContaining('create.controller: lsilogic-sas'),
  });
  expect(check({ controller: 'lsilogic-sas' }, { system: 'windows' })).toMatchObject({ verdict: 'pass' });
});

test('what the source does not tell must be in the inventory, and the check names the keys', () => {
  const { cpus: _cpus, memoryMiB: _memory, firmware: _firmware, ...bare } = shape;
  const made = planCreation(target, create(), bare, disks(1));
  expect(refused(made)).toEqual([
    'new-machine-shape: the source does not tell cpus, memoryMiB, firmware of its size Standard_D4s_v5',
  ]);
  expect(made.checks.find(({ id }) => id === 'new-machine-shape')?.remedy).toBe(
    'Write create.cpus, create.memoryMiB, create.firmware in the inventory.',
  );
  expect(made.machine).toBeUndefined();
  const said = planCreation(target, create({ cpus: 2, memoryMiB: 4096, firmware: 'efi' }), bare, disks(1));
  expect(refused(said)).toEqual([]);
});

test('R6 a NIC gets the network of its subnet, else the one for all, else it is refused by name', () => {
  const networks = { front: 'DMZ' };
  expect(plan({ networks }).machine?.nics.map(({ network }) => network)).toEqual(['DMZ', 'VM Network']);
  const { network: _all, ...none } = create({ networks });
  const made = planCreation(target, none, shape, disks(1));
  expect(refused(made)).toEqual(['new-network: no rule gives NIC nic-b of subnet back a network']);
  expect(made.machine).toBeUndefined();
});

test('R6 C11 MACs are new, kept, or given by NIC; one that is not known cannot be kept', () => {
  const macs = (more: Partial<CreateSection>, of: Partial<SourceShape> = {}) =>
    plan(more, of).machine?.nics.map(({ mac }) => mac);
  expect(macs({})).toEqual([undefined, undefined]);
  expect(macs({ macs: 'keep' })).toEqual(['00:0d:3a:00:00:01', '00:0d:3a:00:00:02']);
  expect(macs({ macs: { 'nic-b': '00:50:56:AA:00:01' } })).toEqual([undefined, '00:50:56:aa:00:01']);
  expect(refused(plan({ macs: 'keep' }, { nics: [{ name: 'nic-a' }] }))).toEqual([
    'new-mac: Azure does not tell the MAC of NIC nic-a',
  ]);
  expect(refused(plan({ macs: { nobody: '00:50:56:aa:00:01' } }))).toEqual([
    'new-mac: create.macs names nobody, but the source has no such NIC',
  ]);
});

test('R6 C11 addresses are kept, or change by the narrowest rule with their host part kept; one without a rule is refused', () => {
  const ips = { '10.0.0.0/8': '172.0.0.0/8', '10.2.0.0/16': '192.168.0.0/16' };
  const made = plan({ ips });
  expect(made.machine?.nics.map(({ ip }) => ip?.becomes)).toEqual(['172.1.0.4', '192.168.7.9']);
  expect(made.checks.find(({ id }) => id === 'new-address')).toMatchObject({
    verdict: 'warn',
    seen: 'nic-a: VM Network, MAC new, planned: 10.1.0.4 becomes 172.1.0.4 (set in the guest by you); nic-b: VM Network, MAC new, planned: 10.2.7.9 becomes 192.168.7.9 (set in the guest by you)',
    remedy: expect.stringContaining('in the guest'),
  });
  expect(plan().checks.find(({ id }) => id === 'new-address')).toMatchObject({
    verdict: 'pass',
    seen: 'nic-a: VM Network, MAC new, keeps 10.1.0.4; nic-b: VM Network, MAC new, keeps 10.2.7.9',
  });
  expect(refused(plan({ ips: { '10.1.0.0/24': '192.168.1.0/24' } }))).toEqual([
    'new-address: no rule of create.ips fits 10.2.7.9 of NIC nic-b',
  ]);
  expect(refused(plan({ ips: { '10.1.0.0/24': '192.168.1.0/24' } }, { nics: [{ name: 'later' }] }))).toEqual([]);
});

test('S000-18 the location that was chosen is one of the checks, in words', () => {
  expect(locationCheck(target, undefined)).toMatchObject({
    id: 'location-chosen',
    seen: 'original location: the machine that stands at dr /DC1/vm/back/erp-db is written and started again',
  });
  expect(locationCheck(target, create())).toMatchObject({
    seen: 'alternate location: a new machine is made at dr /DC1/vm/back/erp-db, on /DC1/host/C0 and datastore ds',
  });
  expect([wayOf({ policy: { write: 'staged' } }), wayOf({ create: create(), policy: { write: 'staged' } })]).toEqual([
    'staged',
    'created',
  ]);
});
