/** Observing, stopping and starting a machine in Azure, against the lab's simulator. */
import { setTimeout as pause } from 'node:timers/promises';
import { refused, transient } from '../../model/failure.ts';
import { type AzureLab, dataBytes, failureOf, machine, openAzureLab, osBytes, path, quiet, run } from './azure-lab.ts';

let lab: AzureLab;
beforeAll(async () => {
  lab = await openAzureLab({ deniedActions: [] });
});
afterAll(() => lab.close());
beforeEach(async () => {
  lab.faults.remove();
  await lab.world.powerOn(lab.world.machine('rg-failover', 'erp-db'));
  lab.calls();
});
const ours = () => ({
  path,
  identity: lab.world.machine('rg-failover', 'erp-db').vmId,
  otherSideOff: async (): Promise<void> => undefined,
});
const setPower = (to: 'stopped' | 'deallocated'): Promise<void> =>
  lab.world.powerOff(lab.world.machine('rg-failover', 'erp-db'), to);

test('an observed machine names its disks by os and LUN, with size, identity and NICs', async () => {
  const seen = await lab.source.observeMachine(path, quiet());
  expect(seen).toMatchObject({ address: { site: 'azure', path }, power: 'running', powerSeen: 'PowerState/running' });
  expect(seen.disks).toMatchObject([
    { disk: 'os', name: 'erp-db-os', sizeBytes: osBytes, sectorBytes: 512, sku: 'Premium_LRS' },
    { disk: 'data-0', name: 'erp-db-data', sizeBytes: dataBytes },
  ]);
  expect(seen.disks[0]?.identity).toBe(lab.world.disk('rg-failover', 'erp-db-os').uniqueId);
  expect(seen.identity).toBe(lab.world.machine('rg-failover', 'erp-db').vmId);
  expect(seen.hardware).toEqual({ generation: 2, size: 'Standard_D2s_v5' });
  expect(seen.nics).toEqual([
    {
      id: expect.stringContaining('/networkInterfaces/erp-db-nic'),
      identity: [...lab.world.nics.values()][0]?.resourceGuid,
    },
  ]);
});

test('a machine that does not exist is observed as absent', async () => {
  const seen = await lab.source.observeMachine('rg-failover/nobody', quiet());
  expect(seen).toMatchObject({ power: 'absent', disks: [], nics: [] });
});

test('S1 a stopped machine says since when, in a word that changes with every start', async () => {
  expect((await lab.source.observeMachine(path, quiet())).stoppedSince).toBeUndefined();
  await lab.source.ensureStopped(ours(), quiet());
  const { stoppedSince: first } = await lab.source.observeMachine(path, quiet());
  expect(first).toMatch(/^\d{4}-\d{2}-\d{2}T/);
  await lab.startAndStop();
  expect((await lab.source.observeMachine(path, quiet())).stoppedSince).not.toBe(first);
});

test('S1 a machine that is shut down but still allocated counts as running', async () => {
  await setPower('stopped');
  expect(await lab.source.observeMachine(path, quiet())).toMatchObject({
    power: 'running',
    powerSeen: 'PowerState/stopped',
    guestOff: true,
  });
  expect((await lab.source.ensureStarted(ours(), quiet())).guestOff).toBeUndefined();
});

test('S1 S5 another machine that stands under the same name is neither stopped nor started', async () => {
  const other = { ...ours(), identity: 'the one this run began with' };
  expect(await failureOf(lab.source.ensureStopped(other, quiet()))).toMatchObject({
    kind: 'Refused',
    op: 'source-changed',
  });
  await setPower('deallocated');
  lab.calls();
  expect((await failureOf(lab.source.ensureStarted(other, quiet()))).op).toBe('source-changed');
  expect(lab.calls().filter((call) => /start|deallocate/i.test(call))).toEqual([]);
});

test('S5 a power command does not hang on the network side of Azure', async () => {
  lab.fault('networkInterfaces.get', { status: 503 }, { count: 99 });
  expect((await lab.source.ensureStopped(ours(), quiet())).power).toBe('stopped');
  expect((await lab.source.ensureStarted(ours(), quiet())).power).toBe('running');
});

