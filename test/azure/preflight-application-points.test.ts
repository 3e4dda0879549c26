/** What application-consistent points cover, one machine for each answer, and the rights they need at Azure's edge. */
import type { CachingTypes, VirtualMachine } from '@azure/arm-compute';
import type { Check } from '../../model/check.ts';
import { answers, type Facts } from '../../sites/azure/preflight-application-points.ts';
import { type AzureLab, group, machine, openAzureLab, path, quiet } from './azure-lab.ts';

const wish = { everySeconds: 14_400, keep: 2 };
const vm = (size: string, osType: 'Linux' | 'Windows', caching: readonly CachingTypes[]): VirtualMachine => ({
  location: 'westeurope',
  hardwareProfile: { vmSize: size },
  storageProfile: {
    osDisk: { createOption: 'Attach', name: 'os', osType, caching: caching[0] ?? 'None' },
    dataDisks: caching
      .slice(1)
      .map((each, lun) => ({ createOption: 'Attach', lun, name: `data-${lun}`, caching: each })),
  },
});
const good: Facts = {
  vm: vm('Standard_D2s_v5', 'Windows', ['None', 'ReadOnly', 'None']),
  disks: [{ disk: 'os', seen: { location: 'westeurope', name: 'os' } }],
  points: 3,
};
const of = (checks: readonly Check[], id: string) => checks.find((check) => check.id === id);

test('S001-13 a machine whose applications can be held still, with all its disks, passes every check of such points', () => {
  const checks = answers(path, good, wish);
  expect(checks.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
  expect(checks).toHaveLength(7);
});

test.each<[string, Facts, typeof wish, string]>([
  ['application-point-guest', { ...good, vm: vm('Standard_D2s_v5', 'Linux', ['None']) }, wish, 'scripts'],
  ['application-point-rate', good, { ...wish, everySeconds: 600 }, 'three an hour'],
  ['application-point-rate', good, { ...wish, everySeconds: 3_600 }, 'three hours'],
  ['application-point-limit', { ...good, points: 498 }, wish, '498 of 500'],
  [
    'application-point-one-moment',
    { ...good, vm: vm('Standard_D4s_v6', 'Windows', ['None', 'None', 'None']) },
    wish,
    '2 data disks',
  ],
  [
    'application-point-one-moment',
    { ...good, vm: vm('Standard_E4as_v7', 'Windows', ['None', 'None', 'None']) },
    wish,
    '2 data disks',
  ],
  [
    'application-point-host-cache',
    { ...good, vm: vm('Standard_D2s_v5', 'Windows', ['None', 'ReadWrite']) },
    wish,
    'data-0',
  ],
  [
    'application-point-cover',
    { ...good, disks: [{ disk: 'os', seen: { location: 'westeurope', name: 'shared-one', maxShares: 2 } }] },
    wish,
    'shared-one',
  ],
  ['application-point-cover', { ...good, disks: [{ disk: 'os', seen: undefined }] }, wish, 'ephemeral'],
  [
    'application-point-copy',
    { ...good, disks: [{ disk: 'os', seen: { location: 'westeurope', sku: { name: 'PremiumV2_LRS' } } }] },
    wish,
    '15 minutes',
  ],
])('S001-13 %s warns, and says what to do', (id, facts, policy, seen) => {
  const check = of(answers(path, facts, policy), id);
  expect(check).toMatchObject({ verdict: 'warn', remedy: expect.stringMatching(/\w/) });
  expect(`${check?.seen} ${check?.remedy}`).toContain(seen);
});

test.each([
  ['an AMD size of the sixth generation', 'Standard_E4as_v6', 3],
  ['a newer size with one data disk', 'Standard_D4s_v6', 2],
  ['a size with constrained cores of an older generation', 'Standard_E8-4s_v5', 3],
])('S001-13 %s is not warned of', (_what, size, disks) => {
  const facts = {
    ...good,
    vm: vm(
      size,
      'Windows',
      Array.from({ length: disks }, () => 'None' as const),
    ),
  };
  expect(of(answers(path, facts, wish), 'application-point-one-moment')?.verdict).toBe('pass');
});

describe('at the edge of Azure', () => {
  let lab: AzureLab;
  afterEach(() => lab.close());
  const checksWith = (applicationPoints?: typeof wish) =>
    lab.source.preflight(
      { path, guestAgentWithinSeconds: 0, ...(applicationPoints ? { applicationPoints } : {}) },
      quiet(),
    );

  test('the rights on restore points are asked for only where the policy takes them, and what is missing is named', async () => {
    const action = 'Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints/beginGetAccess/action';
    lab = await openAzureLab({ deniedActions: [action] });
    const rights = async (applicationPoints?: typeof wish) =>
      of(await checksWith(applicationPoints), 'azure-permissions');
    expect((await rights())?.verdict).toBe('pass');
    expect(await rights(wish)).toMatchObject({ verdict: 'refuse', seen: `missing on ${group}: ${action}` });
  });

  test('restore points of the machine are counted in every collection of it, and nothing is changed by asking', async () => {
    lab = await openAzureLab({ restorePointsPerHour: 9 });
    await lab.world.powerOn(lab.world.machine(group, machine));
    const request = await lab.pointRequest();
    await lab.source.ensureApplicationPoint({ ...request, number: 1 }, quiet());
    await lab.source.ensureApplicationPoint({ ...request, run: 'another', number: 1 }, quiet());
    lab.calls();
    const checks = await checksWith(wish);
    expect(of(checks, 'application-point-limit')?.seen).toBe('2 of 500 restore points of the machine exist');
    expect(lab.calls().filter((call) => !/\.(get|list\w*)$|^entra\./.test(call))).toEqual([]);
  });
});
