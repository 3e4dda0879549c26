/**
 * A machine that is made at an alternate location, against the simulator: its making, its disks, its start, and the undo
 * of all of it, each also twice and with answers that never came.
 * Rule: what the client says and what the simulator shows must agree. Never leaves a disk on the shared mover.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePlugged, ensureUnplugged } from '../../sites/vsphere/reconfigure.ts';
import { createdFile, runTag } from '../../sites/vsphere/staged-disks.ts';
import { madePower, newPlaceRequest, planOf } from './new-place.ts';
import {
  MiB,
  moverName,
  onSimulator,
  original,
  pathOf,
  quietWork,
  runA,
  runB,
  type SeenMachine,
  type Simulator,
} from './simulator.ts';

let simulator: Simulator;
const work = quietWork();

onSimulator([original('taken'), original('taken-too'), original('twin')], (started) => {
  simulator = started;
});

interface Row extends SeenMachine {
  readonly firmware: string;
  readonly nics: readonly { readonly network: string; readonly mac: string; readonly startConnected: boolean }[];
}
const rows = async (): Promise<readonly Row[]> => (await simulator.door('GET', '/state')) as readonly Row[];
const rowOf = async (name: string): Promise<Row | undefined> => (await rows()).find((row) => row.name === name);
const filesOn = async (name: string): Promise<string[]> => ((await rowOf(name))?.disks ?? []).map(({ file }) => file);
const folderOf = (name: string, run = runA): string => join(simulator.datastoreFolder, `${name}${runTag(run)}`);
const createdOf = (name: string, run = runA): string[] =>
  newPlaceRequest(name).pairs.map(({ target }) => createdFile(target.file, run));
const withoutOwn = (files: readonly string[]): string[] => files.filter((file) => !file.includes(`] ${moverName}/`));

test('S000-24 C5 a machine whose original is gone is made, filled through the mover, started and finished', async () => {
  const target = simulator.target();
  const request = newPlaceRequest('walk');
  expect((await target.observeMachine(pathOf('walk'), work, runA, true)).power).toBe('absent');
  const open = await target.ensureDisksOpen(request, work);
  expect(open.map(({ disk, file, sizeBytes }) => [disk, file, sizeBytes])).toEqual(
    createdOf('walk').map((file, at) => [request.pairs[at]?.disk, file, request.pairs[at]?.source.sizeBytes]),
  );
  expect(await rowOf('walk')).toMatchObject({
    ...{ power: 'off', firmware: 'efi', disks: [] },
    nics: [{ network: 'VM Network', mac: '00:50:56:01:02:03', startConnected: true }],
  });
  expect(withoutOwn(await filesOn(moverName))).toEqual(createdOf('walk'));
  // S4: there is nothing in it to boot from, and our own start is barred too.
  await expect(target.ensureStarted(madePower('walk'), work)).rejects.toThrow(/disks of walk are open/);
  await target.ensureDisksReleased(request, work);
  for (let tries = 0; tries < 2; tries++) await target.ensureDisksReturned(request, work);
  expect((await rowOf('walk'))?.disks.map(({ file, controllerKey, unit }) => [file, controllerKey, unit])).toEqual(
    createdOf('walk').map((file, unit) => [file, 1000, unit]),
  );
  expect((await target.ensureStarted(madePower('walk'), work)).power).toBe('running');
  for (let tries = 0; tries < 2; tries++) expect(await target.ensureFinished(request, work)).toEqual([]);
  expect((await target.observeMachine(pathOf('walk'), work, runA, true)).power).toBe('running');
});

test('S5 S11 the undo removes exactly what was made: disks, machine and folder; and again when nothing is left', async () => {
  const target = simulator.target();
  const before = (await rows()).map(({ name }) => name);
  const request = newPlaceRequest('undone');
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(madePower('undone'), work);
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toThrow(/undone is poweredOn/);
  expect((await target.ensureStopped(madePower('undone'), work)).power).toBe('stopped');
  for (let tries = 0; tries < 2; tries++) expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  expect((await rows()).map(({ name }) => name)).toEqual(before);
  expect(withoutOwn(await filesOn(moverName))).toEqual([]);
  expect(existsSync(folderOf('undone'))).toBe(false);
  expect((await target.observeMachine(pathOf('undone'), work, runA, true)).power).toBe('absent');
});

test('S5 a disk that somebody hung into the new machine keeps it from being destroyed', async () => {
  const target = simulator.target();
  const request = newPlaceRequest('guestdisk');
  await target.ensureDisksOpen(request, work);
  const plug = { file: '[lab-ds] twin/twin.vmdk', sizeBytes: 8 * MiB, diskMode: 'persistent' };
  await simulator.hands('guestdisk', (at, machine) => ensurePlugged(at, machine, [plug], work));
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining('holds [lab-ds] twin/twin.vmdk'),
  });
  expect(existsSync(join(simulator.datastoreFolder, 'twin/twin.vmdk'))).toBe(true);
  await simulator.hands('guestdisk', (at, machine) => ensureUnplugged(at, machine, [plug.file], [], work));
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  expect(await rowOf('guestdisk')).toBeUndefined();
});

test('a CreateVM whose answer never came leaves one machine', async () => {
  const target = simulator.target({ callTimeoutMs: 300 });
  await simulator.door('POST', '/rules', { method: 'CreateVM_Task', delayMs: 700 });
  const request = newPlaceRequest('lost');
  expect(await target.ensureDisksOpen(request, work)).toHaveLength(2);
  await simulator.door('DELETE', '/rules');
  expect((await rows()).filter((row) => row.name.startsWith('lost')).map((row) => row.name)).toEqual(['lost']);
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
});

test('two attempts at once make one machine, also where a suffix is allowed', async () => {
  const plan = planOf({ onNameClash: 'suffix' });
  const request = newPlaceRequest('taken', { plan });
  // The first is in the middle of it when the second looks.
  await simulator.door('POST', '/rules', { method: 'CreateVM_Task', where: 'task', delayMs: 400 });
  const open = await Promise.all([1, 2].map(() => simulator.target().ensureDisksOpen(request, work)));
  await simulator.door('DELETE', '/rules');
  expect(open[0]).toEqual(open[1]);
  const made = (await rows()).filter(({ name }) => name.startsWith('taken-') && name !== 'taken-too');
  expect(made.map(({ name }) => name)).toEqual(['taken-2']);
  const target = simulator.target();
  // The one that stands at the path is nobody's business: not looked at, not started, not stopped.
  await simulator.door('POST', '/power', { vm: 'taken', state: 'on' });
  expect((await target.observeMachine(pathOf('taken'), work, runA, true)).power).toBe('stopped');
  await target.ensureDisksAbandoned(request, work);
  await expect(target.ensureStopped(madePower('taken'), work)).rejects.toMatchObject({ kind: 'Refused' });
  expect((await rowOf('taken'))?.power).toBe('on');
  expect(await rowOf('taken-2')).toBeUndefined();
});

test('a name or a BIOS UUID that is taken is refused, and nothing is made', async () => {
  const target = simulator.target();
  await expect(target.ensureDisksOpen(newPlaceRequest('taken-too'), work)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining('stands at /DC0/vm/taken-too already'),
    hint: expect.stringContaining('suffix'),
  });
  const biosUuid = '4229a7c4-0000-4000-8000-00000000abcd';
  const first = newPlaceRequest('first', { plan: planOf({ biosUuid, nics: [] }) });
  await target.ensureDisksOpen(first, work);
  const second = newPlaceRequest('second', { run: runB, plan: planOf({ biosUuid, nics: [] }) });
  await expect(target.ensureDisksOpen(second, work)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining(`BIOS UUID ${biosUuid} belongs to first already`),
  });
  expect(await rowOf('second')).toBeUndefined();
  await target.ensureDisksAbandoned(first, work);
  await target.ensureDisksAbandoned(second, work);
});

test('S5 killed between any two changes, the next attempt goes on and the undo leaves nothing', async () => {
  const target = simulator.target();
  const before = readdirSync(simulator.datastoreFolder);
  // CreateVM, the first disk, the second disk, the mover.
  for (const rule of [
    { method: 'CreateVM_Task', fault: 'InvalidState' },
    { method: 'CreateVirtualDisk_Task', fault: 'NoDiskSpace' },
    { method: 'CreateVirtualDisk_Task', skip: 1, fault: 'NoDiskSpace' },
    { method: 'ReconfigVM_Task', fault: 'InvalidState' },
  ]) {
    const request = newPlaceRequest('torn');
    await simulator.door('POST', '/rules', rule);
    await expect(target.ensureDisksOpen(request, work)).rejects.toMatchObject({ kind: 'Refused' });
    await simulator.door('DELETE', '/rules');
    expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
    await simulator.door('POST', '/rules', rule);
    await expect(target.ensureDisksOpen(request, work)).rejects.toMatchObject({ kind: 'Refused' });
    await simulator.door('DELETE', '/rules');
    expect(await target.ensureDisksOpen(request, work)).toHaveLength(2);
    expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
    expect(await rowOf('torn')).toBeUndefined();
  }
  expect(readdirSync(simulator.datastoreFolder)).toEqual(before);
});

test('S5 S11 an undo that vCenter refuses at any of its changes goes on from there when it is tried again', async () => {
  const target = simulator.target();
  const before = readdirSync(simulator.datastoreFolder);
  const request = newPlaceRequest('refused');
  await target.ensureDisksOpen(request, work);
  // The disks are taken off the mover, then each is deleted, then the machine.
  for (const rule of [
    { method: 'ReconfigVM_Task', fault: 'InvalidState' },
    { method: 'DeleteVirtualDisk_Task', fault: 'NoPermission' },
    { method: 'DeleteVirtualDisk_Task', skip: 1, fault: 'FileFault' },
    { method: 'Destroy_Task', fault: 'InvalidState' },
  ]) {
    await simulator.door('POST', '/rules', rule);
    await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject({ kind: 'Refused' });
    await simulator.door('DELETE', '/rules');
    // S4: whatever is left of it cannot be started.
    await expect(target.ensureStarted(madePower('refused'), work)).rejects.toMatchObject({ kind: 'Refused' });
  }
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  expect(await rowOf('refused')).toBeUndefined();
  expect(readdirSync(simulator.datastoreFolder)).toEqual(before);
});

test('S5 a machine of ours that was renamed, or lost its record, is still known by its folder and never destroyed blindly', async () => {
  const target = simulator.target();
  const request = newPlaceRequest('named');
  await target.ensureDisksOpen(request, work);
  await simulator.byHand('named', { name: 'elsewhere' });
  expect(await target.ensureDisksOpen(request, work)).toHaveLength(2);
  expect(await rowOf('named')).toBeUndefined();
  const [first = '', second = ''] = createdOf('named');
  const record = {
    run: runA,
    path: pathOf('named'),
    state: 'open',
    way: 'created',
    'staged.0': first,
    'staged.1': second,
  };
  const settings = (value: (key: keyof typeof record) => string) =>
    (Object.keys(record) as (keyof typeof record)[]).map((key) => ({ key: `homeward.${key}`, value: value(key) }));
  await simulator.byHand('elsewhere', { extraConfig: settings(() => '') });
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject({ kind: 'Refused' });
  expect((await target.observeMachine(pathOf('named'), work, runA, true)).power).toBe('stopped');
  await simulator.byHand('elsewhere', { extraConfig: settings((key) => record[key]) });
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
});

test('S11 a machine of ours that somebody removed from vCenter leaves its folder, and the undo says so', async () => {
  const target = simulator.target();
  const request = newPlaceRequest('removed');
  await target.ensureDisksOpen(request, work);
  await simulator.door('POST', '/unregister', { vm: 'removed' });
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([
    `the folder of ${createdOf('removed')[0]}, whose machine somebody removed from vCenter`,
  ]);
  expect(withoutOwn(await filesOn(moverName))).toEqual([]);
  expect(readdirSync(folderOf('removed')).filter((file) => file.endsWith('.vmdk'))).toEqual([]);
});

test('S8 reassigning: the mover is left before and after the machine was made', async () => {
  const target = simulator.target();
  const request = newPlaceRequest('left');
  await target.ensureMoverLeft(request, work);
  await target.ensureDisksOpen(request, work);
  await target.ensureMoverLeft(request, work);
  expect(withoutOwn(await filesOn(moverName))).toEqual([]);
  expect(await target.ensureDisksOpen(request, work)).toHaveLength(2);
  await target.ensureDisksAbandoned(request, work);
});
