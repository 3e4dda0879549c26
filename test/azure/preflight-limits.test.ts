/**
 * The source's checks on kinds of disks and machines, keys, limits and quotas: for each what passes and what does not.
 * Rule: one simulator for all; each test changes one thing behind the wire, and what it changed is put back after it.
 */
import type { Disk, Machine } from '../../lab/azure/resources.ts';
import type { Check, Verdict } from '../../model/check.ts';
import { type AzureLab, failureOf, group, machine, openAzureLab, path, quiet, run } from './azure-lab.ts';

let lab: AzureLab;
beforeAll(async () => {
  lab = await openAzureLab();
});
afterAll(() => lab.close());

const dataKey = `${group}/erp-db-data`;
const vmKey = `${group}/erp-db`;
let before: { data: Disk; machine: Machine; settings: object };
beforeEach(() => {
  const { world } = lab;
  before = {
    data: world.disk(group, 'erp-db-data'),
    machine: world.machine(group, 'erp-db'),
    settings: { ...world.settings, deniedIn: {}, deniedActions: [], locks: [] },
  };
});
afterEach(() => {
  const { world } = lab;
  world.disks.set(dataKey, before.data);
  world.machines.set(vmKey, before.machine);
  world.snapshots.clear();
  world.encryptionSets.clear();
  Object.assign(world.settings, before.settings);
});

const ofData = (more: Partial<Disk>): void => void lab.world.disks.set(dataKey, { ...before.data, ...more });
const ofMachine = (more: Partial<Machine>): void => void lab.world.machines.set(vmKey, { ...before.machine, ...more });
const settings = (more: object): void => void Object.assign(lab.world.settings, more);

const checksOf = (): Promise<Check[]> => lab.source.preflight({ path, guestAgentWithinSeconds: 900 }, quiet());
/** The one check of this name that is not passed, or else the first that is. */
async function worst(id: string): Promise<Check> {
  const found = (await checksOf()).filter((check) => check.id === id);
  const check = found.find(({ verdict }) => verdict !== 'pass') ?? found[0];
  if (!check) throw new Error(`no check is called ${id}`);
  return check;
}

const setId = `/subscriptions/s/resourceGroups/rg-keys/providers/Microsoft.Compute/diskEncryptionSets/des-1`;
const ids = [
  'source-managed-disks',
  'source-disk-shared',
  'source-disk-write-accelerator',
  'source-disk-filled',
  'source-disk-encryption',
  'source-disk-encryption-key',
  'source-security-type',
  'snapshot-quota',
  'snapshot-rate',
  'snapshot-grants',
  'azure-vcpu-quota',
  'azure-locks',
  'source-disk-maker',
  'azure-permissions',
  'azure-permissions-commit',
];

test('R7 an ordinary machine passes every check on disks, keys, limits, quotas and rights, and each says what it saw', async () => {
  const checks = await checksOf();
  for (const id of ids) {
    const found = checks.filter((check) => check.id === id);
    expect([id, found.length > 0, found.every(({ verdict }) => verdict === 'pass')]).toEqual([id, true, true]);
    expect(found.every(({ seen }) => seen.length > 5)).toBe(true);
  }
});

interface Wrong {
  readonly verdict: Verdict;
  readonly seen: RegExp;
  readonly remedy: RegExp;
  make(): unknown;
}

