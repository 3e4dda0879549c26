/**
 * A machine's open disks go from one mover to another, against the simulator: left, opened again, given up; and which
 * mover is refused before anything is touched.
 * Rule: what the client says and what the simulator shows must agree; a mover that is gone must stop nobody.
 */
import { createMoverLookActivities, type MoverLook, refusals } from '../../activities/movers.ts';
import type { Sites } from '../../activities/preflight.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import type { WriteWay } from '../../model/machine.ts';
import { createSection } from '../../model/new-place.ts';
import type { VsphereTarget } from '../../sites/vsphere/target-site.ts';
import { inActivity } from '../activities/in-activity.ts';
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
  runA,
  runB,
  type Simulator,
} from './simulator.ts';

const second = 'homeward-mover-2';
const appliance = (name: string, power: 'on' | 'off' = 'on') => ({
  name,
  power,
  controllers: ['pvscsi'],
  disks: [{ file: `${name}/${name}.vmdk`, sizeBytes: 4 * MiB }],
  extraConfig: { 'disk.EnableUUID': 'TRUE' },
});
const names = ['in-place', 'staged', 'early', 'half', 'lost', 'lost-staged', 'look', 'left'];
const nowhere = pathOf('no-mover');
const work = quietWork();

let simulator: Simulator;
let target: VsphereTarget;
onSimulator(
  [...[appliance(moverName), appliance(second), appliance('sleeper', 'off')], ...names.map(original)],
  (started) => {
    simulator = started;
    target = simulator.target();
  },
);

/** Files of a machine's folder that hang on a mover. */
const on = async (mover: string, name: string): Promise<string[]> =>
  (await simulator.machine(mover)).disks.map(({ file }) => file).filter((file) => file.startsWith(`[lab-ds] ${name}/`));

test.each<WriteWay>(['in-place', 'staged'])(
  'S4 S8 disks that are written %s hang on nothing once their mover was left, then on the other one, and both steps are safe twice',
  async (write) => {
    const first = await requestFor(target, write, write);
    const opened = await target.ensureDisksOpen(first, work);
    await target.ensureMoverLeft(first, work);
    expect([await on(moverName, write), await on(second, write)]).toEqual([[], []]);
    await target.ensureMoverLeft(first, work);
    const other = { ...first, mover: pathOf(second) };
    const again = await target.ensureDisksOpen(other, work);
    expect(again.map(({ disk, file, uuid }) => [disk, file, uuid])).toEqual(
      opened.map(({ disk, file, uuid }) => [disk, file, uuid]),
    );
    expect(await on(second, write)).toEqual(opened.map(({ file }) => file));
    // A late attempt to open them on the mover that was left meets the other one.
    await expect(target.ensureDisksOpen(first, work)).rejects.toThrow(/is held by homeward-mover-2/);
    expect([await on(moverName, write), await on(second, write)]).toEqual([[], opened.map(({ file }) => file)]);
    await target.ensureDisksReleased(other, work);
    expect((await target.ensureDisksReturned(other, work)).disks).toHaveLength(2);
  },
);

test('a mover is left before it ever got the disks: they hang on their machine, and nothing is changed', async () => {
  const request = await requestFor(target, 'early');
  await target.ensureMoverLeft(request, work);
  expect(await on('early', 'early')).toEqual([diskOf('early'), diskOf('early', 1)]);
  expect((await target.observeMachine(pathOf('early'), work)).markedBy).toBeUndefined();
});

test('S4 a mover that is not where it was, with the disks on it, is found as their holder', async () => {
  const request = await requestFor(target, 'half');
  await target.ensureDisksOpen(request, work);
  const lost = { ...request, mover: nowhere };
  for (const step of [target.ensureMoverLeft, target.ensureDisksReleased, target.ensureDisksAbandoned])
    await expect(step(lost, work)).rejects.toThrow(/is held by homeward-mover$/);
  await target.ensureDisksAbandoned(request, work);
});

test.each<[string, WriteWay]>([
  ['lost', 'in-place'],
  ['lost-staged', 'staged'],
])('S5 S11 a mover that is gone stops neither the leaving nor the undo: %s', async (name, write) => {
  const request = await requestFor(target, name, write);
  await target.ensureDisksOpen(request, work);
  await target.ensureMoverLeft(request, work);
  const lost = { ...request, mover: nowhere };
  await target.ensureMoverLeft(lost, work);
  await target.ensureDisksReleased(lost, work);
  const left = await target.ensureDisksAbandoned(lost, work);
  expect(left).toEqual(write === 'staged' ? [] : [diskOf(name), diskOf(name, 1)]);
  expect(await on(name, name)).toEqual(write === 'staged' ? [diskOf(name), diskOf(name, 1)] : []);
});

