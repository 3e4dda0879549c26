/**
 * A machine or a disk that somebody moved while a run had it, by hand in the simulator, and then the way back.
 * Rule: what is not found is not off (S1), and a disk is the same disk under its UUID, whatever its file is called by now
 * (S5, S11). What the client says and what the simulator shows must agree.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenDisk, WriteWay } from '../../model/machine.ts';
import type { TargetRequest } from '../../sites/target.ts';
import { ensurePlugged, ensureUnplugged } from '../../sites/vsphere/reconfigure.ts';
import { createTransport, type Transport } from '../../sites/vsphere/transport.ts';
import { newPlaceRequest } from './new-place.ts';
import {
  diskOf,
  MiB,
  moverName,
  moverPath,
  onSimulator,
  original,
  powerOf,
  quietWork,
  requestFor,
  runB,
  type Simulator,
} from './simulator.ts';
import { sourceStarted } from './source-start.ts';

const names = [
  ...'renamed moved hidden other twin given taker stopped thief half-way half-new'.split(' '),
  ...'never live live-staged own open open-staged lost taken twice twice-staged'.split(' '),
];
const work = quietWork();
let simulator: Simulator;
/** Cloned from one template: their first disks share a UUID. */
const ofTemplate = (name: string, power: 'on' | 'off') => ({
  ...original(name),
  power,
  disks: (original(name).disks ?? []).map((disk, at) => (at === 0 ? { ...disk, uuid: template } : disk)),
});
const template = '6000C29a-1111-2222-3333-444444444444';
const siblings = [ofTemplate('one', 'off'), ofTemplate('sibling', 'on'), ofTemplate('third', 'off')];
onSimulator([...siblings, ...[...names, 'held', 'cloned'].map(original)], (started) => {
  simulator = started;
});

const noRecord = ['run', 'path', 'state', 'way', 'original.0', 'original.1', 'staged.0', 'staged.1'].map((key) => ({
  ...{ key: `homeward.${key}`, value: '' },
}));
const filesOn = async (name: string): Promise<string[]> =>
  (await simulator.machine(name)).disks.map(({ file }) => file);
const onMover = async (): Promise<string[]> =>
  (await filesOn(moverName)).filter((file) => !file.startsWith(`[lab-ds] ${moverName}/`));
const isThere = (file: string): boolean => existsSync(join(simulator.datastoreFolder, file.replace('[lab-ds] ', '')));
const vMotion = (vm: string, from: string, to: string) => simulator.door('POST', '/storage-vmotion', { vm, from, to });
const refused = (...words: string[]) => ({
  kind: 'Refused',
  message: expect.stringMatching(new RegExp(words.map((word) => word.replace(/[[\].]/g, '\\$&')).join('.*'))),
});

/** A request with its disks open on the mover. */
async function opened(name: string, write?: WriteWay): Promise<TargetRequest & { readonly open: readonly OpenDisk[] }> {
  const target = simulator.target();
  const request = write === 'created' ? newPlaceRequest(name) : await requestFor(target, name, write);
  return { ...request, open: await target.ensureDisksOpen(request, work) };
}

/** The same with the machine live at home. */
async function live(name: string, write?: WriteWay) {
  const target = simulator.target();
  const request = await opened(name, write);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(powerOf(name), work);
  return { target, request, open: request.open };
}

/** A vCenter that shows the machine to this account no more, as in a folder without rights. */
function hiding(name: string): Transport {
  const inner = createTransport({ ca: simulator.ca });
  return {
    async exchange(call) {
      const answer = await inner.exchange(call);
      if (call.op === 'FindByInventoryPath' && call.body?.includes(`/${name}<`))
        return { ...answer, body: answer.body.replace(/<(\w+:)?returnval[\s\S]*?<\/(\w+:)?returnval>/, '') };
      if (!call.op.endsWith('RetrievePropertiesEx')) return answer;
      const shown = answer.body.replace(/<objects>(?:(?!<\/objects>)[\s\S])*<\/objects>/g, (one) =>
        one.includes(`>${name}<`) ? '' : one,
      );
      return { ...answer, body: shown };
    },
    close: () => inner.close(),
  };
}