test('S001-14 stopping deallocates, and answers what was observed afterwards', async () => {
  const seen = await lab.source.ensureStopped(ours(), quiet());
  expect(seen).toMatchObject({ power: 'stopped', powerSeen: 'PowerState/deallocated' });
  const calls = lab.calls();
  expect(calls.lastIndexOf('virtualMachines.get')).toBeGreaterThan(calls.indexOf('virtualMachines.deallocate'));
});

test('S1 a machine that is only shut down is deallocated too', async () => {
  await setPower('stopped');
  expect(await lab.source.ensureStopped(ours(), quiet())).toMatchObject({ powerSeen: 'PowerState/deallocated' });
});

test('stopping a stopped machine sends nothing', async () => {
  await setPower('deallocated');
  lab.calls();
  await lab.source.ensureStopped(ours(), quiet());
  expect(lab.calls()).not.toContain('virtualMachines.deallocate');
});

test('a stop that is already on its way is waited for and not sent again', async () => {
  const vm = lab.world.machine('rg-failover', 'erp-db');
  vm.power = 'deallocating';
  setTimeout(() => void setPower('deallocated'), 300);
  expect(await lab.source.ensureStopped(ours(), quiet())).toMatchObject({ power: 'stopped' });
  expect(lab.calls()).not.toContain('virtualMachines.deallocate');
});

test('a stop whose reply is lost is found done by the next try', async () => {
  lab.fault('virtualMachines.deallocate', { drop: 'after' });
  expect((await failureOf(lab.source.ensureStopped(ours(), quiet()))).kind).toBe('Transient');
  expect(await lab.source.ensureStopped(ours(), quiet())).toMatchObject({ power: 'stopped' });
  expect(lab.calls().filter((call) => call === 'virtualMachines.deallocate')).toHaveLength(1);
});

const gone = transient({ op: 'heartbeat', subject: 'a', message: 'another attempt has begun', hint: 'Nothing to do.' });

test('S1 an attempt that is not the one any more sends no stop', async () => {
  const work = quiet();
  work.mayChange = () => {
    throw gone;
  };
  await expect(lab.source.ensureStopped(ours(), work)).rejects.toBe(gone);
  expect(lab.calls()).not.toContain('virtualMachines.deallocate');
});

test('S1 whether an attempt is still the one is asked again before a stop that was refused for its token goes out once more', async () => {
  lab.fault('virtualMachines.deallocate', { status: 401 });
  let asked = 0;
  const work = quiet();
  work.mayChange = () => {
    if (++asked === 2) throw gone;
  };
  await expect(lab.source.ensureStopped(ours(), work)).rejects.toBe(gone);
  expect(asked).toBe(2);
  expect(lab.calls().filter((call) => call === 'virtualMachines.deallocate')).toHaveLength(1);
  expect((await lab.source.observeMachine(path, quiet())).power).toBe('running');
});

test.each([
  ['refuses', { status: 403 }, true],
  ['answers with a conflict', { status: 409, code: 'AnotherOperationInProgress' }, true],
  ['is too busy for', { status: 503 }, false],
  ['gave up waiting for', { status: 408 }, false],
  ['answers, but the answer is lost', { drop: 'after' }, false],
  ['begins and does not bring to a good end', { lroFail: { code: 'OperationNotAllowed', message: 'no' } }, false],
] as const)(
  'S5 a stop that Azure %s is told to have changed nothing: only where it never began',
  async (_how, action, sure) => {
    lab.fault('virtualMachines.deallocate', action);
    let open = 0;
    const work = { ...quiet(), mayChange: () => void open++, changedNothing: () => void open-- };
    await expect(lab.source.ensureStopped(ours(), work)).rejects.toBeDefined();
    expect(open === 0).toBe(sure);
  },
);