const wrongs: readonly (readonly [string, string, Wrong])[] = [
  [
    'an OS disk that lives on the host',
    'source-managed-disks',
    {
      verdict: 'refuse',
      seen: /disk os is ephemeral/,
      remedy: /move the machine to a managed OS disk/,
      make: () => ofMachine({ ephemeral: true }),
    },
  ],
  [
    'a disk that is a blob in a storage account',
    'source-managed-disks',
    {
      verdict: 'refuse',
      seen: /disk data-0 is not a managed disk/,
      remedy: /Convert it to a managed disk/,
      make: () => ofMachine({ unmanaged: new Set(['erp-db-data']) }),
    },
  ],
  [
    'a disk that three machines may share',
    'source-disk-shared',
    {
      verdict: 'refuse',
      seen: /erp-db-data may be shared by 3 machines/,
      remedy: /Set maxShares to 1/,
      make: () => ofData({ maxShares: 3 }),
    },
  ],
  [
    'a disk that is written through Write Accelerator',
    'source-disk-write-accelerator',
    {
      verdict: 'refuse',
      seen: /erp-db-data is written through Write Accelerator/,
      remedy: /--write-accelerator <lun>=false/,
      make: () => ofMachine({ accelerated: new Set(['erp-db-data']) }),
    },
  ],
  [
    'a disk that Azure still fills',
    'source-disk-filled',
    {
      verdict: 'wait',
      seen: /Azure has filled 40 % of erp-db-data/,
      remedy: /asks again by itself/,
      make: () => ofData({ filledPercent: 40 }),
    },
  ],
  [
    'a disk that Azure has not filled within a day',
    'source-disk-filled',
    {
      verdict: 'refuse',
      seen: /filled 40 %/,
      remedy: /look at the disk in the Azure portal/,
      make: () => ofData({ filledPercent: 40, timeCreated: new Date(Date.now() - 25 * 3_600_000).toISOString() }),
    },
  ],
  [
    'a disk that is encrypted inside the guest',
    'source-disk-encryption',
    {
      verdict: 'refuse',
      seen: /Azure Disk Encryption; its key stays in Azure Key Vault/,
      remedy: /let the disk be decrypted/,
      make: () => ofData({ guestEncrypted: true }),
    },
  ],
  [
    'a key of the customer’s whose set does not exist',
    'source-disk-encryption-key',
    {
      verdict: 'refuse',
      seen: /disk encryption set des-1 does not exist any more/,
      remedy: /another set, or with a key of the platform/,
      make: () => ofData({ encryptionSet: setId }),
    },
  ],
  [
    'a key of the customer’s whose set may not be read',
    'source-disk-encryption-key',
    {
      verdict: 'refuse',
      seen: /disk encryption set des-1 may not be read/,
      remedy: /Microsoft\.Compute\/diskEncryptionSets\/read on it, in resource group rg-keys/,
      make: () => {
        ofData({ encryptionSet: setId });
        settings({ deniedIn: { 'rg-keys': ['Microsoft.Compute/diskEncryptionSets/read'] } });
      },
    },
  ],
  [
    'a key of the customer’s that the set may not use any more',
    'source-disk-encryption-key',
    {
      verdict: 'warn',
      seen: /cannot take its key’s newest version: the vault is gone/,
      remedy: /may still use its key/,
      make: () => {
        ofData({ encryptionSet: setId });
        lab.world.encryptionSets.set('rg-keys/des-1', { rotationError: 'the vault is gone' });
      },
    },
  ],
  [
    'a confidential machine',
    'source-security-type',
    {
      verdict: 'refuse',
      seen: /security type is ConfidentialVM/,
      remedy: /convert the machine/,
      make: () => ofMachine({ securityType: 'ConfidentialVM' }),
    },
  ],
  [
    'a machine with trusted launch',
    'source-security-type',
    {
      verdict: 'warn',
      seen: /virtual TPM’s state cannot leave Azure/,
      remedy: /recovery keys/,
      make: () => ofMachine({ securityType: 'TrustedLaunch' }),
    },
  ],
  [
    'no room beside the machine in the region’s quota',
    'azure-vcpu-quota',
    {
      verdict: 'warn',
      seen: /Standard_D2s_v5 has 2 vCPUs; Total Regional vCPUs: 2 of 3 in use, .* there is no room beside them/,
      remedy: /Ask for more cores and standardDSv5Family in westeurope/,
      make: () => settings({ vCpuLimit: 3 }),
    },
  ],
  [
    'a size that the region does not offer',
    'azure-vcpu-quota',
    {
      verdict: 'warn',
      seen: /westeurope does not offer the size Standard_Old_v1 any more/,
      remedy: /choose a size that there is/,
      make: () => ofMachine({ vmSize: 'Standard_Old_v1' }),
    },
  ],
  [
    'a quota that may not be looked at',
    'azure-vcpu-quota',
    {
      verdict: 'warn',
      seen: /does not let us see the vCPU quota/,
      remedy: /locations\/usages\/read and .*skus\/read on the subscription/,
      make: () => settings({ deniedActions: ['Microsoft.Compute/locations/usages/read'] }),
    },
  ],
  [
    'a right that only the commit needs',
    'azure-permissions-commit',
    {
      verdict: 'refuse',
      seen: /missing on rg-failover for the deletion after the commit: Microsoft\.Compute\/virtualMachines\/delete/,
      remedy: /Access control/,
      make: () => settings({ deniedActions: ['Microsoft.Compute/virtualMachines/delete'] }),
    },
  ],
];

