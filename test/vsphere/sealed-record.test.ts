/**
 * The record that the disks of a machine may be whole, written while the source is gone, whatever became of the machine and
 * of vCenter meanwhile; and what a later run does with the disks by that record.
 * Rule: the steps are those of the control worker, on a target in the simulator; the source is a recorder.
 */
import type { Sites } from '../../activities/preflight.ts';
import { createTargetActivities } from '../../activities/target.ts';
import type { Check } from '../../model/check.ts';
import type { WriteWay } from '../../model/machine.ts';
import type { TargetRequest } from '../../sites/target.ts';
import { inActivity } from '../activities/in-activity.ts';
import {
  moverName,
  moverPath,
  onSimulator,
  original,
  quietWork,
  requestFor,
  runA,
  runB,
  type Simulator,
} from './simulator.ts';

const names = [
  ...'renamed-released renamed-left renamed-given-up stood-in'.split(' '),
  ...'stand-in home lost-released lost-left lost-given-up staged'.split(' '),
  ...'twin twin-copy taken held away-released away-given-up unfinished again again-copy'.split(' '),
];
const work = quietWork();
let simulator: Simulator;
onSimulator(names.map(original), (started) => {
  simulator = started;
});
afterEach(() => simulator.door('DELETE', '/rules'));

type Step = 'ensureDisksReleased' | 'ensureMoverLeft' | 'ensureDisksAbandoned';

const absent = { machine: { power: 'absent' }, lost: [], detached: [] };
const gone = {
  observeMachine: async () => ({ power: 'absent' }),
  observeWhereabouts: async () => absent,
  observeRemains: async () => [],
};

const there = {
  observeMachine: async () => ({ power: 'stopped', stoppedSince: 'then' }),
  observeWhereabouts: async () => ({ ...absent, machine: { power: 'stopped' } }),
};

/** A step of the control worker for the run of this request: what it failed with, by kind and message, else an empty text. */
async function done(step: Step, request: TargetRequest, source: object = gone): Promise<string> {
  const target = simulator.target();
  const sites = { source: () => source, target: () => target } as unknown as Sites;
  const { machine, path, pairs, write, run } = request;
  const ends = { source: { site: 'azure', path: `rg/${machine}` }, target: { site: 'home', path } };
  const failback = { machine, ...ends, mover: { name: 'm1', path: moverPath }, policy: { write } };
  const input = {
    failback,
    run,
    pairs,
    uses: 0,
    sealed: true,
    final: { sourceStoppedSince: 'then' },
    found: { disks: [] },
  } as never;
  const answer = inActivity<unknown>(() => createTargetActivities(sites)[step](input));
  return answer.then(() => '').catch((error: Error & { type?: string }) => `${error.type}: ${error.message}`);
}

async function opened(name: string, write: WriteWay = 'in-place'): Promise<TargetRequest> {
  const target = simulator.target();
  const request = await requestFor(target, name, write);
  await target.ensureDisksOpen(request, work);
  return request;
}

const stateOf = (name: string) => simulator.hands(name, async (_at, { mark }) => mark?.state);
/** Its disks that hang on the mover. */
const onMover = async ({ machine }: TargetRequest): Promise<string[]> =>
  (await simulator.machine(moverName)).disks.map(({ file }) => file).filter((file) => file.includes(` ${machine}/`));

const noRecord = ['run', 'path', 'state', 'way', 'original.0', 'original.1'].map((key) => ({
  ...{ key: `homeward.${key}`, value: '' },
}));

/** A later run in place finds what run A sealed, and leaves it. */
async function expectKept(name: string): Promise<void> {
  const target = simulator.target();
  const asked = await requestFor(target, name, 'in-place', runB);
  const { path, mover, write } = asked;
  const checks = await target.preflight({ path, mover, write, diskSizesBytes: [] }, work);
  const found = checks.find(({ id }) => id === 'target-not-half-written') as Check;
  expect(found).toMatchObject({ verdict: 'refuse', seen: expect.stringContaining(runA) });
  await expect(target.ensureDisksOpen(asked, work)).rejects.toMatchObject({ kind: 'Refused', message: found.seen });
}

