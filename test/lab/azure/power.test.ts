/**
 * Signing in, rights, power and retirement, as the official SDK sees them.
 * Rule: one fact a test; each test uses machines of its own.
 */
import { failureOf, group, machine, quick, type Simulator, startSimulator } from './official-clients.ts';

let azure: Simulator;
beforeAll(async () => {
  const names = ['off', 'on', 'held', 'gone', 'parts', 'lost', 'denied', 'case'];
  azure = await startSimulator({
    vms: names.map((name) => machine(name, { power: name === 'off' ? 'deallocated' : 'running' })),
  });
});
afterAll(() => azure.stop());

const powerOf = async (vm: string): Promise<string | undefined> => {
  const view = await azure.compute().virtualMachines.instanceView(group, vm);
  return view.statuses?.find((status) => status.code?.startsWith('PowerState/'))?.code;
};
const diskState = async (disk: string) => (await azure.compute().disks.get(group, disk)).diskState;

test('the cloud says what it is to anyone, with the two slashes that the Azure CLI puts before its path, and so its sign-in works', async () => {
  // Node's fetch trusts the default authorities, and the simulator's is one of them here.
  const told = await fetch(`${azure.arm}//metadata/endpoints?api-version=2022-09-01`);
  expect(told.status).toBe(200);
  const { authentication, resourceManager } = (await told.json()) as {
    readonly resourceManager: string;
    readonly authentication: { readonly loginEndpoint: string; readonly audiences: readonly string[] };
  };
  expect(resourceManager).toBe(`${azure.arm}/`);
  expect(authentication.audiences).toHaveLength(1);
  const found = await fetch(`${authentication.loginEndpoint}/.well-known/openid-configuration`);
  const { token_endpoint } = (await found.json()) as { readonly token_endpoint: string };
  const form = { grant_type: 'client_credentials', client_id: azure.clientId, client_secret: azure.secret };
  const signedIn = await fetch(token_endpoint, { method: 'POST', body: new URLSearchParams(form) });
  expect(await signedIn.json()).toMatchObject({ token_type: 'Bearer' });
  expect((await fetch(`${azure.arm}//subscriptions?api-version=2022-12-01`)).status).toBe(401);
});

test('a wrong secret is refused by Entra with AADSTS7000215', async () => {
  const failure = await failureOf(azure.credential('wrong').getToken('https://management.azure.com/.default'));
  expect(failure.message).toContain('AADSTS7000215');
});

test('a request without a token is answered 401 with a challenge', async () => {
  const { request } = await import('node:https');
  const answer = await new Promise<{ status?: number | undefined; challenge?: string | undefined }>(
    (resolve, reject) => {
      request(`${azure.arm}/subscriptions?api-version=2022-12-01`, { ca: azure.ca }, (response) => {
        response.resume();
        resolve({ status: response.statusCode, challenge: response.headers['www-authenticate'] });
      })
        .on('error', reject)
        .end();
    },
  );
  expect(answer.status).toBe(401);
  expect(answer.challenge).toContain('Bearer');
});

test('a revoked token is answered 401, and a fresh one works', async () => {
  const compute = azure.compute();
  await compute.virtualMachines.get(group, 'on');
  await azure.door.post('/revoke-tokens');
  expect((await failureOf(compute.virtualMachines.get(group, 'on'))).statusCode).toBe(401);
  expect((await azure.compute().virtualMachines.get(group, 'on')).name).toBe('on');
});

test('a denied action is answered 403 with the action and the scope', async () => {
  await azure.door.post('/settings', { deniedActions: ['Microsoft.Compute/virtualMachines/deallocate/action'] });
  const failure = await failureOf(azure.compute().virtualMachines.deallocate(group, 'denied', quick).submitted());
  await azure.door.post('/settings', { deniedActions: [] });
  expect(failure).toMatchObject({ statusCode: 403, code: 'AuthorizationFailed' });
  expect(failure.message).toContain('virtualMachines/deallocate/action');
  expect(failure.message).toContain('/virtualMachines/denied');
});

test('a missing machine is answered 404 ResourceNotFound', async () => {
  const failure = await failureOf(azure.compute().virtualMachines.get(group, 'nobody'));
  expect(failure).toMatchObject({ statusCode: 404, code: 'ResourceNotFound' });
});

test('names of resources do not care about case', async () => {
  expect((await azure.compute().virtualMachines.get(group.toUpperCase(), 'CASE')).name).toBe('case');
});

test('a deallocated machine leaves its disks Reserved, a running one holds them Attached', async () => {
  expect(await diskState('on-os')).toBe('Attached');
  await azure.compute().virtualMachines.deallocate(group, 'on', quick).pollUntilDone();
  expect([await powerOf('on'), await diskState('on-os'), await diskState('on-data')]).toEqual([
    'PowerState/deallocated',
    'Reserved',
    'Reserved',
  ]);
  await azure.compute().virtualMachines.start(group, 'on', quick).pollUntilDone();
  expect(await powerOf('on')).toBe('PowerState/running');
});

