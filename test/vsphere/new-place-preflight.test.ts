/**
 * Each check of an alternate location, asked once where it passes and once where it does not.
 * Rule: trouble is made in the simulator or in the plan. Every refusal must carry a remedy.
 */
import { blocking, type Check } from '../../model/check.ts';
import type { NewMachine } from '../../model/creation.ts';
import type { NewPlacePreflight } from '../../sites/target.ts';
import { cluster, newPlaceRequest, pairsOf, planOf } from './new-place.ts';
import {
  answering,
  MiB,
  moverName,
  moverPath,
  onSimulator,
  original,
  pathOf,
  quietWork,
  runB,
  type Simulator,
  type TargetOptions,
} from './simulator.ts';

let simulator: Simulator;
const work = quietWork();
const biosUuid = '4229a7c4-0000-4000-8000-00000000abcd';
const mac = '00:50:56:0a:0b:0c';

const nics = [{ network: 'VM Network', mac }];
onSimulator([original('taken'), { ...original('twin'), nics, uuid: biosUuid }], (started) => {
  simulator = started;
});
afterEach(() => simulator.door('POST', '/privileges', { deny: [] }));

async function ask(
  change: Partial<NewMachine> = {},
  request: Partial<NewPlacePreflight> = {},
  options: TargetOptions = {},
): Promise<Check[]> {
  const asked = {
    path: pathOf('fresh'),
    mover: moverPath,
    pairs: pairsOf('fresh'),
    machine: planOf(change),
    ...request,
  };
  const checks = await simulator.target(options).preflightNewPlace(asked, work);
  expect(checks.filter((one) => one.verdict !== 'pass' && !one.remedy)).toEqual([]);
  return checks;
}
const refused = (checks: readonly Check[]): string[] => blocking(checks).map((one) => `${one.id}: ${one.seen}`);
const nic = (network: string) => ({ nics: [{ name: 'nic-0', network }] });

test('S000-10 S000-24 S000-25 a place that has all it needs passes every check, whatever kind of compute it is', async () => {
  const places = [cluster, `${cluster}/DC0_C0_H1`, `${cluster}/Resources`];
  for (const compute of places) {
    const checks = await ask({ compute, biosUuid: '4229a7c4-0000-4000-8000-000000000001' });
    expect(checks.filter((one) => one.verdict !== 'pass')).toEqual([]);
    expect(new Set(checks.map((one) => one.id))).toEqual(
      new Set([
        ...['vcenter-reachable', 'vcenter-login', 'vcenter-edition', 'mover-found', 'mover-powered-on'],
        ...['mover-no-snapshots', 'mover-free-slots', 'mover-disk-uuids-visible', 'new-disk-size', 'new-folder-found'],
        'datastore-largest-disk',
        ...['mover-not-target', 'mover-host', 'vcenter-clock'],
        ...['new-compute-found', 'new-host-ready', 'new-network-found', 'new-name-free', 'new-uuid-free'],
        ...['new-mac-free', 'datastore-on-new-host', 'datastore-on-mover-host', 'datastore-free-space'],
        'vcenter-privileges',
      ]),
    );
  }
  const distributed = await ask(nic('DC0_DVPG0'));
  expect(refused(distributed)).toEqual([]);
});

test('S000-10 another vCenter that cannot be reached is one refused check', async () => {
  const asked = { path: pathOf('fresh'), mover: moverPath, pairs: pairsOf('fresh'), machine: planOf() };
  const checks = await simulator.target({ ca: undefined }).preflightNewPlace(asked, work);
  expect(blocking(checks).map(({ id }) => id)).toEqual(['vcenter-reachable']);
});

test('S000-10 S000-24 a folder, a place, a network or a datastore that does not exist is refused by name', async () => {
  expect(refused(await ask({}, { path: '/DC0/vm/nowhere/fresh' }))).toEqual([
    'new-folder-found: no folder for machines stands at /DC0/vm/nowhere',
  ]);
  expect(refused(await ask({ compute: '/DC0/host/nowhere' }))).toEqual([
    'new-compute-found: no host, cluster or resource pool stands at /DC0/host/nowhere',
  ]);
  expect(refused(await ask({ compute: '/DC0/vm' }))).toEqual([
    'new-compute-found: no host, cluster or resource pool stands at /DC0/vm',
  ]);
  expect(refused(await ask(nic('nowhere')))).toEqual(['new-network-found: no host there has a network called nowhere']);
  expect(refused(await ask({ datastore: 'nowhere' }))).toEqual([
    'datastore-on-new-host: this account does not see the datastore nowhere',
    'datastore-on-mover-host: this account does not see the datastore nowhere',
  ]);
});

test('a host in maintenance cannot take the machine, another one of the cluster can', async () => {
  const host = `${cluster}/DC0_C0_H1`;
  await simulator.door('POST', '/maintenance', { host: 'DC0_C0_H1', on: true });
  expect(refused(await ask({ compute: host }))).toEqual(['new-host-ready: DC0_C0_H1 is in maintenance']);
  expect(refused(await ask())).toEqual([]);
  await simulator.door('POST', '/maintenance', { host: 'DC0_C0_H1', on: false });
  expect(refused(await ask({ compute: host }))).toEqual([]);
});