test.each<[string, Step, RegExp]>([
  ['renamed-released', 'ensureDisksReleased', /the source was deleted/],
  ['renamed-left', 'ensureMoverLeft', /^$/],
  ['renamed-given-up', 'ensureDisksAbandoned', /does not exist any more/],
])(
  'S5 S11 %s: a machine that was renamed before its disks were recorded as sealed is known by its record, and no later run writes over them unasked once it has its name again',
  async (name, step, said) => {
    const request = await opened(name);
    await simulator.byHand(name, { name: `${name}-old` });
    expect(await done(step, request)).toMatch(said);
    await simulator.byHand(`${name}-old`, { name });
    expect(await stateOf(name)).toBe('sealed');
    await simulator.target().ensureMoverLeft(request, work);
    await expectKept(name);
  },
);

test('S5 where another machine stands at the path by then, the one with the record is recorded, and that one left alone', async () => {
  const request = await opened('stood-in');
  await simulator.byHand('stood-in', { name: 'stood-in-old' });
  await simulator.byHand('stand-in', { name: 'stood-in' });
  expect(await done('ensureDisksReleased', request)).toContain('the source was deleted');
  expect([await stateOf('stood-in-old'), await stateOf('stood-in')]).toEqual(['sealed', undefined]);
  await simulator.target().ensureMoverLeft(request, work);
});

test('S4 S11 a machine that was renamed after its disks were opened gets them back, and its record goes at the end', async () => {
  const target = simulator.target();
  const request = await opened('home');
  const open = await target.ensureDisksOpen(request, work);
  await simulator.byHand('home', { name: 'home-new' });
  expect(await target.ensureDisksOpen({ ...request, open }, work)).toEqual(open);
  expect(await done('ensureDisksReleased', request, there)).toBe('');
  expect(await target.ensureDisksReturned(request, work)).toMatchObject({ name: 'home-new' });
  const held = (await simulator.machine('home-new')).disks.map(({ file }) => file);
  expect(held).toEqual(open.map(({ file }) => file));
  for (let tries = 0; tries < 2; tries++) await target.ensureFinished(request, work);
  expect(await stateOf('home-new')).toBeUndefined();
});

test('S6 L6 the record of a machine that is not found has not gone: where nobody holds all of its disks a person is told', async () => {
  const target = simulator.target();
  const request = await opened('unfinished');
  await simulator.byHand('unfinished', { name: 'unfinished-old', extraConfig: noRecord });
  await expect(target.ensureFinished(request, work)).rejects.toThrow('no machine stands at');
  await target.ensureMoverLeft({ ...request, path: '/DC0/vm/unfinished-old' }, work);
  await expect(target.ensureFinished(request, work)).rejects.toThrow('no machine stands at');
});

test('S5 what an older run left on a machine of that name is not taken for the record of this one, wherever either stands by now', async () => {
  const left = { run: runB, path: '/DC0/vm/again', state: 'open', way: 'in-place' };
  const request = await opened('again');
  await simulator.byHand('again', { name: 'again-now' });
  await simulator.byHand('again-copy', {
    extraConfig: Object.entries(left).map(([key, value]) => ({ key: `homeward.${key}`, value })),
  });
  expect(await done('ensureDisksReleased', request)).toContain('the source was deleted');
  expect(await stateOf('again-now')).toBe('sealed');
  await simulator.target().ensureMoverLeft(request, work);
  await simulator.byHand('again-copy', { extraConfig: noRecord });
});

