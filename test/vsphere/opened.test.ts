/**
 * What may change at home while the disks are open, done by hand in the simulator: each is noticed by name, and the run
 * that asks again is not in its own way.
 * Rule: every change is undone or made on a machine of its own, so that each test meets only its own.
 */
import { blocking, type Check } from '../../model/check.ts';
import type { OpenDisk, WriteWay } from '../../model/machine.ts';
import type { TargetRequest } from '../../sites/target.ts';
import type { VsphereTarget } from '../../sites/vsphere/target-site.ts';
import {
  diskOf,
  MiB,
  moverName,
  moverPath,
  onSimulator,
  original,
  pathOf,
  quietWork,
  requestFor,
  type Simulator,
} from './simulator.ts';

const names = ['quiet', 'quiet-staged', 'woken', 'shot', 'unmarked', 'moved', 'moved-staged', 'renamed', 'returned'];
const work = quietWork();
let simulator: Simulator;
let target: VsphereTarget;
onSimulator(names.map(original), (started) => {
  simulator = started;
  target = simulator.target();
});

interface Opened {
  readonly request: TargetRequest;
  readonly open: readonly OpenDisk[];
  look(): Promise<Check[]>;
  close(): Promise<void>;
}

/** Opens the machine's disks; `close` gives them up, so that the mover has room for the next. */
async function opened(name: string, write: WriteWay = 'in-place'): Promise<Opened> {
  const request = await requestFor(target, name, write, name);
  const open = await target.ensureDisksOpen(request, work);
  return {
    request,
    open,
    look: () => target.observeOpened({ ...request, open }, work),
    close: () => target.ensureDisksAbandoned(request, work).then(() => undefined),
  };
}
const refused = (checks: readonly Check[]): string[] => blocking(checks).map((one) => one.id);

test.each<[name: string, write: WriteWay]>([
  ['quiet', 'in-place'],
  ['quiet-staged', 'staged'],
])(
  'nothing that changed is nothing to tell, and the preflight of the run itself passes again: %s',
  async (name, write) => {
    const { request, look, close } = await opened(name, write);
    const checks = await look();
    expect(checks.filter((one) => one.verdict !== 'pass')).toEqual([]);
    expect(checks.map((one) => one.id)).toEqual([
      'target-stays',
      'target-powered-off',
      'target-no-snapshots',
      'target-record-stays',
      'original-disks-stay',
      'mover-stays',
      'mover-no-snapshots',
      'open-disks-stay',
    ]);
    const again = { path: pathOf(name), mover: moverPath, write, diskSizesBytes: [8 * MiB, 4 * MiB] };
    const own = await target.preflight({ ...again, run: request.run }, work);
    expect(own.filter((one) => one.verdict !== 'pass')).toEqual([]);
    // What the run has made is told as its own, with the evidence, to whoever asks beside it.
    const said = (id: string): string => own.find((one) => one.id === id)?.seen ?? '';
    expect(said('target-not-half-written')).toBe(`run ${request.run}, which is under way, has its disks (open)`);
    expect(said('mover-free-slots')).toContain(`0 needed: run ${request.run}, which is under way, has 2 disk(s) on it`);
    const stranger = await target.preflight({ ...again, run: 'another-run' }, work);
    if (write === 'in-place')
      expect(stranger.find((one) => one.id === 'target-not-half-written')?.verdict).toBe('warn');
    await close();
  },
);

test('S1 a machine that its run has started is told as its own to whoever asks beside it, and refused to the run itself and to others', async () => {
  const request = await requestFor(target, 'returned', 'staged', 'returned');
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted({ path: request.path, run: request.run, otherSideOff: async () => undefined }, work);
  const asked = { path: request.path, mover: moverPath, write: 'staged', diskSizesBytes: [8 * MiB, 4 * MiB] } as const;
  const beside = await target.preflight({ ...asked, run: request.run, beside: true }, work);
  expect(beside.filter((one) => one.verdict !== 'pass')).toEqual([]);
  expect(beside.find(({ id }) => id === 'target-powered-off')?.seen).toContain(
    `run ${request.run}, which is under way, gave its disks back sealed and started it`,
  );
  expect(refused(await target.preflight({ ...asked, run: request.run }, work))).toEqual(['target-powered-off']);
  expect(refused(await target.preflight({ ...asked, run: 'another', beside: true }, work))).toEqual([
    'target-powered-off',
    'target-not-half-written',
  ]);
});

