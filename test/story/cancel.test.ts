/**
 * A cancel from every phase that allows it ends with the source serving and nothing of ours left (S5, S11).
 * Rule: each test holds the run inside the phase by a slow world, so that the cancel lands there and not near it.
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { readAzure } from '../../lab/azure-control.ts';
import { readVcenter, setSampleSeconds } from '../../lab/vcenter-control.ts';
import { guestStep } from '../../model/arrival-policy.ts';
import type { Status } from '../../model/status.ts';
import { tell } from './both-worlds.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const slowMs = 2_500;
/** Of vCenter's counters; its own 20 seconds would only make the test long. */
const sampleSeconds = 1;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 12 : 7);
}, 120_000);
afterEach(() => scene.forgetRules());
afterAll(() => scene?.close(), 60_000);

const slowAzure = (run: Run, operation: string, skip = 0, count = 2): Promise<void> =>
  scene.fault('azure', { operation, resource: run.machine.name, skip, count, action: { delayMs: slowMs } });
/** The first MiB is withheld until then, so nothing but a seal reads it. */
const slowSeal = ({ machine }: Run): Promise<void> =>
  scene.fault('azure', {
    ...{ operation: 'blob.getRange', resource: machine.name, range: 'bytes=0-', count: 2 },
    action: { delayMs: slowMs },
  });
const slowVcenter = (run: Run, method: string): Promise<void> =>
  scene.fault('vcenter', { method, objectName: run.machine.target.vm, count: 1, delayMs: slowMs });

/** Cancels, waits for the end, and looks at the worlds. */
async function takeBack(run: Run, payload: object = {}): Promise<Status> {
  expect(await run.say('cancel', payload)).toEqual({ accepted: true });
  const end = await run.until('ReturnedToSource');
  expect(await run.wrongAtEnd('returned')).toEqual([]);
  const azure = await readAzure(scene.lab.azure.control);
  expect(azure.vms.find((vm) => vm.name === run.machine.source.vm)?.power).toBe('running');
  expect(azure.snapshots.filter((one) => one.name.includes(run.machine.name))).toEqual([]);
  const target = (await readVcenter(scene.lab.vcenter.control)).find((vm) => vm.name === run.machine.target.vm);
  expect(target?.power).toBe('off');
  expect(await readdir(scene.lab.moverState)).not.toContain(run.machine.name);
  return end;
}

test('S5 a cancel while the seed is copied ends with the source untouched and serving', async () => {
  const run = await scene.begin();
  await slowAzure(run, 'blob.getRange', 0, 50);
  await run.untilView('copying', (view) => view.status?.phase === 'Seeding' && view.transfers.length > 0);
  const end = await takeBack(run);
  expect(end.outage).toBeUndefined();
}, 120_000);

test('S5 S002-27 a cancel between rounds leaves in-place disks fenced from starting, and a second run repairs them', async () => {
  const run = await scene.begin();
  await run.until('Syncing');
  await takeBack(run);
  const target = (await readVcenter(scene.lab.vcenter.control)).find((vm) => vm.name === run.machine.target.vm);
  expect(target?.disks).toEqual([]);
  const again = await scene.again(run);
  await again.comeHome();
  expect(await again.wrongAtEnd('committed')).toEqual([]);
}, 180_000);

thorough(
  'S5 a cancel of staged disks puts the originals back in their slots',
  async () => {
    const run = await scene.begin({ write: 'staged' });
    const before = (await readVcenter(scene.lab.vcenter.control)).find(
      (vm) => vm.name === run.machine.target.vm,
    )?.disks;
    await run.until('Syncing');
    await takeBack(run);
    const after = (await readVcenter(scene.lab.vcenter.control)).find((vm) => vm.name === run.machine.target.vm)?.disks;
    expect(after?.map((disk) => disk.file)).toEqual(before?.map((disk) => disk.file));
  },
  120_000,
);

