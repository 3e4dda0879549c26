/**
 * Long-running operations in the forms Azure uses, restored pollers, expired ids, and the effects the witness is told.
 * Rule: the SDK's own poller is the judge of each form.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { restorePoller } from '@azure/arm-compute';
import { failureOf, group, machine, quick, type Simulator, startSimulator } from './official-clients.ts';

interface Effect {
  readonly world: string;
  readonly op: string;
  readonly resource: string;
  readonly vm?: string;
}

let azure: Simulator;
let listener: Server;
const effects: Effect[] = [];
/** What the world looked like when the effect was told: was the operation already reported done? */
let whenTold: (() => Promise<void>) | undefined;

beforeAll(async () => {
  listener = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    effects.push(JSON.parse(Buffer.concat(pieces).toString()) as Effect);
    await whenTold?.();
    response.end('{}');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  azure = await startSimulator({
    vms: ['vm', 'slow', 'told'].map((name) => machine(name)),
    effects: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/effects`,
  });
});
afterAll(async () => {
  await azure.stop();
  await new Promise((resolve) => listener.close(resolve));
});

const body = (disk: string) => ({
  location: 'westeurope',
  incremental: true,
  creationData: { createOption: 'Copy' as const, sourceResourceId: azure.diskId(disk) },
});

/** One long-running operation of each form, as the first answer's headers show it. */
test('operations are answered in three forms', async () => {
  const modes: Record<string, string | undefined> = {};
  const compute = azure.compute();
  const modeOf = (state: string): string | undefined =>
    (JSON.parse(state) as { state: { config: { metadata?: { mode?: string } } } }).state.config.metadata?.mode;
  const note = async (
    name: string,
    poller: { submitted(): Promise<void>; serialize(): Promise<string>; pollUntilDone(): Promise<unknown> },
  ) => {
    await poller.submitted();
    modes[name] = modeOf(await poller.serialize());
    await poller.pollUntilDone();
  };
  await note('snapshot', compute.snapshots.createOrUpdate(group, 'forms', body('vm-data'), quick));
  await note('grant', compute.snapshots.grantAccess(group, 'forms', { access: 'Read', durationInSeconds: 60 }, quick));
  await note('revoke', compute.snapshots.revokeAccess(group, 'forms', quick));
  await note('start', compute.virtualMachines.start(group, 'vm', quick));
  await note('deallocate', compute.virtualMachines.deallocate(group, 'vm', quick));
  const creation = { createOption: 'Empty' as const };
  await note(
    'disk',
    compute.disks.createOrUpdate(
      group,
      'fresh',
      { location: 'westeurope', diskSizeGB: 1, creationData: creation },
      quick,
    ),
  );
  expect(Object.values(modes).every((mode) => mode !== undefined)).toBe(true);
  expect(new Set(Object.values(modes))).toEqual(new Set(['OperationLocation', 'ResourceLocation', 'Body']));
});

test('a poller restored from its state finishes the same operation', async () => {
  await azure.door.post('/settings', { lroMs: 300 });
  const first = azure.compute().snapshots.createOrUpdate(group, 'restored', body('slow-data'), quick);
  await first.submitted();
  const state = await first.serialize();
  const compute = azure.compute();
  const restored = restorePoller(compute, state, compute.snapshots.createOrUpdate, quick);
  const made = await restored.pollUntilDone();
  await azure.door.post('/settings', { lroMs: 40 });
  expect(made).toMatchObject({ name: 'restored', provisioningState: 'Succeeded' });
  const puts = (await azure.audit()).filter((line) => line.operation === 'snapshots.createOrUpdate');
  expect(puts.filter((line) => line.resource.endsWith('/restored'))).toHaveLength(1);
});

test('an operation id that expired is answered 404, and the resource still tells', async () => {
  const poller = azure.compute().snapshots.createOrUpdate(group, 'expired', body('slow-data'), quick);
  await poller.submitted();
  await azure.door.post('/settings', { operationExpiryMs: 1 });
  const failure = await failureOf(poller.pollUntilDone());
  await azure.door.post('/settings', { operationExpiryMs: 3_600_000 });
  expect(failure.statusCode).toBe(404);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await azure.compute().snapshots.get(group, 'expired')).provisioningState).toBe('Succeeded');
});

test('an operation that is told to fail has no effect', async () => {
  await azure.door.post('/rules', {
    operation: 'virtualMachines.delete',
    action: { lroFail: { code: 'InternalExecutionError', message: 'try later' } },
  });
  const failure = await failureOf(azure.compute().virtualMachines.delete(group, 'slow', quick).pollUntilDone());
  expect(failure.message).toContain('InternalExecutionError');
  expect((await azure.compute().virtualMachines.get(group, 'slow')).name).toBe('slow');
});

test('a call that a rule delays goes on once the rule is taken away', async () => {
  await azure.door.post('/rules', { operation: 'virtualMachines.get', action: { delayMs: 50_000 } });
  const begun = performance.now();
  const answer = azure.compute().virtualMachines.get(group, 'slow');
  const met = async (): Promise<boolean> => ((await azure.door.get('/rules')) as { hits: number }[])[0]?.hits === 1;
  while (!(await met())) await new Promise((resolve) => setTimeout(resolve, 10));
  await azure.door.remove('/rules');
  expect((await answer).name).toBe('slow');
  expect(performance.now() - begun).toBeLessThan(20_000);
});

test('the witness hears of each effect before the operation is reported done', async () => {
  effects.length = 0;
  const seen: string[] = [];
  whenTold = async () => {
    const { snapshots } = await azure.state();
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen.push(`told, there: ${snapshots.some((one) => one.name === 'told-1')}`);
  };
  const compute = azure.compute();
  await compute.snapshots.createOrUpdate(group, 'told-1', body('told-data'), quick).pollUntilDone();
  seen.push('done');
  whenTold = undefined;
  expect(seen).toEqual(['told, there: true', 'done']);
  await compute.snapshots
    .grantAccess(group, 'told-1', { access: 'Read', durationInSeconds: 60 }, quick)
    .pollUntilDone();
  await compute.snapshots.revokeAccess(group, 'told-1', quick).pollUntilDone();
  await compute.snapshots.delete(group, 'told-1', quick).pollUntilDone();
  await compute.virtualMachines.start(group, 'told', quick).pollUntilDone();
  await compute.virtualMachines.delete(group, 'told', quick).pollUntilDone();
  await compute.disks.delete(group, 'told-os', quick).pollUntilDone();
  await azure.network().networkInterfaces.delete(group, 'told-nic', quick).pollUntilDone();
  expect(effects.map((one) => `${one.world} ${one.op} ${one.resource.split('/').slice(-2).join('/')}`)).toEqual([
    'azure snapshots.createOrUpdate snapshots/told-1',
    'azure snapshots.grantAccess snapshots/told-1',
    'azure snapshots.revokeAccess snapshots/told-1',
    'azure snapshots.delete snapshots/told-1',
    'azure virtualMachines.start virtualMachines/told',
    'azure virtualMachines.delete virtualMachines/told',
    'azure disks.delete disks/told-os',
    'azure networkInterfaces.delete networkInterfaces/told-nic',
  ]);
});
