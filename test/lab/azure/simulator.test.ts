/**
 * The Azure simulator, as Microsoft's own SDK sees it: long-running forms, snapshots, grants, page lists, states, faults.
 */

import { createHash } from 'node:crypto';
import { type ComputeManagementClient, restorePoller } from '@azure/arm-compute';
import { diskBytes, resourceGroup, type Simulator, startSimulator } from './simulator.ts';

let sim: Simulator;
let compute: ComputeManagementClient;
beforeAll(async () => {
  sim = await startSimulator();
  compute = sim.compute;
});
afterAll(() => sim.stop());

const quick = { updateIntervalInMs: 10 };
let number = 0;

async function snapshotOf(disk: string, name = `snap-${++number}`) {
  const source = await compute.disks.get(resourceGroup, disk);
  const made = await compute.snapshots.createOrUpdate(
    resourceGroup,
    name,
    {
      location: 'westeurope',
      incremental: true,
      creationData: { createOption: 'Copy', sourceResourceId: source.id ?? '' },
    },
    quick,
  );
  return made;
}

async function sasOf(name: string, seconds = 600): Promise<string> {
  const access = await compute.snapshots.grantAccess(
    resourceGroup,
    name,
    { access: 'Read', durationInSeconds: seconds },
    quick,
  );
  return access.accessSAS ?? '';
}
const revoke = (name: string) => compute.snapshots.revokeAccess(resourceGroup, name, quick);
const drop = (name: string) => compute.snapshots.delete(resourceGroup, name, quick);

test('a VM shows its power, its disks and its NIC to the official SDK', async () => {
  const vm = await compute.virtualMachines.get(resourceGroup, 'vm1', { expand: 'instanceView' });
  expect(vm.instanceView?.statuses?.map((status) => status.code)).toContain('PowerState/running');
  expect(vm.storageProfile?.dataDisks?.[0]?.lun).toBe(0);
  const disk = await compute.disks.get(resourceGroup, 'vm1-os');
  expect(disk).toMatchObject({ diskSizeBytes: diskBytes, diskState: 'Attached' });
});

test('a snapshot is one resource however often it is asked for, and a poller can be restored', async () => {
  const source = await compute.disks.get(resourceGroup, 'vm1-os');
  const body = {
    location: 'westeurope',
    incremental: true,
    creationData: { createOption: 'Copy' as const, sourceResourceId: source.id ?? '' },
  };
  const poller = compute.snapshots.createOrUpdate(resourceGroup, 'twice', body, quick);
  await poller.submitted();
  const restored = restorePoller(compute, await poller.serialize(), compute.snapshots.createOrUpdate, quick);
  const made = await restored.pollUntilDone();
  const again = await compute.snapshots.createOrUpdate(resourceGroup, 'twice', body, quick);
  expect(again.uniqueId).toBe(made.uniqueId);
  expect(made).toMatchObject({
    incremental: true,
    diskSizeBytes: diskBytes,
    completionPercent: 100,
    provisioningState: 'Succeeded',
  });
  await drop('twice');
});

test('a snapshot reads as the disk was, ends in a VHD footer, and its page list names no hole', async () => {
  const { name = '' } = await snapshotOf('vm1-data');
  const sas = await sasOf(name);
  const head = await sim.blob(sas, {}, 'HEAD');
  expect(Number(head.headers['content-length'])).toBe(diskBytes + 512);
  const whole = Buffer.from(
    await (await sim.blob(sas, { 'x-ms-range': `bytes=0-${diskBytes - 1}` })).body.arrayBuffer(),
  );
  const { sha256 } = await sim.ask(`/disks/vm1-data/content-sha256?snapshot=${name}`);
  expect(createHash('sha256').update(whole).digest('hex')).toBe(sha256);
  const footer = Buffer.from(
    await (await sim.blob(sas, { 'x-ms-range': `bytes=${diskBytes}-${diskBytes + 511}` })).body.arrayBuffer(),
  );
  expect(footer.subarray(0, 8).toString()).toBe('conectix');
  const list = await (await sim.blob(`${sas}&comp=pagelist`, {})).body.text();
  expect(list).toContain('<PageRange><Start>0</Start><End>1048575</End></PageRange>');
  expect(list).not.toContain('<Start>1048576</Start>');
  await revoke(name);
  await drop(name);
});