test.each(wrongs)('R7 C9 %s is told by %s with what was seen and what to do', async (_what, id, wrong) => {
  await wrong.make();
  expect(await worst(id)).toMatchObject({
    verdict: wrong.verdict,
    seen: expect.stringMatching(wrong.seen),
    remedy: expect.stringMatching(wrong.remedy),
  });
});

test.each([
  ['the group', { group, name: 'keep' }, /^lock keep \(CanNotDelete\) on rg-failover or on what is to come home/],
  [
    'a disk of ours',
    { group, resource: 'disks/erp-db-data', name: 'mine', level: 'ReadOnly' },
    /^lock mine \(ReadOnly\)/,
  ],
])('R7 a lock on %s is refused, because nothing of it could be deleted', async (_on, lock, seen) => {
  settings({ locks: [{ level: 'CanNotDelete', ...lock }] });
  expect(await worst('azure-locks')).toMatchObject({
    ...{ verdict: 'refuse', seen: expect.stringMatching(seen) },
    remedy: expect.stringContaining('under Locks of rg-failover'),
  });
});

test('a locked group keeps its snapshots in the simulator too, and whoever is refused is told of the lock', async () => {
  await backups([9e6]);
  const [one] = lab.world.snapshots.values();
  const ours = { 'homeward-run': run, 'homeward-machine': machine, 'homeward-disk': 'data-0', 'homeward-point': '1' };
  if (one) lab.world.snapshots.set(`${group}/backup-0`, { ...one, tags: ours });
  settings({ locks: [{ group, name: 'keep', level: 'CanNotDelete' }] });
  const failure = await failureOf(lab.source.releaseRecoveryPoints({ path, run, machine, before: 2 }, quiet()));
  expect(failure).toMatchObject({ kind: 'Refused', hint: expect.stringContaining('remove the lock') });
});

test('R7 a lock on somebody else’s resource is in nobody’s way, and one that may not be looked for is a warning', async () => {
  settings({ locks: [{ group, resource: 'disks/another', name: 'theirs', level: 'CanNotDelete' }] });
  expect((await worst('azure-locks')).verdict).toBe('pass');
  settings({ locks: [], deniedActions: ['Microsoft.Authorization/locks/read'] });
  expect(await worst('azure-locks')).toMatchObject({
    verdict: 'warn',
    remedy: expect.stringContaining('Microsoft.Authorization/locks/read'),
  });
});

test('the tags that Azure Site Recovery leaves on a disk are shown, and nothing is refused for them', async () => {
  const makers = async () => (await checksOf()).filter((check) => check.id === 'source-disk-maker');
  expect((await makers()).map(({ seen }) => seen)).toEqual(['no tag tells who made it', 'no tag tells who made it']);
  ofData({ tags: { 'AzHydration-ManagedDisk-CreatedBy': 'Azure Site Recovery' } });
  const [, data] = await makers();
  expect(data).toMatchObject({ verdict: 'pass', seen: 'AzHydration-ManagedDisk-CreatedBy: Azure Site Recovery' });
});

test('a key of the customer’s whose set is in order passes', async () => {
  ofData({ encryptionSet: setId });
  lab.world.encryptionSets.set('rg-keys/des-1', {});
  const keys = (await checksOf()).filter((check) => check.id === 'source-disk-encryption-key');
  expect(keys.map(({ verdict, seen }) => [verdict, seen])).toEqual([
    ['pass', 'encrypted at rest with a key of the platform'],
    ['pass', 'encrypted at rest with disk encryption set des-1'],
  ]);
});

/** Snapshots of the data disk that a backup took, `agoMs` each. */
async function backups(agoMs: readonly number[]): Promise<void> {
  const { world } = lab;
  const id = `/subscriptions/${world.file.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Compute/disks/erp-db-data`;
  for (const [at, ago] of agoMs.entries()) {
    const one = await world.createSnapshot(group, `backup-${at}`, before.data, id, {});
    const timeCreated = new Date(Date.now() - ago).toISOString();
    world.snapshots.set(`${group}/backup-${at}`, { ...one, timeCreated, state: 'Succeeded' });
  }
}

