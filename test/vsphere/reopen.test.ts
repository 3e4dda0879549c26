/**
 * Sealed disks that the target had in use go back to the mover, against the simulator: off the machine, barred from starting,
 * and in their slots again afterwards. Rule: what the client says and what the simulator shows must agree.
 */
import { blocking } from '../../model/check.ts';
import { ensureUnplugged } from '../../sites/vsphere/reconfigure.ts';
import {
  diskOf,
  MiB,
  moverName,
  original,
  pathOf,
  powerOf,
  quietWork,
  requestFor,
  type Simulator,
  startSimulator,
} from './simulator.ts';

const names = [
  'again',
  'again-staged',
  'running',
  'undone',
  'home',
  'home-staged',
  'late',
  'half-way',
  'looked',
  'holder',
];
/** A mover with one free slot. */
const full = {
  name: 'full',
  power: 'on' as const,
  controllers: ['pvscsi'],
  disks: Array.from({ length: 14 }, (_, at) => ({
    file: `full/${at}.vmdk`,
    sizeBytes: MiB,
    unit: at < 7 ? at : at + 1,
  })),
};
let simulator: Simulator;
const work = quietWork();
beforeAll(async () => {
  simulator = await startSimulator([...names.map(original), full]);
});
afterAll(() => simulator?.stop());

const filesOn = async (name: string): Promise<string[]> =>
  (await simulator.machine(name)).disks.map(({ file }) => file);
const onMover = async (name: string): Promise<string[]> =>
  (await filesOn(moverName)).filter((file) => file.startsWith(`[lab-ds] ${name}/`));

const markOf = (name: string) => simulator.hands(name, async (_at, { mark }) => mark);

/** Opened, returned, started and stopped again: as after a first arrival that was no good. */
async function used(name: string, write?: 'staged') {
  const target = simulator.target();
  const request = await requestFor(target, name, write);
  const opened = await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(powerOf(name), work);
  await target.ensureStopped(powerOf(name), work);
  return { target, request, opened };
}

test.each([
  ['again', undefined],
  ['again-staged', 'staged'],
] as const)(
  'S001-13 S000-28 S4 S8 the disks of %s go back to the mover and return as often as they are wanted, each attempt twice, and a late one is fenced; all stands as it was opened then',
  async (name, write) => {
    const { target, request, opened } = await used(name, write);
    const files = opened.map(({ file }) => file);
    for (const uses of [1, 2]) {
      const first = await target.ensureDisksReopened({ ...request, uses }, work);
      expect(first.map(({ disk, file, sizeBytes, uuid }) => ({ disk, file, sizeBytes, uuid }))).toEqual(
        opened.map(({ disk, file, sizeBytes, uuid }) => ({ disk, file, sizeBytes, uuid })),
      );
      expect(await target.ensureDisksReopened({ ...request, uses }, work)).toEqual(first);
      expect(blocking(await target.observeOpened({ ...request, open: first }, work))).toEqual([]);
      expect([await filesOn(name), (await onMover(name)).sort()]).toEqual([[], [...files].sort()]);
      await expect(target.ensureStarted(powerOf(name), work)).rejects.toMatchObject({ kind: 'Refused' });
      await target.ensureDisksReleased({ ...request, uses }, work);
      await target.ensureDisksReturned({ ...request, uses }, work);
      expect([await filesOn(name), await onMover(name)]).toEqual([files, []]);
      const late = target.ensureDisksReopened({ ...request, uses }, work);
      await expect(late).rejects.toMatchObject({ kind: 'Fenced' });
      expect(await filesOn(name)).toEqual(files);
    }
    expect((await target.ensureStarted(powerOf(name), work)).power).toBe('running');
    expect(await markOf(name)).toMatchObject({ state: 'returned', uses: 2 });
    await target.ensureFinished(request, work);
    expect(await markOf(name)).toBeUndefined();
  },
);