test('a machine that is larger than every host there is refused', async () => {
  expect(refused(await ask({ cpus: 64 }))).toEqual([
    'new-host-ready: DC0_C0_H0 has 2 logical CPUs, 64 needed; DC0_C0_H1 has 2 logical CPUs, 64 needed',
  ]);
  expect(refused(await ask({ compute: `${cluster}/DC0_C0_H1`, memoryMiB: 8192 }))).toEqual([
    'new-host-ready: DC0_C0_H1 has 4095 MiB of memory, 8192 needed',
  ]);
});

test('S000-24 a datastore without room is refused, and a disk no virtual disk could hold, by its name', async () => {
  expect(refused(await ask({}, { pairs: pairsOf('fresh', [2 ** 50]) }))).toEqual([
    `new-disk-size: fresh-os has ${2 ** 50} bytes, a virtual disk at most ${62 * 2 ** 40}`,
    expect.stringMatching(/^datastore-free-space: \d+\.\d [GT]iB free, 1\.0 PiB needed$/),
  ]);
  expect(refused(await ask({}, { pairs: pairsOf('fresh', [MiB + 512]) }))).toEqual([
    `new-disk-size: fresh-os has ${MiB + 512} bytes, and vSphere counts in KiB`,
  ]);
});

test('S000-9 R6 a name, a BIOS UUID or a MAC that another machine has is found and refused with a remedy', async () => {
  expect(refused(await ask({}, { path: pathOf('taken') }))).toEqual(['new-name-free: taken is taken already']);
  const renamed = await ask({ onNameClash: 'suffix' }, { path: pathOf('taken') });
  expect(refused(renamed)).toEqual([]);
  expect(renamed.find(({ id }) => id === 'new-name-free')).toMatchObject({
    verdict: 'warn',
    seen: 'taken is taken already; the new machine will be called taken-2',
  });
  expect(refused(await ask({ biosUuid }))).toEqual([`new-uuid-free: BIOS UUID ${biosUuid} belongs to twin already`]);
  expect(refused(await ask({ nics: [{ name: 'nic-0', network: 'VM Network', mac }] }))).toEqual([
    `new-mac-free: twin has MAC ${mac} in VM Network`,
  ]);
  expect(refused(await ask({ nics: [{ name: 'nic-0', network: 'DC0_DVPG0', mac }] }))).toEqual([]);
});

test('a machine that an earlier run made and never took back is named with that run', async () => {
  const target = simulator.target();
  const earlier = newPlaceRequest('half', { run: runB });
  await target.ensureDisksOpen(earlier, work);
  const checks = await ask({ nics: [] }, { path: pathOf('half') });
  expect(refused(checks)).toEqual([`new-name-free: half is taken already by a machine with the record of run ${runB}`]);
  expect(blocking(checks)[0]?.remedy).toContain(`Let run ${runB} end, or take it back`);
  await target.ensureDisksAbandoned(earlier, work);
  expect(refused(await ask({ nics: [] }, { path: pathOf('half') }))).toEqual([]);
});

test('S000-8 S000-10 privileges that are missing to make a machine are listed by their ids, for each object', async () => {
  const deny = ['VirtualMachine.Inventory.Create', 'Resource.AssignVMToPool', 'Network.Assign'];
  await simulator.door('POST', '/privileges', { deny: [...deny, 'Datastore.FileManagement'] });
  const missing = (await ask())
    .filter(({ verdict }) => verdict === 'refuse')
    .map(({ subject, seen }) => `${subject} ${seen}`);
  expect(missing).toEqual([
    '/DC0/vm missing: VirtualMachine.Inventory.Create',
    `${cluster} missing: Resource.AssignVMToPool`,
    'VM Network missing: Network.Assign',
    'lab-ds missing: Datastore.FileManagement',
  ]);
  await expect(simulator.target().ensureDisksOpen(newPlaceRequest('fresh'), work)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining('missing privilege VirtualMachine.Inventory.Create'),
  });
});

test('a mover that is to take over the disks of a new machine must see their datastore and have room for them', async () => {
  const target = simulator.target();
  const request = { mover: moverPath, datastores: ['lab-ds'], diskSizesBytes: [MiB, MiB] };
  expect(refused(await target.preflightMover(request, work))).toEqual([]);
  expect(
    refused(
      await target.preflightMover({ ...request, datastores: ['other-ds'], diskSizesBytes: Array(40).fill(MiB) }, work),
    ),
  ).toEqual([
    expect.stringMatching(/^mover-free-slots: SCSI slots: \d+ free, 40 needed$/),
    'datastore-on-mover-host: this account does not see the datastore other-ds',
  ]);
  await simulator.door('POST', '/snapshot', { vm: moverName });
  expect(refused(await target.preflightMover(request, work))).toEqual([
    'mover-no-snapshots: homeward-mover has 1 snapshot(s)',
  ]);
  await simulator.door('DELETE', '/snapshot', { vm: moverName });
});