test('S5 a cancel before the cutover of a run that copies during it has nothing to undo', async () => {
  const run = await scene.begin({ sync: 'during' });
  await run.until('AwaitingCutover');
  const effects = scene.lab.witness.effects().length;
  await takeBack(run);
  expect(scene.lab.witness.effects().length).toBe(effects);
}, 120_000);

test('S5 S12 a run taken back from the look right before the stop neither starts the source nor says that it did', async () => {
  const privileges = (deny: string[]): Promise<unknown> => tell(`${scene.lab.vcenter.control}/privileges`, { deny });
  const drain = guestStep.parse({ name: 'drain', script: 'sleep 2' });
  const run = await scene.begin({ sync: 'during' }, { beforeStop: [drain] });
  await run.until('AwaitingCutover');
  await run.say('completeFailover');
  await run.untilView('draining', ({ pending }) => pending.some((one) => one.activity === 'ensureGuestScriptRun'));
  await privileges(['VirtualMachine.Interact.PowerOn']);
  expect(await run.until('NeedsOperator')).toMatchObject({
    left: 'StoppingSource',
    trouble: { op: 'check-before-cutover' },
  });
  await privileges([]);
  const end = await takeBack(run);
  expect(end.record.map(({ key }) => key)).not.toContain('source-started');
  expect(end.outage).toBeUndefined();
}, 120_000);

test('S5 a cancel while the source is being stopped starts it again', async () => {
  const run = await scene.begin();
  await run.until('Syncing');
  await slowAzure(run, 'virtualMachines.deallocate');
  await run.say('completeFailover');
  // In the phase alone the stop need not have been sent; met by the rule it is on its way and will take effect.
  await scene.untilMet('azure');
  expect((await run.status()).phase).toBe('StoppingSource');
  const end = await takeBack(run);
  expect(end.record.map((entry) => entry.key)).toContain('source-started');
}, 120_000);

thorough(
  'S5 a cancel in the final round starts the source again',
  async () => {
    const run = await scene.begin({ sync: 'during' });
    await run.until('AwaitingCutover');
    await slowAzure(run, 'blob.getRange', 0, 50);
    await run.say('completeFailover');
    await run.until('FinalSync');
    await takeBack(run);
  },
  120_000,
);

thorough(
  'S4 S5 a cancel while sealing, and one before the target went live, need no loss flag',
  async () => {
    const sealing = await scene.begin({ sync: 'during' });
    await sealing.until('AwaitingCutover');
    await slowSeal(sealing);
    await sealing.say('completeFailover');
    await sealing.until('Sealing');
    await takeBack(sealing);

    const returning = await scene.begin({ sync: 'during' });
    await returning.until('AwaitingCutover');
    await slowSeal(returning);
    await returning.say('completeFailover');
    await returning.until('Sealing');
    await slowVcenter(returning, 'ReconfigVM_Task');
    await returning.until('StartingTarget');
    await takeBack(returning);
  },
  180_000,
);

test('S5 L6 sealed disks that never went back keep no source from serving, though the machine at home has left the inventory by then', async () => {
  const run = await scene.begin({ sync: 'during' });
  await run.until('AwaitingCutover');
  await slowSeal(run);
  await run.say('completeFailover');
  await run.until('Sealing');
  // It leaves between the two steps: the disks are off the mover, and the return looks at the source first.
  await scene.fault('azure', {
    ...{ operation: 'virtualMachines.get', resource: run.machine.source.vm, skip: 1, count: 1 },
    action: { delayMs: slowMs },
  });
  await run.untilView('about to return', ({ pending }) =>
    pending.some(({ activity }) => activity === 'ensureDisksReturned'),
  );
  await tell(`${scene.lab.vcenter.control}/unregister`, { vm: run.machine.target.vm });
  const called = await run.until('NeedsOperator');
  expect(called).toMatchObject({ left: 'StartingTarget', trouble: { op: 'FindByInventoryPath' } });
  expect(await run.say('cancel')).toEqual({ accepted: true });
  const end = await run.until('ReturnedToSource');
  expect(end.serves).toBe('source, as it was found');
  expect(end.says).not.toContain('left out');
  const azure = await readAzure(scene.lab.azure.control);
  expect(azure.vms.find((vm) => vm.name === run.machine.source.vm)?.power).toBe('running');
}, 120_000);