test('S1 a live machine that was renamed and lost its record is known by its disks: it is not off while it runs, nor does the source start beside it', async () => {
  const { target, open } = await live('renamed');
  await simulator.byHand('renamed', { name: 'erp-prod', extraConfig: noRecord });
  const power = { ...powerOf('renamed'), open };
  await expect(target.ensureStopped(power, work)).rejects.toMatchObject(refused('erp-prod', 'record of run'));
  const beside = await sourceStarted(target, 'renamed', open);
  expect(beside).toMatchObject({ started: false, told: expect.stringMatching(/erp-prod.*is running \(poweredOn\)/) });
  expect((await simulator.machine('erp-prod')).power).toBe('on');
  // A person saw to it: it is off, and holds all that came home.
  await simulator.door('POST', '/power', { vm: 'erp-prod', state: 'off' });
  expect(await sourceStarted(target, 'renamed', open)).toEqual({ started: true, told: '' });
});

test('S1 a live machine that this account does not see any more is not off, and another one at its path or a clone of its disks does not stand for it', async () => {
  const { open } = await live('hidden');
  const target = simulator.target({ transport: hiding('hidden') });
  const power = { ...powerOf('hidden'), open };
  const unseen = refused('is not found', 'hidden');
  await expect(target.ensureStopped(power, work)).rejects.toMatchObject({
    ...unseen,
    hint: expect.stringContaining('skip'),
  });
  await expect(target.ensureProofEnded(power, work)).rejects.toMatchObject(unseen);
  expect(await sourceStarted(target, 'hidden', open)).toMatchObject({ started: false });
  expect((await simulator.machine('hidden')).power).toBe('on');
  // Half of the disks do not tell of the machine either.
  const [first] = open;
  if (!first) throw new Error('no disks');
  const half = { ...first, file: diskOf('other'), uuid: '' };
  expect(await sourceStarted(target, 'hidden', [half, ...open.slice(1)])).toMatchObject({ started: false });
});

test('S1 a machine that stands at the path without the record and with a part of the disks does not stand for what runs with the rest', async () => {
  const { target, open } = await live('moved');
  await simulator.door('POST', '/power', { vm: 'moved', state: 'off' });
  const second = diskOf('moved', 1);
  await simulator.hands('moved', (at, machine) => ensureUnplugged(at, machine, [second], [], work));
  await simulator.byHand('moved', { extraConfig: noRecord });
  const beside = (told: string) => ({ started: false, told: expect.stringContaining(told) });
  expect(await sourceStarted(target, 'moved', open)).toMatchObject(beside('is not found'));
  // Whoever runs with a part of them is heard before one that is off with the rest.
  const plug = { file: second, sizeBytes: 4 * MiB, diskMode: 'persistent' };
  await simulator.hands('twin', (at, machine) => ensurePlugged(at, machine, [plug], work));
  await simulator.door('POST', '/power', { vm: 'twin', state: 'on' });
  expect(await sourceStarted(target, 'moved', open)).toMatchObject(beside('twin now without our record, is running'));
});

test('S1 the machine with the record is off, but its disks run in another one: that one is not stopped as ours, nor does the source start beside it', async () => {
  const { target, open } = await live('given');
  await simulator.door('POST', '/power', { vm: 'given', state: 'off' });
  const files = open.map(({ file }) => file);
  await simulator.hands('given', (at, machine) => ensureUnplugged(at, machine, files, [], work));
  const plugs = open.map(({ file, sizeBytes }) => ({ file, sizeBytes, diskMode: 'persistent' }));
  await simulator.hands('taker', (at, machine) => ensurePlugged(at, machine, plugs, work));
  await simulator.door('POST', '/power', { vm: 'taker', state: 'on' });
  await expect(target.ensureStopped({ ...powerOf('given'), open }, work)).rejects.toMatchObject(refused('taker'));
  const beside = await sourceStarted(target, 'given', open);
  expect(beside).toMatchObject({ started: false, told: expect.stringMatching(/taker.*is running \(poweredOn\)/) });
  expect((await simulator.machine('taker')).power).toBe('on');
  await simulator.door('POST', '/power', { vm: 'taker', state: 'off' });
  expect(await sourceStarted(target, 'given', open)).toEqual({ started: true, told: '' });
  // With one disk alone, and that moved, nothing but its UUID tells of it.
  const [first = '', second = ''] = files;
  await simulator.hands('taker', (at, machine) => ensureUnplugged(at, machine, [second], [], work));
  await vMotion('taker', first, '[lab-ds] elsewhere/given.vmdk');
  await simulator.door('POST', '/power', { vm: 'taker', state: 'on' });
  const lost = expect.stringMatching(/given.vmdk is gone.*elsewhere\/given.vmdk on taker/);
  expect(await sourceStarted(target, 'given', open)).toEqual({ started: false, told: lost });
});