test('starting is safe twice and answers a running machine', async () => {
  await setPower('deallocated');
  expect(await lab.source.ensureStarted(ours(), quiet())).toMatchObject({ power: 'running' });
  const { ownershipChangedAt } = lab.world.disk('rg-failover', 'erp-db-os');
  lab.calls();
  // What is seen running may be about to stop: Azure shows a stop that it has accepted late. A start harms nobody.
  expect(await lab.source.ensureStarted(ours(), quiet())).toMatchObject({ power: 'running' });
  expect(lab.calls().filter((call) => call === 'virtualMachines.start')).toHaveLength(1);
  expect(lab.world.disk('rg-failover', 'erp-db-os').ownershipChangedAt).toBe(ownershipChangedAt);
});

test('S5 a machine whose accepted stop is not to be seen yet runs once its start is through', async () => {
  Object.assign(lab.world.settings, { lroMs: 1_500, powerLagMs: 60_000 });
  try {
    const stop = new AbortController();
    const stopping = lab.source.ensureStopped(ours(), quiet(stop.signal));
    while (!lab.calls().includes('virtualMachines.deallocate')) await pause(5);
    await pause(100);
    stop.abort(new Error('cancelled'));
    await expect(stopping).rejects.toThrow('cancelled');
    expect((await lab.source.observeMachine(path, quiet())).powerSeen).toBe('PowerState/running');
    lab.world.settings.lroMs = 20;
    lab.calls();
    expect(await lab.source.ensureStarted(ours(), quiet())).toMatchObject({ power: 'running' });
    expect(lab.calls()).toContain('virtualMachines.start');
    await pause(2_000);
    expect((await lab.source.observeMachine(path, quiet())).powerSeen).toBe('PowerState/running');
  } finally {
    Object.assign(lab.world.settings, { lroMs: 20, powerLagMs: 0 });
  }
});

test('S5 a start waits until what Azure is doing with the machine is done', async () => {
  const vm = lab.world.machine('rg-failover', 'erp-db');
  const over = lab.world.power.accept(vm, 'deallocated', 60_000);
  const doing = setPower('deallocated').finally(over);
  const began = lab.source.ensureStarted(ours(), quiet());
  await doing;
  expect(await began).toMatchObject({ power: 'running' });
  const open = lab.world.power.accept(vm, 'running', 0);
  lab.calls();
  const waits = lab.source.ensureStarted(ours(), quiet());
  await pause(700);
  expect(lab.calls()).not.toContain('virtualMachines.start');
  open();
  expect(await waits).toMatchObject({ power: 'running' });
  expect(lab.calls()).toContain('virtualMachines.start');
});

const targetRuns = refused({ op: 'observe-power', subject: 'a', message: 'the target runs', hint: 'Stop it.' });

test('S1 a target that was started while Azure let go of the machine is seen before the start is sent', async () => {
  const vm = lab.world.machine('rg-failover', 'erp-db');
  let targetOn = false;
  vm.power = 'deallocating';
  setTimeout(() => {
    targetOn = true;
    void setPower('deallocated');
  }, 300);
  const otherSideOff = async (): Promise<void> => {
    if (targetOn) throw targetRuns;
  };
  await expect(lab.source.ensureStarted({ ...ours(), otherSideOff }, quiet())).rejects.toBe(targetRuns);
  expect(lab.calls()).not.toContain('virtualMachines.start');
});

test('S1 the target is looked at again before a start that was refused for its token goes out once more', async () => {
  await setPower('deallocated');
  lab.fault('virtualMachines.start', { status: 401 });
  lab.calls();
  let looks = 0;
  const otherSideOff = async (): Promise<void> => {
    if (++looks === 2) throw targetRuns;
  };
  await expect(lab.source.ensureStarted({ ...ours(), otherSideOff }, quiet())).rejects.toBe(targetRuns);
  expect(lab.calls().filter((call) => call === 'virtualMachines.start')).toHaveLength(1);
  expect(lab.world.machine('rg-failover', 'erp-db').power).toBe('deallocated');
});