test('a range carries MD5 or CRC64 up to 4 MiB, and is refused beyond', async () => {
  const { name = '' } = await snapshotOf('vm1-data');
  const sas = await sasOf(name);
  const md5 = await sim.blob(sas, { 'x-ms-range': 'bytes=0-4095', 'x-ms-range-get-content-md5': 'true' });
  const body = Buffer.from(await md5.body.arrayBuffer());
  expect(md5.headers['content-md5']).toBe(createHash('md5').update(body).digest('base64'));
  const crc = await sim.blob(sas, { 'x-ms-range': 'bytes=0-4095', 'x-ms-range-get-content-crc64': 'true' });
  await crc.body.dump();
  expect(String(crc.headers['x-ms-content-crc64'])).toHaveLength(12);
  const long = await sim.blob(sas, { 'x-ms-range': 'bytes=0-4194304', 'x-ms-range-get-content-md5': 'true' });
  await long.body.dump();
  expect(long.statusCode).toBe(400);
  await revoke(name);
  await drop(name);
});

test('only five snapshots of one family are readable at once', async () => {
  const names = await Promise.all(Array.from({ length: 6 }, async () => (await snapshotOf('vm1-os')).name ?? ''));
  for (const name of names.slice(0, 5)) await sasOf(name);
  await expect(sasOf(names[5] ?? '')).rejects.toThrow(/five|5 snapshots/);
  for (const name of names.slice(0, 5)) await revoke(name);
  await sasOf(names[5] ?? '');
  await expect(drop(names[5] ?? '')).rejects.toMatchObject({ statusCode: 409 });
  await revoke(names[5] ?? '');
  for (const name of names) await drop(name);
});

test('an expired or revoked grant opens nothing', async () => {
  const { name = '' } = await snapshotOf('vm1-os');
  const sas = await sasOf(name, 1);
  await sim.tell('/expire-sas');
  const late = await sim.blob(sas, { 'x-ms-range': 'bytes=0-511' });
  expect(late.statusCode).toBe(403);
  expect(await late.body.text()).toContain('AuthenticationFailed');
  await drop(name);
});

test('a disk of a running VM gives no grant, a deallocated one does, and the VM does not start meanwhile', async () => {
  await expect(
    compute.disks.grantAccess(resourceGroup, 'vm1-os', { access: 'Read', durationInSeconds: 60 }, quick),
  ).rejects.toMatchObject({ statusCode: 409 });
  await compute.virtualMachines.deallocate(resourceGroup, 'vm1', quick);
  expect((await compute.disks.get(resourceGroup, 'vm1-os')).diskState).toBe('Reserved');
  await compute.disks.grantAccess(resourceGroup, 'vm1-os', { access: 'Read', durationInSeconds: 60 }, quick);
  await expect(compute.virtualMachines.start(resourceGroup, 'vm1', quick)).rejects.toMatchObject({ statusCode: 409 });
  await compute.disks.revokeAccess(resourceGroup, 'vm1-os', quick);
  await compute.virtualMachines.start(resourceGroup, 'vm1', quick);
  const view = await compute.virtualMachines.instanceView(resourceGroup, 'vm1');
  expect(view.statuses?.at(-1)?.code).toBe('PowerState/running');
});

test('faults hit the nth call: a status with Retry-After, a failed operation, a dropped reply after the effect', async () => {
  await sim.tell('/rules', { operation: 'disks.get', action: { status: 429, retryAfter: 7 } });
  await expect(compute.disks.get(resourceGroup, 'vm1-os')).rejects.toMatchObject({ statusCode: 429 });
  await sim.tell('/rules', {
    operation: 'snapshots.createOrUpdate',
    action: { lroFail: { code: 'InternalExecutionError', message: 'it broke' } },
  });
  await expect(snapshotOf('vm1-os', 'breaks')).rejects.toThrow(/it broke/);
  await drop('breaks');
  await sim.tell('/rules', { operation: 'snapshots.createOrUpdate', action: { drop: 'after' } });
  await expect(snapshotOf('vm1-os', 'lost')).rejects.toThrow();
  expect((await compute.snapshots.get(resourceGroup, 'lost')).name).toBe('lost');
  await drop('lost');
});

test('a wrong secret is refused in Entra’s words', async () => {
  const body = new URLSearchParams({
    client_id: sim.identity.clientId,
    client_secret: 'wrong',
    grant_type: 'client_credentials',
  });
  const { request, Agent } = await import('undici');
  const agent = new Agent({ connect: { ca: sim.ca } });
  const answer = await request(`${sim.authority}/${sim.identity.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
    dispatcher: agent,
  });
  expect(answer.statusCode).toBe(401);
  expect(await answer.body.text()).toContain('AADSTS7000215');
  await agent.close();
});