test('S1 the same of one disk of a machine that the way back itself has stopped, before the source starts', async () => {
  const { target, open } = await live('stopped');
  const [, second] = open;
  if (!second) throw new Error('two disks were opened');
  await simulator.hands('stopped', (at, machine) => ensureUnplugged(at, machine, [second.file], [], work));
  const plug = { file: second.file, sizeBytes: second.sizeBytes, diskMode: 'persistent' };
  await simulator.hands('thief', (at, machine) => ensurePlugged(at, machine, [plug], work));
  await vMotion('thief', second.file, '[lab-ds] elsewhere/stopped_1.vmdk');
  await simulator.door('POST', '/power', { vm: 'thief', state: 'on' });
  expect((await target.ensureStopped({ ...powerOf('stopped'), open }, work)).power).toBe('stopped');
  const lost = expect.stringMatching(/stopped_1.vmdk is gone.*elsewhere\/stopped_1.vmdk on thief/);
  expect(await sourceStarted(target, 'stopped', open)).toEqual({ started: false, told: lost });
});

test('S1 L6 disks that hang on the mover, half way to another point, run nowhere: the mover is no other machine and keeps no source from serving', async () => {
  const target = simulator.target();
  const request = await opened('half-way');
  expect((await simulator.machine(moverName)).power).toBe('on');
  expect(await sourceStarted(target, 'half-way', request.open)).toEqual({ started: true, told: '' });
  await target.ensureDisksAbandoned(request, work);
});

test('S1 L6 a machine that was never given its disks has nothing to run: not found, it keeps no source from serving', async () => {
  const target = simulator.target();
  await simulator.byHand('never', { name: 'was-never' });
  expect(await sourceStarted(target, 'never', [], false)).toEqual({ started: true, told: '' });
});

test('S4 S5 S11 in place: the way back takes off the disks that Storage vMotion moved on the live machine, names them, and a later run finds them', async () => {
  const { target, request } = await live('live');
  const away = ['[lab-ds] elsewhere/live.vmdk', '[lab-ds] elsewhere/live_1.vmdk'];
  for (const [at, to] of away.entries()) await vMotion('live', diskOf('live', at), to);
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject(refused('live is poweredOn'));
  await target.ensureStopped(powerOf('live'), work);
  for (let tries = 0; tries < 2; tries++) expect(await target.ensureDisksAbandoned(request, work)).toEqual(away);
  expect(await filesOn('live')).toEqual([]);
  const later = await requestFor(target, 'live', 'in-place', runB);
  expect(later.pairs.map((pair) => pair.target.file)).toEqual(away);
  expect((await target.ensureDisksOpen(later, work)).map(({ file }) => file)).toEqual(away);
  await target.ensureDisksAbandoned(later, work);
});

test('S5 L6 a disk that was moved on the live machine is known by hanging there: a clone of the same template, which shares its UUID and runs, keeps no source from serving and no disk from being taken off', async () => {
  const { target, request, open } = await live('one');
  const away = '[lab-ds] elsewhere/one.vmdk';
  await vMotion('one', diskOf('one'), away);
  await target.ensureStopped({ ...powerOf('one'), open, mover: moverPath }, work);
  expect(await sourceStarted(target, 'one', open)).toEqual({ started: true, told: '' });
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([away, diskOf('one', 1)]);
  // Off everything, the disk has its UUID on the clone alone, which has not the other one.
  expect(await sourceStarted(target, 'one', open)).toEqual({ started: true, told: '' });
  expect(await filesOn('sibling')).toEqual([diskOf('sibling'), diskOf('sibling', 1)]);
});

test('S2 S5 staged: an original that was moved and detached is not the disk of a clone of the same template, and nothing is deleted before that is told', async () => {
  const target = simulator.target();
  const request = await opened('third', 'staged');
  const away = '[lab-ds] elsewhere/third.vmdk';
  await vMotion('third', diskOf('third'), away);
  await simulator.hands('third', (at, machine) => ensureUnplugged(at, machine, [away], [], work));
  const gone = refused(`${diskOf('third')} is gone`, `${diskOf('sibling')} on sibling`);
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject(gone);
  expect([...(await onMover())].sort()).toEqual(request.open.map(({ file }) => file).sort());
  const plug = { file: away, sizeBytes: 8 * MiB, diskMode: 'persistent' };
  await simulator.hands('third', (at, machine) => ensurePlugged(at, machine, [plug], work));
  expect([await target.ensureDisksAbandoned(request, work), await onMover()]).toEqual([[], []]);
});