test('S000-16 stopping a deleted machine is refused', async () => {
  expect((await failureOf(lab.source.ensureStopped({ ...ours(), path: 'rg-failover/nobody' }, quiet()))).kind).toBe(
    'Refused',
  );
});

test('an operation that fails is classified by its own error code', async () => {
  lab.fault('virtualMachines.deallocate', { lroFail: { code: 'AllocationFailed', message: 'no room' } });
  expect(await failureOf(lab.source.ensureStopped(ours(), quiet()))).toMatchObject({
    kind: 'Transient',
    op: 'virtualMachines.deallocate',
  });
  await lab.world.powerOn(lab.world.machine('rg-failover', 'erp-db'));
  lab.fault('virtualMachines.deallocate', { lroFail: { code: 'SomethingNew', message: 'nobody knows' } });
  expect((await failureOf(lab.source.ensureStopped(ours(), quiet()))).kind).toBe('Refused');
});

test('an operation whose id Azure forgot is answered by looking at the machine', async () => {
  lab.fault('operations.get', { status: 404, code: 'NotFound' });
  expect(await lab.source.ensureStopped(ours(), quiet())).toMatchObject({ power: 'stopped' });
});

test('a throttled call carries the time Azure asked to wait, in seconds or as a date', async () => {
  lab.fault('virtualMachines.deallocate', { status: 429, retryAfter: 17 });
  expect(await failureOf(lab.source.ensureStopped(ours(), quiet()))).toMatchObject({
    kind: 'Transient',
    retryAfterMs: 17_000,
  });
  lab.fault('virtualMachines.deallocate', { status: 503, retryAfter: new Date(Date.now() + 30_000).toUTCString() });
  const { kind, retryAfterMs } = await failureOf(lab.source.ensureStopped(ours(), quiet()));
  expect(kind).toBe('Transient');
  expect(retryAfterMs).toBeGreaterThan(20_000);
  lab.fault('virtualMachines.deallocate', { status: 429, retryAfter: 'none' });
  expect(await failureOf(lab.source.ensureStopped(ours(), quiet()))).toMatchObject({
    kind: 'Transient',
    retryAfterMs: undefined,
  });
});

test('a wait is left at once when the caller stops', async () => {
  lab.world.settings.lroMs = 2_000;
  const stop = new AbortController();
  const started = Date.now();
  setTimeout(() => stop.abort(new Error('told to stop')), 200);
  await expect(lab.source.ensureStopped(ours(), quiet(stop.signal))).rejects.toThrow('told to stop');
  expect(Date.now() - started).toBeLessThan(1_800);
  lab.world.settings.lroMs = 20;
  await lab.source.ensureStopped(ours(), quiet());
});

test('a call and a login that are never answered end as Transient by a deadline of their own', async () => {
  const hasty = await openAzureLab({}, 'right', { requestMs: 400 });
  for (const operation of ['entra.token', 'virtualMachines.get', 'snapshots.listByResourceGroup']) {
    hasty.fault(operation, { stallMs: 3_000 });
    hasty.fault(operation, { delayMs: 3_000 });
    for (let tries = 0; tries < 2; tries++) {
      const started = Date.now();
      const { kind } = await failureOf(
        hasty.source
          .releaseRecoveryPoints({ path, run, machine, before: 1 }, quiet())
          .then(() => hasty.source.observeMachine(path, quiet())),
      );
      expect([operation, kind]).toEqual([operation, 'Transient']);
      expect(Date.now() - started).toBeLessThan(2_500);
    }
    hasty.faults.remove();
  }
  await hasty.close();
});

test('a token that was revoked is renewed once, together, and the calls go through', async () => {
  await lab.source.observeMachine(path, quiet());
  lab.entra.revokeAll();
  lab.calls();
  await Promise.all([1, 2, 3].map(() => lab.source.observeMachine(path, quiet())));
  expect(lab.calls().filter((call) => call === 'entra.token')).toHaveLength(1);
  await lab.source.observeMachine(path, quiet());
  expect(lab.calls()).not.toContain('entra.token');
});
