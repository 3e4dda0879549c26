/**
 * Each check of the target side, asked once where it passes and once where it does not.
 * Rule: trouble is made in the simulator or in the inventory it starts with. Every refusal must carry a remedy.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createPreflightActivities, type Sites } from '../../activities/preflight.ts';
import { createTargetActivities, targetRequest } from '../../activities/target.ts';
import { type RunOptions, withOptions } from '../../client/failback.ts';
import type { Check } from '../../model/check.ts';
import { adviceOf, blocking } from '../../model/check.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { soundPolicy } from '../../model/inventory.ts';
import type { TargetPreflight } from '../../sites/target.ts';
import type { Transport } from '../../sites/vsphere/transport.ts';
import { inActivity } from '../activities/in-activity.ts';
import {
  diskOf,
  MiB,
  moverName,
  moverPath,
  onSimulator,
  original,
  pathOf,
  powerOf,
  quietWork,
  requestFor,
  runA,
  runB,
  type Simulator,
  saying,
  type TargetOptions,
} from './simulator.ts';

let simulator: Simulator;
const work = quietWork();
const uuid = '6000C29a-1111-2222-3333-444455556666';

const twin = { name: 'twin', disks: [{ file: 'twin/twin.vmdk', sizeBytes: 4 * MiB, uuid }] };
const full = {
  name: 'full',
  power: 'on' as const,
  controllers: ['pvscsi'],
  disks: Array.from({ length: 14 }, (_, at) => ({
    file: `full/${at}.vmdk`,
    sizeBytes: MiB,
    unit: at < 7 ? at : at + 1,
    ...(at === 13 && { uuid }),
  })),
};
onSimulator(
  [
    ...[
      'ready',
      'snap',
      'on',
      'torn',
      'left',
      'back',
      'whole',
      'whole-live',
      'whole-left',
      'whole-given-up',
      'sizes',
    ].map(original),
    twin,
    full,
  ],
  (started) => {
    simulator = started;
  },
);

const sizes = [8 * MiB, 4 * MiB];
async function ask(
  name: string,
  request: Partial<TargetPreflight> = {},
  options: TargetOptions = {},
): Promise<Check[]> {
  const target = simulator.target(options);
  return target.preflight(
    { path: pathOf(name), mover: moverPath, write: 'in-place', diskSizesBytes: sizes, ...request },
    work,
  );
}
const named = (checks: readonly Check[], id: string): Check | undefined => checks.find((one) => one.id === id);
const verdicts = (checks: readonly Check[]): string[] => blocking(checks).map((one) => one.id);

test('a machine that is ready passes every check, in place and staged', async () => {
  for (const write of ['in-place', 'staged'] as const) {
    const checks = await ask('ready', { write });
    expect(checks.filter((one) => one.verdict !== 'pass')).toEqual([]);
    expect(new Set(checks.map((one) => one.id)).size).toBeGreaterThanOrEqual(16);
  }
});

test('S000-7 S001-5 a vCenter that cannot be reached is one refused check with a remedy, not an error', async () => {
  const checks = await ask('ready', {}, { ca: undefined });
  expect(checks).toMatchObject([
    { id: 'vcenter-reachable', requirement: 'S000-7', verdict: 'refuse', remedy: expect.stringContaining('caFile') },
  ]);
});

test('S000-8 a wrong password is a refused check with a remedy, and the rest is not asked', async () => {
  const checks = await ask('ready', {}, { password: 'wrong-horse' });
  expect(checks).toMatchObject([
    { id: 'vcenter-reachable', verdict: 'pass' },
    { id: 'vcenter-login', verdict: 'refuse', remedy: expect.stringContaining('password') },
  ]);
  expect(JSON.stringify(checks)).not.toContain('wrong-horse');
});

test('S000-8 missing privileges are listed by their ids, for each object', async () => {
  await simulator.door('POST', '/privileges', {
    deny: ['VirtualMachine.Config.RemoveDisk', 'Datastore.FileManagement'],
  });
  const missing = async (write: 'in-place' | 'staged'): Promise<string[]> =>
    (await ask('ready', { write }))
      .filter((one) => one.id === 'vcenter-privileges' && one.verdict === 'refuse')
      .map((one) => `${one.subject} ${one.seen}`);
  const machines = [
    `${pathOf('ready')} missing: VirtualMachine.Config.RemoveDisk`,
    `${moverPath} missing: VirtualMachine.Config.RemoveDisk`,
  ];
  expect(await missing('in-place')).toEqual(machines);
  expect(await missing('staged')).toEqual([...machines, 'lab-ds missing: Datastore.FileManagement']);
  const target = simulator.target();
  await expect(target.ensureDisksOpen(await requestFor(target, 'ready'), work)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining('missing privilege VirtualMachine.Config.RemoveDisk'),
  });
  // Giving the right back and trying the same step again is all it takes.
  await simulator.door('POST', '/privileges', { deny: [] });
  expect(await target.ensureDisksOpen(await requestFor(target, 'ready'), work)).toHaveLength(2);
  await target.ensureDisksReleased(await requestFor(target, 'ready'), work);
  await target.ensureDisksReturned(await requestFor(target, 'ready'), work);
  await target.ensureFinished(await requestFor(target, 'ready'), work);
});

test('unknown machines are refused by name', async () => {
  const checks = await ask('nobody', { mover: '/DC0/vm/no-mover' });
  expect(verdicts(checks)).toEqual(['target-found', 'mover-found']);
});

test('S000-27 S000-28 a running machine is refused', async () => {
  await simulator.door('POST', '/power', { vm: 'on', state: 'on' });
  expect(verdicts(await ask('on'))).toEqual(['target-powered-off']);
});

test('S000-4 S001-8 snapshots on the machine or on the mover, and disks to be consolidated, are refused', async () => {
  await simulator.door('POST', '/snapshot', { vm: 'snap' });
  await simulator.door('POST', '/snapshot', { vm: moverName });
  const checks = await ask('snap');
  expect(verdicts(checks)).toContain('mover-no-snapshots');
  expect(named(checks, 'target-no-snapshots')).toMatchObject({
    verdict: 'refuse',
    remedy: expect.stringContaining('merges'),
  });
  await simulator.door('DELETE', '/snapshot', { vm: moverName });
  await simulator.door('POST', '/consolidation', { vm: moverName, needed: true });
  expect(named(await ask('ready'), 'mover-no-snapshots')).toMatchObject({
    verdict: 'refuse',
    seen: expect.stringContaining('consolidation'),
  });
  await simulator.door('POST', '/consolidation', { vm: moverName, needed: false });
});

test('a datastore without room for new disks is refused for staged writing', async () => {
  const huge = [60 * 2 ** 40, 4 * MiB];
  expect(verdicts(await ask('sizes', { diskSizesBytes: huge, write: 'staged' }))).toEqual(['datastore-free-space']);
});

test('new disks that are larger than a virtual disk can be, or than their datastore takes, are refused by name for staged writing', async () => {
  const TiB = 2 ** 40;
  const largest = async (write: 'in-place' | 'staged', sizesBytes: readonly number[], transport?: Transport) =>
    named(
      await ask('sizes', { diskSizesBytes: sizesBytes, write }, transport && { transport }),
      'datastore-largest-disk',
    );
  expect(await largest('staged', [62 * TiB, 4 * MiB])).toMatchObject({ verdict: 'pass' });
  expect(await largest('staged', [62 * TiB + MiB, 4 * MiB])).toMatchObject({
    ...{ verdict: 'refuse', subject: 'lab-ds' },
    seen: expect.stringContaining(`the one beside ${diskOf('sizes')} would have ${62 * TiB + MiB}`),
    remedy: expect.stringContaining('62 TiB'),
  });
  // Disks that are there already are held against the sizes of the source instead.
  expect(await largest('in-place', [62 * TiB + MiB, 4 * MiB])).toBeUndefined();
  // A file system that takes no larger ones, as vCenter tells of the datastore itself.
  const old = saying(simulator.ca, { 'info.maxVirtualDiskCapacity': String(2 * TiB) });
  expect(await largest('staged', [2 * TiB, 4 * MiB], old)).toMatchObject({ verdict: 'pass' });
  expect(await largest('staged', [2 * TiB + MiB, 4 * MiB], old)).toMatchObject({
    verdict: 'refuse',
    seen: expect.stringContaining(`a virtual disk there has at most ${2 * TiB} bytes`),
    remedy: expect.stringContaining('its file system decides'),
  });
});

test('S000-9 a disk that shares its UUID with one of the mover is refused, in the preflight and in the act', async () => {
  const request = { mover: '/DC0/vm/full', diskSizesBytes: [4 * MiB] };
  const checks = await ask('twin', request);
  expect(verdicts(checks)).toEqual(['target-disk-uuid-clash']);
  expect(named(checks, 'mover-disk-uuids-visible')?.verdict).toBe('warn');
  const target = simulator.target();
  const opening = target.ensureDisksOpen({ ...(await requestFor(target, 'twin')), mover: '/DC0/vm/full' }, work);
  await expect(opening).rejects.toMatchObject({ kind: 'Refused', message: expect.stringContaining('same disk UUID') });
  expect((await simulator.machine('twin')).disks).toHaveLength(1);
});

test('a mover without enough free slots is refused; unit 7 and new controllers do not count', async () => {
  const checks = await ask('sizes', { mover: '/DC0/vm/full' });
  expect(named(checks, 'mover-free-slots')).toMatchObject({ verdict: 'refuse', seen: 'SCSI slots: 1 free, 2 needed' });
});

test('disks left half written by another run are named: repaired in place, refused for staged', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'torn');
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksAbandoned(request, work);
  const inPlace = await ask('torn');
  expect(verdicts(inPlace)).toEqual([]);
  expect(named(inPlace, 'target-not-half-written')).toMatchObject({
    verdict: 'warn',
    seen: expect.stringContaining(request.run),
  });
  const staged = await ask('torn', { write: 'staged' });
  expect(verdicts(staged)).toEqual(['target-not-half-written']);
  const advice = adviceOf(named(staged, 'target-not-half-written') as Check, 'Then resolve with retry.');
  expect(advice).toContain('--write in-place');
  expect(advice).toContain('--undo');
  expect(advice).not.toContain('retry');
  const other = { id: 'target-off', subject: 's', verdict: 'refuse', seen: 'on', remedy: 'Stop it.' } as const;
  expect(adviceOf(other, 'Then resolve with retry.')).toBe('Stop it. Then resolve with retry.');
  expect((await target.observeMachine(pathOf('torn'), work)).disks.map((disk) => disk.file)).toEqual([
    diskOf('torn'),
    diskOf('torn', 1),
  ]);
});

test('S5 S11 what an earlier run left staged may be the last copy: no later run, in place or staged, deletes it before a person named that run', async () => {
  const target = simulator.target();
  const opened = await target.ensureDisksOpen(await requestFor(target, 'left', 'staged'), work);
  const files = opened.map(({ file }) => file);
  const isThere = () => files.map((file) => existsSync(join(simulator.datastoreFolder, file.replace('[lab-ds] ', ''))));
  const machine = { power: 'running', disks: [], nics: [] };
  const source = { observeMachine: async () => machine, observeShape: async () => ({}), preflight: async () => [] };
  const sites = { source: () => source, target: () => target, mover: () => undefined, machine: () => undefined };
  const { observePreflight } = createPreflightActivities({ version: 'v', ...sites } as unknown as Sites);
  const begun = (options: RunOptions): FailbackInput => {
    const mover = { name: 'm1', path: moverPath };
    const ends = { source: { site: 'azure', path: 'rg/left' }, target: { site: 'home', path: pathOf('left') } };
    return withOptions({ machine: 'left', ...ends, mover, policy: soundPolicy({}) } as FailbackInput, options);
  };
  const look = async (options: RunOptions): Promise<Check> => {
    const found = named((await inActivity(() => observePreflight(begun(options)))).checks, 'target-not-half-written');
    if (!found) throw new Error('not asked');
    return found;
  };
  const open = async (options: RunOptions): Promise<string[]> => {
    const { pairs } = await requestFor(target, 'left', 'in-place', runB);
    const asked = await target.ensureDisksOpen(targetRequest({ failback: begun(options), run: runB, pairs }), work);
    return asked.map(({ file }) => file);
  };
  for (const write of ['in-place', 'staged'] as const) {
    const found = await look({ write });
    expect(found.verdict).toBe('refuse');
    for (const word of [runA, ...files]) expect(found.seen).toContain(word);
    const advice = adviceOf(found, 'Then resolve with retry.');
    expect(advice).toMatch(new RegExp(`--discard ${runA}.*--undo`));
    expect(advice).not.toContain('retry');
    expect((await look({ write, discard: runB })).verdict).toBe('refuse');
    expect(await look({ write, discard: runA })).toMatchObject({ verdict: 'warn', seen: found.seen });
    for (const options of [{ write }, { write, discard: runB }])
      await expect(open(options)).rejects.toMatchObject({ kind: 'Refused', message: found.seen });
  }
  expect(named(await ask('left', { write: 'staged', run: runA }), 'target-not-half-written')?.verdict).toBe('pass');
  expect(isThere()).toEqual([true, true]);
  expect(await open({ write: 'in-place', discard: runA })).toEqual([diskOf('left'), diskOf('left', 1)]);
  expect(isThere()).toEqual([false, false]);
});

test('S5 S11 a machine that an earlier run gave its disks back and never ended may be the last copy: no later run writes over it before a person named that run', async () => {
  const target = simulator.target();
  const first = await requestFor(target, 'back', 'in-place');
  await target.ensureDisksOpen(first, work);
  await target.ensureDisksReleased(first, work);
  await target.ensureDisksReturned({ ...first, uses: 0 }, work);
  const later = { ...(await requestFor(target, 'back', 'in-place', runB)), run: runB };
  const look = async (request: Partial<TargetPreflight>): Promise<Check | undefined> =>
    named(await ask('back', request), 'target-not-half-written');
  const refused = await look({ write: 'in-place' });
  expect(refused).toMatchObject({ verdict: 'refuse', seen: expect.stringContaining(runA) });
  expect(refused?.seen).toContain(diskOf('back'));
  expect(refused?.remedy).toContain(`--discard ${runA}`);
  await expect(target.ensureDisksOpen(later, work)).rejects.toMatchObject({ kind: 'Refused', message: refused?.seen });
  // Its record would go with that of a run that stages and is taken back; the third run would then find nothing.
  expect(await look({ write: 'staged' })).toMatchObject({ verdict: 'refuse', seen: refused?.seen });
  const stages = target.ensureDisksOpen({ ...later, write: 'staged' }, work);
  await expect(stages).rejects.toMatchObject({ kind: 'Refused', message: refused?.seen });
  for (const write of ['staged', 'in-place'] as const)
    expect((await look({ write, discards: runA }))?.verdict).toBe('warn');
  const opened = await target.ensureDisksOpen({ ...later, discards: runA }, work);
  expect(opened.map(({ file }) => file)).toEqual([diskOf('back'), diskOf('back', 1)]);
});

/** A step of the control worker with a run in place whose source is gone meanwhile. */
async function withoutItsSource(
  name: string,
  step: 'ensureDisksReleased' | 'ensureMoverLeft' | 'ensureDisksAbandoned',
): Promise<string> {
  const target = simulator.target();
  const source = { observeMachine: async () => ({ power: 'absent' }), observeThere: async () => ({ there: false }) };
  const sites = { source: () => source, target: () => target } as unknown as Sites;
  const ends = { source: { site: 'azure', path: `rg/${name}` }, target: { site: 'home', path: pathOf(name) } };
  const failback = { machine: name, ...ends, mover: { name: 'm1', path: moverPath }, policy: { write: 'in-place' } };
  const { pairs } = await requestFor(target, name, 'in-place');
  const input = { failback, run: runA, pairs, uses: 0, sealed: true, final: {}, found: {} } as never;
  const answer = inActivity<unknown>(() => createTargetActivities(sites)[step](input));
  return answer.then(() => '').catch((error: Error) => error.message);
}