test('S5 S11 a moved disk that hangs nowhere is not the one of a clone of the same template: that is neither recorded as the run’s nor taken off, and plugged in again the moved one is it', async () => {
  const target = simulator.target();
  const asked = await requestFor(target, 'one', 'in-place', runB);
  const request = { ...asked, open: await target.ensureDisksOpen(asked, work) };
  const [{ file, sizeBytes } = { file: '', sizeBytes: 0 }, second] = request.open;
  const away = '[lab-ds] elsewhere/one-again.vmdk';
  await vMotion(moverName, file, away);
  await simulator.hands(moverName, (at, machine) => ensureUnplugged(at, machine, [away], [], work));
  const gone = refused(`${file} is gone`, `${diskOf('sibling')} on sibling`);
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject(gone);
  // So it is with one clone alone.
  await simulator.door('POST', '/unregister', { vm: 'third' });
  await expect(target.ensureDisksOpen(request, work)).rejects.toMatchObject(gone);
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject(gone);
  const recorded = await simulator.hands('one', async (_at, { mark }) => mark?.originals.map((one) => one.file));
  expect([recorded, await onMover()]).toEqual([[file, second?.file], [second?.file]]);
  const plug = { file: away, sizeBytes, diskMode: 'persistent' };
  await simulator.hands('one', (at, machine) => ensurePlugged(at, machine, [plug], work));
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([away, second?.file]);
});

test.each([
  ['twice', 'in-place'],
  ['twice-staged', 'staged'],
  ['twice-made', 'created'],
] as const)(
  'S9 S11 %s: opened again while a disk lies elsewhere, no new one is made in its place; moved back it is the one that was opened',
  async (name, write) => {
    const target = simulator.target();
    const request = await opened(name, write);
    const { file = '' } = request.open[0] ?? {};
    const away = `[lab-ds] elsewhere/${name}.vmdk`;
    await vMotion(moverName, file, away);
    await expect(target.ensureDisksOpen(request, work)).rejects.toMatchObject({
      ...refused(file, `is ${away} now`, moverName),
      hint: expect.stringMatching(/Move it back.*copied in full/),
    });
    expect(isThere(file)).toBe(false);
    await vMotion(moverName, away, file);
    expect(await target.ensureDisksOpen(request, work)).toEqual(request.open);
    await target.ensureDisksAbandoned(request, work);
    expect(await onMover()).toEqual([]);
  },
);

test.each([
  ['live-staged', 'staged', true],
  ['open-staged', 'staged', false],
  ['open-made', 'created', false],
] as const)(
  'S4 S5 S11 %s: a new disk that Storage vMotion moved is named before anything is unplugged or deleted, and once it is gone the way back goes on',
  async (name, write, isLive) => {
    const target = simulator.target();
    const before = write === 'created' ? [] : (await simulator.machine(name)).disks;
    const request = isLive ? (await live(name, write)).request : await opened(name, write);
    const holder = isLive ? name : moverName;
    const held = await filesOn(holder);
    const [first, second] = request.open;
    if (!first || !second) throw new Error('no disks');
    const away = `[lab-ds] elsewhere/${name}_1.vmdk`;
    await vMotion(holder, second.file, away);
    if (isLive) await target.ensureStopped(powerOf(name), work);
    for (let tries = 0; tries < 2; tries++)
      await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject({
        ...refused(second.file, `is ${away} now`, holder),
        hint: expect.stringContaining(`Detach`),
      });
    expect(await filesOn(holder)).toEqual(held.map((file) => (file === second.file ? away : file)));
    expect(isThere(first.file)).toBe(true);
    await simulator.hands(holder, (at, machine) => ensureUnplugged(at, machine, [away], [], work));
    expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
    expect([await onMover(), isThere(first.file)]).toEqual([[], false]);
    if (write === 'staged') expect((await simulator.machine(name)).disks).toEqual(before);
  },
);