test('S1 no disk is taken off a machine that runs', async () => {
  const { target, request } = await used('running');
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(powerOf('running'), work);
  const early = target.ensureDisksReopened({ ...request, uses: 1 }, work);
  await expect(early).rejects.toMatchObject({ kind: 'Refused', message: expect.stringContaining('is poweredOn') });
  expect(await onMover('running')).toEqual([]);
});

test('S5 S11 what was reopened is given up as what was opened, and disks that somebody moved away are named', async () => {
  const { target, request } = await used('undone');
  const [first, ...rest] = request.pairs;
  if (!first) throw new Error('no disks');
  const moved = { ...first, target: { ...first.target, file: '[lab-ds] elsewhere/undone.vmdk' } };
  const away = target.ensureDisksReopened({ ...request, pairs: [moved, ...rest], uses: 1 }, work);
  await expect(away).rejects.toMatchObject({ kind: 'Refused', hint: expect.stringContaining('Storage vMotion') });
  await target.ensureDisksReopened({ ...request, uses: 1 }, work);
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([diskOf('undone'), diskOf('undone', 1)]);
  expect([await filesOn('undone'), await onMover('undone')]).toEqual([[], []]);
  expect((await target.observeMachine(pathOf('undone'), work)).markedBy).toBe(request.run);
});

test('S4 S8 a late release, return or stop of an earlier arrival is fenced, and leaves disks and machine to the one that came after it', async () => {
  const { target, request, opened } = await used('late');
  const late = { kind: 'Fenced', message: expect.stringContaining('1 time(s), this step knows of 0') };
  await target.ensureDisksReopened({ ...request, uses: 1 }, work);
  await expect(target.ensureDisksReleased(request, work)).rejects.toMatchObject(late);
  await expect(target.ensureDisksReturned(request, work)).rejects.toMatchObject(late);
  expect((await onMover('late')).length).toBe(opened.length);
  expect(await markOf('late')).toMatchObject({ state: 'open', uses: 1 });
  await target.ensureDisksReleased({ ...request, uses: 1 }, work);
  await target.ensureDisksReturned({ ...request, uses: 1 }, work);
  await target.ensureStarted(powerOf('late'), work);
  await expect(target.ensureStopped({ ...powerOf('late'), uses: 0 }, work)).rejects.toMatchObject(late);
  expect((await simulator.machine('late')).power).toBe('on');
  expect(await markOf('late')).toMatchObject({ state: 'returned' });
  expect((await target.ensureStopped({ ...powerOf('late'), uses: 1 }, work)).power).toBe('stopped');
});

test('S4 S5 S001-13 disks of a return that stopped half-way hang on nothing, and go back to the mover all the same', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'half-way');
  const opened = await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await simulator.door('POST', '/snapshot', { vm: 'half-way' });
  await expect(target.ensureDisksReturned(request, work)).rejects.toMatchObject({ kind: 'Refused' });
  await simulator.door('DELETE', '/snapshot', { vm: 'half-way' });
  await target.ensureStopped({ ...powerOf('half-way'), uses: 0 }, work);
  const again = await target.ensureDisksReopened({ ...request, uses: 1, halfWay: true }, work);
  expect(again.map(({ file, uuid }) => ({ file, uuid }))).toEqual(opened.map(({ file, uuid }) => ({ file, uuid })));
});