test.each([
  ['whole', 'released'],
  ['whole-live', 'live'],
  ['whole-left', 'left'],
  ['whole-given-up', 'given up'],
] as const)(
  'S5 S11 %s, sealed by an earlier run in place and %s while its source is gone, may be the last copy: no later run writes over it before a person named that run, a late opening of the same run least of all',
  async (name, how) => {
    const target = simulator.target();
    const first = await requestFor(target, name, 'in-place');
    await target.ensureDisksOpen(first, work);
    if (how === 'left') expect(await withoutItsSource(name, 'ensureMoverLeft')).toBe('');
    else if (how === 'given up') expect(await withoutItsSource(name, 'ensureDisksAbandoned')).not.toBe('');
    else expect(await withoutItsSource(name, 'ensureDisksReleased')).toContain('the source was deleted');
    if (how === 'live') {
      await target.ensureDisksReleased(first, work);
      await target.ensureDisksReturned(first, work);
      await target.ensureStarted(powerOf(name), work);
      await target.ensureStopped(powerOf(name), work);
    }
    await expect(target.ensureDisksOpen(first, work)).rejects.toMatchObject({ kind: 'Fenced' });
    const asked = await requestFor(target, name, 'in-place', runB);
    const look = async (request: Partial<TargetPreflight>): Promise<Check> => {
      const found = named(await ask(name, request), 'target-not-half-written');
      if (!found) throw new Error('not asked');
      return found;
    };
    const refused = await look({ write: 'in-place' });
    expect(refused).toMatchObject({ verdict: 'refuse', seen: expect.stringContaining(runA) });
    expect(refused.seen).toContain(diskOf(name));
    // Its seal may have been cancelled before the first disk was.
    expect(refused.seen).toMatch(/began to seal the disks .*may be the last copy/);
    expect(refused.remedy).toContain(`--discard ${runA}. `);
    expect((await look({ write: 'in-place', discards: runB })).verdict).toBe('refuse');
    expect((await look({ write: 'in-place', discards: runA })).verdict).toBe('warn');
    expect(await look({ write: 'staged', discards: runA })).toMatchObject({
      ...{ verdict: 'refuse', seen: refused.seen },
      remedy: expect.stringContaining(`--discard ${runA} --write in-place`),
    });
    for (const discards of [undefined, runB])
      await expect(target.ensureDisksOpen({ ...asked, ...(discards && { discards }) }, work)).rejects.toMatchObject({
        ...{ kind: 'Refused', message: refused.seen },
      });
    const staged = await requestFor(target, name, 'staged', runB);
    await expect(target.ensureDisksOpen({ ...staged, discards: runA }, work)).rejects.toMatchObject({
      ...{ kind: 'Refused', message: expect.stringMatching(/began to seal the original disks.*never came to its end/) },
    });
    const opened = await target.ensureDisksOpen({ ...asked, discards: runA }, work);
    expect(opened.map(({ file }) => file)).toEqual([diskOf(name), diskOf(name, 1)]);
    await target.ensureDisksAbandoned(asked, work);
    expect((await look({ write: 'in-place' })).verdict).toBe('warn');
  },
);

test('every check that does not pass says what to do', async () => {
  const checks = [...(await ask('snap', { mover: '/DC0/vm/full', diskSizesBytes: [1, 2, 3] })), ...(await ask('on'))];
  expect(checks.filter((one) => one.verdict !== 'pass' && !one.remedy)).toEqual([]);
});