test('a machine that is being deallocated says so', async () => {
  await azure.door.post('/settings', { lroMs: 300 });
  const poller = azure.compute().virtualMachines.deallocate(group, 'case', quick);
  await poller.submitted();
  expect(await powerOf('case')).toBe('PowerState/deallocating');
  await azure.door.post('/settings', { lroMs: 40 });
  await poller.pollUntilDone();
  expect(await powerOf('case')).toBe('PowerState/deallocated');
});

test('a deallocation that fails leaves the machine running', async () => {
  await azure.door.post('/rules', {
    operation: 'virtualMachines.deallocate',
    resource: '/denied',
    action: { lroFail: { code: 'AllocationFailed', message: 'no luck' } },
  });
  const failure = await failureOf(azure.compute().virtualMachines.deallocate(group, 'denied', quick).pollUntilDone());
  expect(failure.message).toContain('AllocationFailed');
  expect(await powerOf('denied')).toBe('PowerState/running');
});

test('a powered-off machine is stopped and still holds its disks', async () => {
  await azure.compute().virtualMachines.powerOff(group, 'lost', quick).pollUntilDone();
  expect([await powerOf('lost'), await diskState('lost-os')]).toEqual(['PowerState/stopped', 'Attached']);
});

test('a SAS on a disk of a running machine is refused', async () => {
  const failure = await failureOf(
    azure
      .compute()
      .disks.grantAccess(group, 'parts-os', { access: 'Read', durationInSeconds: 600 }, quick)
      .pollUntilDone(),
  );
  expect(failure.message).toContain('attached to running VM');
});

test('a machine whose disk has an active SAS does not start', async () => {
  const compute = azure.compute();
  await compute.disks.grantAccess(group, 'off-os', { access: 'Read', durationInSeconds: 600 }, quick).pollUntilDone();
  expect(await diskState('off-os')).toBe('ActiveSAS');
  const failure = await failureOf(compute.virtualMachines.start(group, 'off', quick).pollUntilDone());
  expect(failure.statusCode).toBe(409);
  await compute.disks.revokeAccess(group, 'off-os', quick).pollUntilDone();
  expect(await diskState('off-os')).toBe('Reserved');
  await compute.virtualMachines.start(group, 'off', quick).pollUntilDone();
  expect(await powerOf('off')).toBe('PowerState/running');
});

test('an attached disk and a network interface in use cannot be deleted', async () => {
  const disk = await failureOf(azure.compute().disks.delete(group, 'held-data', quick).pollUntilDone());
  expect(disk).toMatchObject({ statusCode: 409, code: 'OperationNotAllowed' });
  expect(disk.message).toContain('attached to VM');
  const nic = await failureOf(azure.network().networkInterfaces.delete(group, 'held-nic', quick).pollUntilDone());
  expect(nic).toMatchObject({ statusCode: 400, code: 'NicInUse' });
});

test('a deleted machine leaves its disks and its interface, and they can be deleted then', async () => {
  const compute = azure.compute();
  await compute.virtualMachines.delete(group, 'gone', quick).pollUntilDone();
  expect((await failureOf(compute.virtualMachines.get(group, 'gone'))).statusCode).toBe(404);
  expect(await diskState('gone-os')).toBe('Unattached');
  await compute.disks.delete(group, 'gone-os', quick).pollUntilDone();
  await compute.disks.delete(group, 'gone-data', quick).pollUntilDone();
  await azure.network().networkInterfaces.delete(group, 'gone-nic', quick).pollUntilDone();
  const state = await azure.state();
  const names = [...state.vms, ...state.disks, ...state.nics].map((one) => one.name);
  expect(names.filter((name) => name.startsWith('gone'))).toEqual([]);
});

test('deleting what is not there is done at once', async () => {
  await azure.compute().disks.delete(group, 'never-was', quick).pollUntilDone();
  await azure.compute().snapshots.delete(group, 'never-was', quick).pollUntilDone();
  await azure.compute().virtualMachines.delete(group, 'never-was', quick).pollUntilDone();
});

test('lists hold the resources of the group', async () => {
  const names: (string | undefined)[] = [];
  for await (const one of azure.compute().virtualMachines.list(group)) names.push(one.name);
  expect(names).toContain('held');
  for await (const one of azure.network().networkInterfaces.list(group)) names.push(one.name);
  expect(names).toContain('held-nic');
});

test('an outside actor can start a machine by hand', async () => {
  await azure.door.post('/vms/held/power', { state: 'deallocated' });
  expect(await powerOf('held')).toBe('PowerState/deallocated');
  await azure.door.post('/vms/held/power', { state: 'running' });
  expect(await powerOf('held')).toBe('PowerState/running');
});

test('the audit never holds a token or the secret', async () => {
  const text = JSON.stringify(await azure.audit());
  expect(text).not.toContain(azure.secret);
  expect(text).not.toContain('Bearer');
  expect(text).toContain('virtualMachines.deallocate');
});