test('whatever an earlier run left on the machine is none of the mover’s', async () => {
  await target.ensureDisksOpen(await requestFor(target, 'left', 'staged', runB), work);
  const sites = { target: () => target, mover: () => ({ name: 'mover-2', path: pathOf(second), site: 'home' }) };
  const failback = { machine: 'm', target: { site: 'home', path: pathOf('left') } } as FailbackInput;
  const asked = { failback, run: runA, mover: { name: 'mover-2', path: pathOf(second) }, sizesBytes: [MiB] };
  expect(await refusals(sites as unknown as Sites, asked, { ...work, attempt: 1 })).toEqual([]);
});

test('a mover that cannot carry the machine is refused with the reason; one that can has nothing against it', async () => {
  const movers: Record<string, { name: string; path: string; site: string }> = {
    'mover-2': { name: 'mover-2', path: pathOf(second), site: 'home' },
    sleeper: { name: 'sleeper', path: pathOf('sleeper'), site: 'home' },
    annex: { name: 'annex', path: pathOf(second), site: 'annex' },
    ghost: { name: 'ghost', path: nowhere, site: 'home' },
  };
  const sites = { target: () => target, mover: (name: string) => movers[name] } as unknown as Sites;
  const failback = { machine: 'look', target: { site: 'home', path: pathOf('look') } } as FailbackInput;
  const look = async (name: string, path: string, more: Partial<MoverLook> = {}) => {
    const found = await refusals(
      sites,
      { failback, run: runA, mover: { name, path }, sizesBytes: [8 * MiB], ...more },
      { ...work, attempt: 1 },
    );
    return found.map(({ id, seen }) => `${id}: ${seen}`);
  };
  expect(await look('mover-2', pathOf(second))).toEqual([]);
  expect(await look('nobody', pathOf(second))).toEqual([
    `mover-known: the control worker's inventory has no mover called "nobody"`,
  ]);
  expect(await look('annex', pathOf(second))).toEqual(['mover-known: annex stands at annex, the disks lie at home']);
  expect(await look('mover-2', moverPath)).toEqual([
    `mover-known: the control worker's inventory has mover-2 at ${pathOf(second)}, not at ${moverPath}`,
  ]);
  expect(await look('sleeper', pathOf('sleeper'))).toEqual(['mover-powered-on: the mover is poweredOff']);
  expect(await look('ghost', nowhere)).toEqual([`mover-found: no machine stands at ${nowhere}`]);
  const sizesBytes = Array.from({ length: 20 }, () => MiB);
  expect(await look('mover-2', pathOf(second), { sizesBytes })).toEqual([
    'mover-free-slots: SCSI slots: 14 free, 20 needed',
  ]);
  // What the run itself has staged stands in the way of no mover of its own.
  await target.ensureDisksOpen(await requestFor(target, 'look', 'staged'), work);
  expect(await look('mover-2', pathOf(second))).toEqual([]);
  // The law that judges its worker's answer needs the source's system where the policy makes it count, and only there.
  const os = { family: 'windows' } as const;
  const source = () => ({ observeMachine: async () => ({ os }) });
  const lookedBy = { ...sites, source, version: '0.1.0' } as unknown as Sites;
  const whole = (moverSystem: string) =>
    inActivity(() =>
      createMoverLookActivities(lookedBy).observeMover({
        failback: { ...failback, source: { site: 'azure', path: 'rg/look' }, policy: { moverSystem } } as FailbackInput,
        ...{ run: runA, mover: { name: 'mover-2', path: pathOf(second) }, sizesBytes: [8 * MiB] },
      }),
    );
  expect(await whole('any')).toEqual({ checks: [], version: '0.1.0' });
  expect(await whole('same')).toEqual({ checks: [], version: '0.1.0', os });
  // At an alternate location nothing need stand at the path; what counts is that the mover sees the new machine's disks.
  const made = (datastore: string) => {
    const create = createSection.parse({ cluster: '/DC0/host/DC0_C0', datastore, network: 'VM Network' });
    return { failback: { ...failback, target: { site: 'home', path: pathOf('unmade') }, create } };
  };
  expect(await look('mover-2', pathOf(second), made('lab-ds'))).toEqual([]);
  expect(await look('mover-2', pathOf(second), made('other-ds'))).toEqual([
    'datastore-on-mover-host: this account does not see the datastore other-ds',
  ]);
});