test('S000-28 a target that was powered on by hand is found', async () => {
  const { look, close } = await opened('woken');
  await simulator.door('POST', '/power', { vm: 'woken', state: 'on' });
  const checks = await look();
  expect(refused(checks)).toEqual(['target-powered-off']);
  expect(blocking(checks)[0]?.remedy).toContain('Power the on-prem machine off');
  await simulator.door('POST', '/power', { vm: 'woken', state: 'off' });
  expect(refused(await look())).toEqual([]);
  await close();
});

test('S001-8 a snapshot on the target or on the mover is found', async () => {
  const { look, close } = await opened('shot');
  for (const [vm, id] of [
    ['shot', 'target-no-snapshots'],
    [moverName, 'mover-no-snapshots'],
  ] as const) {
    await simulator.door('POST', '/snapshot', { vm });
    expect(refused(await look())).toEqual([id]);
    await simulator.door('DELETE', '/snapshot', { vm });
  }
  expect(refused(await look())).toEqual([]);
  await close();
});

test('a record that somebody removed is found before it is needed, and so is a machine that somebody took away', async () => {
  const { request, open, look, close } = await opened('unmarked');
  await simulator.byHand('unmarked', { extraConfig: [{ key: 'homeward.run', value: 'somebody' }] });
  expect(refused(await look())).toEqual(['target-record-stays']);
  await simulator.byHand('unmarked', { extraConfig: [{ key: 'homeward.run', value: request.run }] });
  const nowhere = await target.observeOpened({ ...request, open, path: pathOf('nobody'), run: 'nobody' }, work);
  expect(refused(nowhere)).toEqual(['target-stays']);
  expect(refused(await target.observeOpened({ ...request, open, mover: pathOf('nobody') }, work))).toEqual([
    'mover-stays',
  ]);
  await close();
});

test('L1 L6 a machine that was renamed is still the one with the record, for the watch and for whoever asks during the run', async () => {
  const { request, look, close } = await opened('renamed');
  await simulator.byHand('renamed', { name: 'renamed-2' });
  expect(refused(await look())).toEqual([]);
  const { path, mover, write, run } = request;
  const asked = { path, mover, write, diskSizesBytes: request.pairs.map(({ source }) => source.sizeBytes) };
  expect(refused(await target.preflight({ ...asked, run }, work))).toEqual([]);
  // Of no run of its own nobody knows which machine it is.
  for (const other of [{}, { run: 'another' }])
    expect(refused(await target.preflight({ ...asked, ...other }, work))).toEqual(['target-found']);
  await simulator.byHand('renamed-2', { name: 'renamed' });
  await close();
});

test('S9 an open disk that Storage vMotion made another file is found, and told apart from one that was unplugged', async () => {
  const { open, look, close } = await opened('moved');
  const away = '[lab-ds] elsewhere/moved.vmdk';
  await simulator.door('POST', '/storage-vmotion', { vm: moverName, from: diskOf('moved'), to: away });
  const [moved] = blocking(await look());
  expect(moved).toMatchObject({
    id: 'open-disks-stay',
    seen: `${diskOf('moved')} is ${away} now`,
    remedy: expect.stringContaining('Storage DRS'),
  });
  await simulator.door('POST', '/storage-vmotion', { vm: moverName, from: away, to: diskOf('moved') });
  expect(refused(await look())).toEqual([]);
  await close();
  expect(await look().then(refused)).toContain('open-disks-stay');
  expect(open).toHaveLength(2);
});

test('an original beside the staged disks that was moved is found', async () => {
  const { look, close } = await opened('moved-staged', 'staged');
  const away = '[lab-ds] elsewhere/original.vmdk';
  await simulator.door('POST', '/storage-vmotion', { vm: 'moved-staged', from: diskOf('moved-staged', 1), to: away });
  expect(blocking(await look())).toMatchObject([
    { id: 'original-disks-stay', seen: `moved-staged does not hold ${diskOf('moved-staged', 1)} any more` },
  ]);
  await simulator.door('POST', '/storage-vmotion', { vm: 'moved-staged', from: away, to: diskOf('moved-staged', 1) });
  expect(refused(await look())).toEqual([]);
  await close();
});