test.each([
  ['home', undefined],
  ['home-staged', 'staged'],
] as const)(
  'S2 the machine %s is told as home only while it stands there, returned, with each disk that came home',
  async (name, write) => {
    const { target, request, opened } = await used(name, write);
    const look = (run = request.run) => target.observeReturned({ ...request, run, open: opened }, work);
    const refused = (words: string) => ({ kind: 'Refused', message: expect.stringContaining(words) });
    // Stopped for another point its record says sealed.
    await expect(look()).rejects.toMatchObject(refused('are not returned to it (sealed)'));
    await target.ensureDisksReturned(request, work);
    expect(await look()).toMatchObject({ power: 'stopped', recordOf: request.run });
    await target.ensureStarted(powerOf(name), work);
    expect((await look()).power).toBe('running');
    await expect(look('another')).rejects.toMatchObject(refused('does not carry the record'));
    const [first] = opened;
    if (!first) throw new Error('no disks');
    await simulator.door('POST', '/snapshot', { vm: name });
    expect((await look()).snapshots).toBe(1);
    await simulator.door('DELETE', '/snapshot', { vm: name });
    await simulator.door('POST', '/storage-vmotion', { vm: name, from: first.file, to: `[lab-ds] ${name}/moved.vmdk` });
    expect((await look()).power).toBe('running');
    // A clone has the UUID too, and is not the disk as long as that can be found by its name.
    await simulator.door('POST', '/storage-vmotion', { vm: name, from: `[lab-ds] ${name}/moved.vmdk`, to: first.file });
    const elsewhere = { ...first, file: diskOf('holder') };
    const clone = target.observeReturned({ ...request, open: [elsewhere, ...opened.slice(1)] }, work);
    await expect(clone).rejects.toMatchObject(refused(`does not hold ${elsewhere.file} any more`));
    // It was moved, and the datastore it came from was taken away since.
    const before = { ...first, file: first.file.replace('[lab-ds]', '[old-ds]') };
    const home = await target.observeReturned({ ...request, open: [before, ...opened.slice(1)] }, work);
    expect(home.power).toBe('running');
    await simulator.door('POST', '/power', { vm: name, state: 'off' });
    await simulator.hands(name, async (at, machine) => {
      const [disk] = machine.disks;
      if (disk) await ensureUnplugged(at, machine, [disk.file], [], work);
    });
    await expect(look()).rejects.toMatchObject(refused(`does not hold ${first.file} any more`));
    await simulator.door('POST', '/unregister', { vm: name });
    await expect(look()).rejects.toMatchObject(refused('no machine stands at'));
  },
);

test('S5 L3 before the machine is stopped all is looked at that would stop the change once it is off; it goes on running', async () => {
  const { target, request } = await used('looked');
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(powerOf('looked'), work);
  const wish = { ...request, uses: 1 };
  const look = (change: Partial<typeof wish> = {}) => target.observeReopening({ ...wish, ...change }, work);
  await look();
  for (const vm of ['looked', moverName]) {
    await simulator.door('POST', '/snapshot', { vm });
    await expect(look()).rejects.toMatchObject({ kind: 'Refused', message: expect.stringContaining('1 snapshot') });
    await simulator.door('DELETE', '/snapshot', { vm });
  }
  const slots = { kind: 'Refused', message: 'the mover full has 1 free SCSI slot(s), 2 needed' };
  await expect(look({ mover: '/DC0/vm/full' })).rejects.toMatchObject(slots);
  await expect(look({ mover: pathOf('undone') })).rejects.toMatchObject({ hint: 'Power the mover on.' });
  const grown = request.pairs.map((pair) => ({ ...pair, source: { ...pair.source, sizeBytes: 2 * MiB } }));
  const size = { kind: 'Refused', message: expect.stringMatching(/bytes now, its source .* has 2097152/) };
  await expect(look({ pairs: grown })).rejects.toMatchObject(size);
  const [first, ...rest] = request.pairs;
  if (!first) throw new Error('no disks');
  const moved = { ...first, target: { ...first.target, file: '[lab-ds] elsewhere/looked.vmdk' } };
  await expect(look({ pairs: [moved, ...rest] })).rejects.toMatchObject({ hint: expect.stringContaining('vMotion') });
  expect((await target.observeMachine(pathOf('looked'), work)).power).toBe('running');
  expect(await onMover('looked')).toEqual([]);
  const asked = {
    path: request.path,
    write: 'in-place',
    diskSizesBytes: [8 * MiB, 4 * MiB],
    run: request.run,
  } as const;
  const checks = await target.preflight({ ...asked, mover: '/DC0/vm/full', beside: true }, work);
  expect(checks.find(({ id }) => id === 'mover-free-slots')).toMatchObject({
    verdict: 'warn',
    seen: expect.stringContaining('SCSI slots: 1 free, 2 needed for another point'),
  });
});