test('S000-9 S1 to the run that made it, its machine is its own; nobody is told to remove a machine that carries a record of ours', async () => {
  const target = simulator.target();
  const uuid = '4229a7c4-0000-4000-8000-00000000beef';
  const nics = [{ name: 'nic-0', network: 'VM Network', mac: '00:50:56:0a:0b:0d' }];
  const made = newPlaceRequest('serving', { run: runB, plan: planOf({ biosUuid: uuid, nics }) });
  await target.ensureDisksOpen(made, work);
  const identity = ['new-name-free', 'new-uuid-free', 'new-mac-free'];
  const askedBy = async (run: string | undefined): Promise<Check[]> =>
    (await ask({ biosUuid: uuid, nics }, { path: pathOf('serving'), run })).filter(({ id }) => identity.includes(id));
  const own = await askedBy(runB);
  expect(own.map(({ id, verdict }) => `${verdict} ${id}`)).toEqual(identity.map((id) => `pass ${id}`));
  expect(own[0]?.seen).toBe('serving is this run’s own machine');
  const others = await askedBy(undefined);
  expect(others.map(({ id, verdict }) => `${verdict} ${id}`)).toEqual(identity.map((id) => `refuse ${id}`));
  for (const { remedy } of others) {
    expect(remedy).toMatch(/^(Let|That machine is) run /);
    expect(remedy).not.toMatch(/remove/i);
  }
  await target.ensureDisksAbandoned(made, work);
});

const isolatedNetwork = 'DC0_DVPG0';
const arrival = { scripts: true, prove: true } as const;
const deny = ['VirtualMachine.GuestOperations.Execute', 'VirtualMachine.Config.EditDevice'];

test('S000-8 S000-10 what scripts and a proof need of the new place is asked for only where the policy wants them, each by name', async () => {
  const proven = { prove: true } as const;
  const ready = await ask(proven, arrival, { isolatedNetwork });
  expect(refused(ready)).toEqual([]);
  expect(ready.find(({ id }) => id === 'target-isolated-network')).toMatchObject({ verdict: 'pass' });
  expect(refused(await ask(proven, arrival, { isolatedNetwork: 'no such group' }))).toEqual([
    'target-isolated-network: DC0_C0_H0 has no port group called no such group',
  ]);
  await simulator.door('POST', '/privileges', { deny });
  expect(refused(await ask({}, {}, { isolatedNetwork }))).toEqual([]);
  expect(refused(await ask(proven, arrival, { isolatedNetwork }))).toEqual([
    `vcenter-privileges: missing: ${deny.join(', ')}`,
  ]);
});

test('S000-10 a machine that boots apart first is made on a host that has the isolated network', async () => {
  // The first host of the cluster says that it has none of the distributed networks.
  const without = (text: string): string =>
    text.includes('>DC0_C0_H0<')
      ? text.replace(/<ManagedObjectReference type="DistributedVirtualPortgroup">[^<]*<\/ManagedObjectReference>/g, '')
      : text;
  const transport = answering(simulator.ca, 'RetrievePropertiesEx', (body) =>
    body.split('<objects>').map(without).join('<objects>'),
  );
  const isolated = (checks: readonly Check[]) => checks.find(({ id }) => id === 'target-isolated-network');
  const options = { isolatedNetwork, transport };
  expect(isolated(await ask({ prove: true }, arrival, options))).toMatchObject({ verdict: 'pass' });
  const first = await ask({ prove: true, compute: `${cluster}/DC0_C0_H0` }, arrival, options);
  expect(isolated(first)).toMatchObject({ verdict: 'refuse', seen: expect.stringContaining('DC0_C0_H0 has no') });
  const [made, plain] = [true, undefined].map((prove) => {
    const plan = planOf({ nics: [], ...(prove ? { prove } : {}) });
    return newPlaceRequest(prove ? 'apart' : 'plain', { plan });
  });
  if (!made || !plain) throw new Error('nothing to make');
  await simulator.target(options).ensureDisksOpen(plain, work);
  await simulator.target(options).ensureDisksOpen(made, work);
  const rows = (await simulator.door('GET', '/state')) as readonly { readonly name: string; readonly host: string }[];
  const hostOf = (wanted: string): string | undefined => rows.find(({ name }) => name === wanted)?.host;
  expect(hostOf('apart')).not.toBe(hostOf('plain'));
  const ready = { mover: moverPath, datastores: ['lab-ds'], diskSizesBytes: [] };
  const asked = { ...ready, made: { path: made.path, run: made.run, ...arrival } };
  const again = (): Promise<Check[]> => simulator.target({ isolatedNetwork }).preflightMover(asked, work);
  expect(refused(await again())).toEqual([]);
  await simulator.door('POST', '/privileges', { deny });
  expect(refused(await again())).toEqual([`vcenter-privileges: missing: ${deny.join(', ')}`]);
  await simulator.door('POST', '/privileges', { deny: [] });
  await simulator.target().ensureDisksAbandoned(made, work);
  await simulator.target().ensureDisksAbandoned(plain, work);
});