test('S5 once the target may be live a cancel without the loss flag is refused with how much was written at home, and with it the source serves again and the record has how much that was', async () => {
  const { vcenter, onPremGuests } = scene.lab;
  await setSampleSeconds(vcenter.control, sampleSeconds);
  const run = await scene.begin();
  const { vm } = run.machine.target;
  await run.until('Syncing');
  await run.say('completeFailover');
  await run.until('AwaitingCommit');
  const { status } = await run.untilView('counted', (view) => view.status?.written !== undefined);
  expect(status?.written?.bytes).toBeLessThanOrEqual(onPremGuests.wrote(vm).bytes);
  const refusal = await run.say('cancel');
  const counted =
    "it wrote about \\d+(\\.\\d KiB| B) to its disks until 20\\S+Z \\(vCenter's count\\); cancel again with .acceptLoss.";
  expect(refusal).toEqual({ refused: expect.stringMatching(new RegExp(counted)) });
  const { phase, outage: cutover } = await run.status();
  expect(phase).toBe('AwaitingCommit');

  // What vCenter has heard of by now is in samples that have ended two samples later.
  while (onPremGuests.wrote(vm).told === 0) await pause(50);
  const heard = { at: Date.now(), bytes: onPremGuests.wrote(vm).told };
  while (Date.now() < heard.at + 2_000 * sampleSeconds) await pause(50);
  const end = await takeBack(run, { acceptLoss: true });
  expect(end.refusals.at(-1)).toMatchObject({ message: 'cancel', by: 'ana', phase: 'AwaitingCommit' });
  const keys = end.record.map((entry) => entry.key);
  expect(keys.indexOf('loss-accepted')).toBeLessThan(keys.indexOf('target-stopped'));
  expect(keys.indexOf('target-stopped')).toBeLessThan(keys.indexOf('source-started'));
  const accepted = end.record.find((entry) => entry.key === 'loss-accepted');
  expect(accepted?.what).toMatch(/^ana accepted the loss of what was written at home since 20\S+; it wrote about /);
  const { bytes, until } = accepted?.facts ?? {};
  expect(Date.parse(String(until))).toBeGreaterThan(heard.at);
  expect(bytes).toBeGreaterThanOrEqual(heard.bytes);
  expect(bytes).toBeLessThanOrEqual(onPremGuests.wrote(vm).bytes);
  expect(end.loss).toEqual({ since: accepted?.facts.since, acceptedBy: 'ana', written: { bytes, until } });
  // From its stop at home until it ran in Azure again nobody served a second time.
  const back = { startedAt: expect.any(String), endedAt: expect.any(String) };
  expect(end).toMatchObject({ outagesBefore: [cutover], outage: back });
  expect(Date.parse(end.outage?.startedAt ?? '')).toBeGreaterThan(Date.parse(cutover?.endedAt ?? ''));
}, 120_000);

thorough(
  'S5 where vCenter cannot count what is written at home, the run goes on as ever and says that nobody has counted, and why',
  async () => {
    const run = await scene.begin();
    await run.until('Syncing');
    await scene.fault('vcenter', { method: 'QueryPerf', count: -1, fault: 'NotSupported' });
    await run.say('completeFailover');
    await run.until('AwaitingCommit');
    await run.untilView('refused its count', ({ status }) => status?.uncounted !== undefined);
    const why = 'how much that is nobody has counted (QueryPerf on /DC0/vm/';
    expect(await run.say('cancel')).toEqual({ refused: expect.stringContaining(why) });
    const end = await takeBack(run, { acceptLoss: true });
    const accepted = end.record.find((entry) => entry.key === 'loss-accepted');
    expect(accepted?.facts).toMatchObject({ by: 'ana', uncounted: expect.stringContaining('NotSupported') });
    expect(accepted?.facts).not.toHaveProperty('bytes');
  },
  120_000,
);
