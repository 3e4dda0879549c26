/**
 * A disk of a run whose file is gone and that hangs on none of its machines: lost, or moved and detached by somebody.
 * Rule: a clone of the same template, which has its UUID and is in use, is never told to give up its own disk, and what a
 * person is told to do can be done where it is told (S5, L6).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenDisk, WriteWay } from '../../model/machine.ts';
import type { TargetRequest } from '../../sites/target.ts';
import { ensurePlugged, ensureUnplugged } from '../../sites/vsphere/reconfigure.ts';
import {
  diskOf,
  MiB,
  moverName,
  onSimulator,
  original,
  powerOf,
  quietWork,
  requestFor,
  type Simulator,
} from './simulator.ts';

const work = quietWork();
let simulator: Simulator;
const ours = ['unknown', 'gone', 'later', 'home'];
/** Each is cloned from a template of its own, like two machines in use: their first disks share a UUID. */
const ofTemplate = (name: string, uuid: string, power: 'on' | 'off') => ({
  ...original(name),
  power,
  disks: (original(name).disks ?? []).map((disk, at) => (at === 0 ? { ...disk, uuid } : disk)),
});
const cloned = ours.flatMap((name, at) => {
  const uuid = `6000C29a-1111-2222-3333-44444444444${at}`;
  return [ofTemplate(name, uuid, 'off'), ofTemplate(`${name}-a`, uuid, 'on'), ofTemplate(`${name}-b`, uuid, 'on')];
});
onSimulator([...cloned, original('orphan')], (started) => {
  simulator = started;
});

const noRecord = ['run', 'path', 'state', 'way', 'original.0', 'original.1'].map((key) => ({
  ...{ key: `homeward.${key}`, value: '' },
}));
const elsewhere = (name: string): string => `[lab-ds] elsewhere/${name}.vmdk`;
const isThere = (file: string): boolean => existsSync(join(simulator.datastoreFolder, file.replace('[lab-ds] ', '')));
const unplug = (vm: string, file: string) =>
  simulator.hands(vm, (at, machine) => ensureUnplugged(at, machine, [file], [], work));
const plug = (vm: string, file: string) =>
  simulator.hands(vm, (at, machine) =>
    ensurePlugged(at, machine, [{ file, sizeBytes: 8 * MiB, diskMode: 'persistent' }], work),
  );

async function opened(name: string, write?: WriteWay): Promise<TargetRequest & { readonly open: readonly OpenDisk[] }> {
  const target = simulator.target();
  const request = await requestFor(target, name, write);
  return { ...request, open: await target.ensureDisksOpen(request, work) };
}

/** Its first disk is moved to another file while it hangs there, and taken off. */
async function moveAndDetach(vm: string, name: string, file: string): Promise<void> {
  await simulator.door('POST', '/storage-vmotion', { vm, from: file, to: elsewhere(name) });
  await unplug(vm, elsewhere(name));
}

const told = (message: RegExp, hint: RegExp) => ({
  ...{ kind: 'Refused', message: expect.stringMatching(message), hint: expect.stringMatching(hint) },
});
const byOnTheMover =
  /do not detach that\..*attach it to the mover, then resolve with retry\. If it is lost for good, resolve with skip/;

test('S5 L6 where the record is gone the way back tells nobody to detach the disk of a clone that runs, of one or of two of them', async () => {
  const target = simulator.target();
  const request = await opened('unknown');
  const [first, second] = request.open;
  await moveAndDetach(moverName, 'unknown', first?.file ?? '');
  await simulator.byHand('unknown', { extraConfig: noRecord });
  const gone = told(/unknown\.vmdk is gone.*unknown-a\/unknown-a\.vmdk on unknown-a/, byOnTheMover);
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject(gone);
  await unplug('unknown-b', diskOf('unknown-b'));
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject(gone);
  await plug('unknown-b', diskOf('unknown-b'));
  // As it was told; and nothing had been changed before.
  await plug(moverName, elsewhere('unknown'));
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([elsewhere('unknown'), second?.file]);
  expect((await simulator.machine('unknown-a')).disks.map(({ file }) => file)).toContain(diskOf('unknown-a'));
});

test('S5 L6 of a machine that does not stand any more a lost disk is told in the same words', async () => {
  const target = simulator.target();
  const request = await opened('gone');
  await moveAndDetach(moverName, 'gone', request.open[0]?.file ?? '');
  await simulator.door('POST', '/unregister', { vm: 'gone' });
  const gone = told(/gone\/gone\.vmdk is gone/, byOnTheMover);
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject(gone);
});

test('S2 L6 what is to be done about a lost disk fits where the run stands: forward it is taken back, at the commit the machine at home runs on', async () => {
  const target = simulator.target();
  const forward = await opened('later');
  await moveAndDetach(moverName, 'later', forward.open[0]?.file ?? '');
  const takenBack = told(/later\.vmdk is gone/, /attach it to the mover, then .* take the run back\.$/);
  await expect(target.ensureDisksOpen(forward, work)).rejects.toMatchObject(takenBack);
  await plug(moverName, elsewhere('later'));
  await target.ensureDisksAbandoned(forward, work);

  const request = await opened('home');
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(powerOf('home'), work);
  await moveAndDetach('home', 'home', diskOf('home'));
  const atHome = told(
    /home\.vmdk is gone/,
    /^(?!.*keep that off).*attach it to the machine at home, then resolve with retry/,
  );
  await expect(target.observeReturned(request, work)).rejects.toMatchObject(atHome);
});

test('S11 a new disk that was moved and detached is looked for before one is made in its place', async () => {
  const target = simulator.target();
  const request = await opened('orphan', 'staged');
  const [{ file } = { file: '' }] = request.open;
  await moveAndDetach(moverName, 'orphan', file);
  const lost = told(/is gone.*nobody is seen/, /find its file.*attach it to the mover/);
  await expect(target.ensureDisksOpen(request, work)).rejects.toMatchObject(lost);
  expect([isThere(file), isThere(elsewhere('orphan'))]).toEqual([false, true]);
});

test('S7 L6 whose record somebody removed is told what goes on with the run that is under way', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'gone-a');
  await simulator.door('POST', '/power', { vm: 'gone-a', state: 'off' });
  const unrecorded = told(/no record of run/, /Restore them.*retry.*take the run back/);
  await expect(target.ensureDisksReleased(request, work)).rejects.toMatchObject(unrecorded);
});