test.each<[string, Step]>([
  ['lost-released', 'ensureDisksReleased'],
  ['lost-left', 'ensureMoverLeft'],
  ['lost-given-up', 'ensureDisksAbandoned'],
])(
  'S5 L6 %s: a machine in place that carries the record no more is not passed over while the source is gone: a person is told what a later run would do',
  async (name, step) => {
    const request = await opened(name);
    await simulator.byHand(name, { name: `${name}-old`, extraConfig: noRecord });
    expect(await done(step, request)).toMatch(/^Refused: no machine (carries the record of run|stands at)/);
    const recording = simulator.target().ensureSealedRecorded(request, work);
    await expect(recording).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`record of run ${runA}.*may be the last copy`)),
      hint: expect.stringMatching(/then resolve with retry.*set homeward\.state to sealed.*without asking/),
    });
    expect(await onMover(request)).toEqual(
      step === 'ensureMoverLeft' ? [] : request.pairs.map(({ target }) => target.file),
    );
    // The source serves: nothing of it may be the last copy.
    expect(await done('ensureDisksAbandoned', request, there)).toBe('');
    expect(await onMover(request)).toEqual([]);
  },
);

test('S5 S11 new disks that were given up with their record are given up once more, and the source alone is missed', async () => {
  const request = await opened('staged', 'staged');
  for (let tries = 0; tries < 2; tries++) expect(await done('ensureDisksAbandoned', request, there)).toBe('');
  expect(await done('ensureDisksAbandoned', request)).toContain('does not exist any more');
});

test('S5 of two machines with the record neither is taken for the other, and a person is told of both', async () => {
  const request = await opened('twin');
  const settings = { run: runA, path: request.path, state: 'open', way: 'in-place' };
  const copied = Object.entries(settings).map(([key, value]) => ({ key: `homeward.${key}`, value }));
  await simulator.byHand('twin', { name: 'twin-old' });
  await simulator.byHand('twin-copy', { extraConfig: copied });
  expect(await done('ensureDisksReleased', request)).toMatch(/^Refused: several machines carry.*twin/);
  await simulator.byHand('twin-copy', { extraConfig: noRecord });
  expect(await done('ensureDisksReleased', request)).toContain('the source was deleted');
  expect(await stateOf('twin-old')).toBe('sealed');
  await simulator.target().ensureMoverLeft(request, work);
});

test('S8 what another run has taken over meanwhile is not recorded by a late step, and nobody is called', async () => {
  const target = simulator.target();
  const request = await opened('taken');
  await target.ensureDisksAbandoned(request, work);
  const later = { ...request, run: runB };
  await target.ensureDisksOpen(later, work);
  await target.ensureSealedRecorded(request, work);
  expect(await simulator.hands('taken', async (_at, { mark }) => [mark?.run, mark?.state])).toEqual([runB, 'open']);
  await target.ensureDisksAbandoned(later, work);
});

test('S5 while vCenter does not answer the record is tried again, also where the look finds meanwhile that the source is gone', async () => {
  for (const step of ['ensureDisksReleased', 'ensureDisksAbandoned'] as const) {
    const name = step === 'ensureDisksReleased' ? 'away-released' : 'away-given-up';
    const request = await opened(name);
    await simulator.door('POST', '/rules', { method: 'FindByInventoryPath', fault: 'SystemError' });
    expect(await done(step, request)).toMatch(/^Transient: .*FindByInventoryPath/);
    expect(await stateOf(name)).toBe('open');
    expect(await done(step, request)).toMatch(/^Refused: .*(was deleted|does not exist)/);
    expect(await stateOf(name)).toBe('sealed');
    await simulator.target().ensureMoverLeft(request, work);
  }
});

test('S4 S5 sealed disks are taken off the mover also while nothing can be changed on their machine, and that they were not recorded is told', async () => {
  const request = await opened('held');
  await simulator.door('POST', '/rules', {
    ...{ method: 'ReconfigVM_Task', objectName: 'held', where: 'task', fault: 'InvalidHostState', count: -1 },
  });
  expect(await done('ensureMoverLeft', request)).toMatch(/^Refused: .*held/);
  expect([await onMover(request), await stateOf('held')]).toEqual([[], 'open']);
  await simulator.door('DELETE', '/rules');
  expect(await done('ensureMoverLeft', request)).toBe('');
  expect(await stateOf('held')).toBe('sealed');
});