test('S5 staged: an original that was moved meanwhile still hangs in its slot, and nothing is plugged there', async () => {
  const target = simulator.target();
  const request = await opened('own', 'staged');
  const away = '[lab-ds] elsewhere/own.vmdk';
  await vMotion('own', diskOf('own'), away);
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  expect(await filesOn('own')).toEqual([away, diskOf('own', 1)]);
});

test('S8 S11 a disk that Storage vMotion moved on the mover is neither given to another mover nor called released; the way back takes it off, with or without the record', async () => {
  const target = simulator.target();
  for (const name of ['open', 'lost'] as const) {
    const request = await opened(name);
    const away = `[lab-ds] elsewhere/${name}.vmdk`;
    await vMotion(moverName, diskOf(name), away);
    const named = refused(diskOf(name), `is ${away} now`, moverName);
    await expect(target.ensureMoverLeft(request, work)).rejects.toMatchObject(named);
    // It is sealed by then, and the file that it is now is proven by nobody.
    const onlyBack = { ...named, hint: expect.stringMatching(/^(?!.*retry).*Take the run back/) };
    await expect(target.ensureDisksReleased(request, work)).rejects.toMatchObject(onlyBack);
    expect((await onMover()).sort()).toEqual([away, diskOf(name, 1)].sort());
    if (name === 'lost') await simulator.byHand(name, { extraConfig: noRecord });
    expect(await target.ensureDisksAbandoned(request, work)).toEqual([away, diskOf(name, 1)]);
    expect(await onMover()).toEqual([]);
  }
});

test('S8 a late undo of an earlier run leaves the disk of the run that took over where it is, also when somebody moved it', async () => {
  const target = simulator.target();
  const first = await opened('taken');
  await target.ensureDisksAbandoned(first, work);
  const second = { ...first, run: runB };
  await target.ensureDisksOpen(second, work);
  await vMotion(moverName, diskOf('taken'), '[lab-ds] elsewhere/taken.vmdk');
  await expect(target.ensureDisksAbandoned(first, work)).rejects.toMatchObject({ kind: 'Fenced' });
  expect((await onMover()).sort()).toEqual(['[lab-ds] elsewhere/taken.vmdk', diskOf('taken', 1)]);
  await target.ensureDisksAbandoned(second, work);
});

test('S4 S5 the undo does not say that the disks hang on nothing while a machine without the record holds them, whatever it is called', async () => {
  const { target, request } = await live('held');
  await simulator.byHand('held', { extraConfig: noRecord });
  const abandon = () => target.ensureDisksAbandoned(request, work);
  await expect(abandon()).rejects.toMatchObject(refused(diskOf('held'), 'is held by held'));
  await simulator.byHand('held', { name: 'was-held' });
  await expect(abandon()).rejects.toMatchObject(refused(diskOf('held'), 'is held by was-held'));
});

test('S5 a disk that only has the UUID of one of ours, whose file is still there, is a clone and stays where it hangs', async () => {
  const target = simulator.target();
  const request = await opened('cloned');
  await target.ensureDisksAbandoned(request, work);
  const [mine] = (await simulator.hands(moverName, async (_at, { disks }) => disks)) as readonly { uuid: string }[];
  const same = request.open.map((disk) => ({ ...disk, uuid: mine?.uuid ?? '' }));
  const before = await filesOn(moverName);
  await target.ensureMoverLeft({ ...request, open: same }, work);
  await simulator.byHand('cloned', { extraConfig: noRecord });
  await target.ensureDisksAbandoned({ ...request, open: same, mover: moverPath }, work);
  expect(await filesOn(moverName)).toEqual(before);
});

test('S1 L5 L6 a mover that was renamed half way to another point is not told as the target: whoever stopped it would stop the copies of other machines', async () => {
  const target = simulator.target();
  const { open } = await opened('half-new');
  await simulator.byHand(moverName, { name: 'mover-new' });
  const power = { ...powerOf('half-new'), open, mover: moverPath };
  await expect(target.ensureStopped(power, work)).rejects.toMatchObject({
    ...refused('no machine stands at', 'mover-new', 'may be the mover'),
    hint: expect.stringMatching(/Do not stop mover-new.*its name back/),
  });
  expect(await sourceStarted(target, 'half-new', open)).toMatchObject({
    started: false,
    told: expect.stringContaining('may be the mover'),
  });
  // A person saw that it was another machine, and it is off.
  await simulator.door('POST', '/power', { vm: 'mover-new', state: 'off' });
  expect(await sourceStarted(target, 'half-new', open)).toEqual({ started: true, told: '' });
});