test('R7 seven snapshots that others took within five minutes are waited for, until the oldest is old enough', async () => {
  await backups([240_000, 200_000, 150_000, 100_000, 90_000, 80_000]);
  expect((await worst('snapshot-rate')).verdict).toBe('pass');
  await backups([240_000, 200_000, 150_000, 100_000, 90_000, 80_000, 70_000]);
  const waits = await worst('snapshot-rate');
  expect(waits).toMatchObject({ verdict: 'wait', seen: expect.stringContaining('7 of 7') });
  const left = Date.parse(waits.wait?.until ?? '') - Date.now();
  expect(left).toBeGreaterThan(50_000);
  expect(left).toBeLessThanOrEqual(60_000);
});

test('R7 snapshots that others hold open leave room for two more, or are refused by name', async () => {
  await backups([9e6, 8e6, 7e6, 6e6]);
  const open = (from: number, to: number): void => {
    for (const one of [...lab.world.snapshots.values()].slice(from, to))
      lab.world.grants.begin(`snapshot/${one.uniqueId}`, one.name, before.data.uniqueId, 600, 'Read');
  };
  open(0, 3);
  expect((await worst('snapshot-grants')).verdict).toBe('pass');
  open(3, 4);
  expect(await worst('snapshot-grants')).toMatchObject({
    verdict: 'refuse',
    seen: expect.stringContaining('4 of 5 snapshots of the disk are open for reading: backup-0, backup-1'),
    remedy: expect.stringContaining('az snapshot revoke-access'),
  });
  // The same four, but two of them are a run's of ours, which gives them back itself.
  const tags = { 'homeward-run': run, 'homeward-machine': machine, 'homeward-disk': 'data-0', 'homeward-point': '1' };
  for (const at of [0, 1]) {
    const one = lab.world.snapshots.get(`${group}/backup-${at}`);
    if (one) lab.world.snapshots.set(`${group}/backup-${at}`, { ...one, tags });
  }
  expect((await worst('snapshot-grants')).verdict).toBe('warn');
});

test('R7 460 snapshots of a disk are a warning, 498 leave no room for a run and are refused', async () => {
  await backups([9e6]);
  const [one] = lab.world.snapshots.values();
  const make = (count: number): void => {
    for (let at = 1; at < count && one; at++)
      lab.world.snapshots.set(`${group}/copy-${at}`, { ...one, name: `copy-${at}` });
  };
  make(460);
  expect(await worst('snapshot-quota')).toMatchObject({ verdict: 'warn', seen: expect.stringContaining('460 of 500') });
  make(498);
  expect(await worst('snapshot-quota')).toMatchObject({
    verdict: 'refuse',
    remedy: expect.stringMatching(/^Delete old/),
  });
});

test('S000-15 S001-1 a machine that was moved to another resource group is refused with where it is now', async () => {
  lab.world.machines.delete(vmKey);
  lab.world.machines.set('rg-elsewhere/erp-db', { ...before.machine, resourceGroup: 'rg-elsewhere' });
  const moved = await worst('source-resource-group');
  lab.world.machines.delete('rg-elsewhere/erp-db');
  expect(moved).toMatchObject({
    verdict: 'refuse',
    requirement: 'S000-15',
    seen: expect.stringMatching(/not in the resource group of the inventory.*resourceGroups\/rg-elsewhere/),
    remedy: expect.stringContaining('new resource group into the inventory'),
  });
});

test('S000-12 what the guest runs is what its disk and the agent in it tell, and without an agent only its family is known', async () => {
  const os = async () => (await lab.source.observeMachine(path, quiet())).os;
  expect(await os()).toEqual({ family: 'linux' });
  ofMachine({ osType: 'Windows', osName: 'Windows Server 2008 R2 Datacenter', osVersion: '6.1.7601' });
  expect(await os()).toEqual({ family: 'windows', name: 'Windows Server 2008 R2 Datacenter 6.1.7601' });
});

test('S000-15 a machine that is where the inventory says passes', async () => {
  expect(await worst('source-resource-group')).toMatchObject({ verdict: 'pass', requirement: 'S000-15' });
});
