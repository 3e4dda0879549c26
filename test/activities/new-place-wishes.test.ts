/**
 * At an alternate location both sides are asked for what the policy wants, at the start and again before the cutover.
 * Rule: both sites are real ones on the lab's edges, whose rights are taken away there.
 */
import { createOpenedActivities } from '../../activities/opened.ts';
import { createPreflightActivities, type PreflightAnswer, type Sites } from '../../activities/preflight.ts';
import { parseInventory } from '../../config/load.ts';
import { guestStep } from '../../model/arrival-policy.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { policyOf } from '../../model/inventory.ts';
import { type AzureLab, machine, openAzureLab, path, run } from '../azure/azure-lab.ts';
import { rightText } from '../config/inventory-text.ts';
import { cluster } from '../vsphere/new-place.ts';
import { moverPath, pathOf, quietWork, type Simulator, startSimulator } from '../vsphere/simulator.ts';
import { inActivity } from './in-activity.ts';

const points = 'Microsoft.Compute/restorePointCollections/write';
const commands = 'Microsoft.Compute/virtualMachines/runCommands/write';
const operations = 'VirtualMachine.GuestOperations.Execute';
const devices = 'VirtualMachine.Config.EditDevice';

let azure: AzureLab;
let vcenter: Simulator;
beforeAll(async () => {
  [azure, vcenter] = await Promise.all([openAzureLab({ deniedActions: [points, commands] }), startSimulator([])]);
  await vcenter.door('POST', '/privileges', { deny: [operations] });
});
afterAll(() => Promise.all([azure?.close(), vcenter?.stop()]));

const plain = policyOf(parseInventory(rightText, 'h.yaml'), 'erp-db');
const step = guestStep.parse({ name: 'drain', script: 'true', shell: 'sh' });
const wishing: FailbackInput['policy'] = {
  ...plain,
  ...({ prove: 'isolated', sync: 'before', applicationPointEverySeconds: 14_400 } as const),
  ...{ beforeStop: [step], afterStart: [step] },
};
const failbackOf = (policy: FailbackInput['policy']): FailbackInput => ({
  ...{ machine, policy, source: { site: 'azure', path }, target: { site: 'vcenter', path: pathOf('fresh') } },
  mover: { name: 'mover-1', path: moverPath },
  create: {
    ...{ host: `${cluster}/DC0_C0_H1`, datastore: 'lab-ds', network: 'VM Network', networks: {} },
    ...{ macs: 'new', ips: 'keep', controller: 'pvscsi', onNameClash: 'refuse', cpus: 1, memoryMiB: 1024 },
  },
});
const sites = (): Sites => ({
  version: '1',
  source: () => azure.source,
  target: () => vcenter.target({ isolatedNetwork: 'no such group' }),
  mover: () => undefined,
  machine: () => undefined,
});
const told = ({ checks }: PreflightAnswer): string =>
  checks
    .filter(({ verdict }) => verdict === 'refuse')
    .map(({ id, seen }) => `${id}: ${seen}`)
    .join('\n');
const atStart = (policy: FailbackInput['policy']) =>
  inActivity(() => createPreflightActivities(sites()).observePreflight(failbackOf(policy)));

test('S000-8 S000-10 at an alternate location too, what points, scripts and a proof need is asked of both sides, and only where they are wanted', async () => {
  const answer = await atStart(wishing);
  for (const lack of [points, commands, operations, 'target-isolated-network: ']) expect(told(answer)).toContain(lack);
  const without = told(await atStart({ ...plain, enableTools: false }));
  for (const lack of [points, commands, operations, 'target-isolated-network: ']) expect(without).not.toContain(lack);
  const during = await atStart({ ...wishing, sync: 'during' });
  expect(told(during)).not.toContain(points);
  expect(during.checks).toContainEqual(expect.objectContaining({ id: 'application-point-rounds', verdict: 'warn' }));
});

test('S000-8 before the cutover the same is asked of the machine that the run has made', async () => {
  const { pairs, creation } = await atStart(wishing);
  if (!creation) throw new Error('nothing was planned');
  const { prove: _prove, ...reachable } = creation;
  const request = { path: pathOf('fresh'), run, machine, write: 'created' as const, pairs, mover: moverPath };
  const open = await vcenter.target().ensureDisksOpen({ ...request, machineToMake: reachable }, quietWork());
  await vcenter.door('POST', '/privileges', { deny: [operations, devices] });
  const again = await inActivity(() =>
    createOpenedActivities(sites()).observeWayAgain({ failback: failbackOf(wishing), run, pairs, creation, open }),
  );
  for (const lack of [points, commands, operations, devices, 'target-isolated-network: '])
    expect(told(again)).toContain(lack);
});
