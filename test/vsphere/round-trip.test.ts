/**
 * The whole way of a machine's disks against the simulator: open, release, return, start; the undo of each; each twice.
 * Rule: what the client says and what the simulator shows must agree. Never leaves a disk on the shared mover.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Mark } from '../../sites/vsphere/marks.ts';
import { ensureStagedFileGone, stagedFile, stagedFiles } from '../../sites/vsphere/staged-disks.ts';
import {
  diskOf,
  moverName,
  onSimulator,
  original,
  pathOf,
  powerOf,
  quietWork,
  requestFor,
  runA,
  runB,
  type Simulator,
} from './simulator.ts';

const names = [
  'walk',
  'walk-staged',
  'undo-recorded',
  'undo-half',
  'undo-open',
  'undo-returned',
  'undo-staged',
  'undo-staged-late',
  'twice',
  'takeover',
  'staged-takeover',
  'torn',
  'late',
  'finish',
  'unmarked',
  'unmarked-staged',
  'older',
  'gone',
  'gone-staged',
  'renamed',
  'moved',
  'stranger',
  'names',
];
let simulator: Simulator;
const work = quietWork();

onSimulator(names.map(original), (started) => {
  simulator = started;
});

const filesOn = async (name: string): Promise<string[]> =>
  (await simulator.machine(name)).disks.map((disk) => disk.file);
const onMover = async (name: string): Promise<string[]> =>
  (await filesOn(moverName)).filter((file) => file.startsWith(`[lab-ds] ${name}/`));
const stagedOf = (name: string, number = 0): string => stagedFile(diskOf(name, number), runA);
/** What takes our record off a machine. */
const noRecord = ['run', 'path', 'state', 'way', 'original.0', 'original.1', 'staged.0', 'staged.1'].map((key) => ({
  key: `homeward.${key}`,
  value: '',
}));
const localFile = (path: string): string => join(simulator.datastoreFolder, path.replace('[lab-ds] ', ''));

test('in place: the original disks go to the mover, come back into their slots, and the machine starts', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'walk');
  const before = (await simulator.machine('walk')).disks;
  const opened = await target.ensureDisksOpen(request, work);
  expect(opened.map(({ disk, file, sizeBytes }) => [disk, file, sizeBytes])).toEqual(
    request.pairs.map((pair) => [pair.disk, pair.target.file, pair.target.sizeBytes]),
  );
  expect(await filesOn('walk')).toEqual([]);
  expect(await onMover('walk')).toEqual([diskOf('walk'), diskOf('walk', 1)]);
  const meanwhile = await target.observeMachine(pathOf('walk'), work);
  expect(meanwhile.disks).toEqual(request.pairs.map((pair) => pair.target));
  expect(meanwhile.markedBy).toBe(request.run);
  await target.ensureDisksReleased(request, work);
  expect(await onMover('walk')).toEqual([]);
  const returned = await target.ensureDisksReturned(request, work);
  expect(returned.markedBy).toBeUndefined();
  expect((await simulator.machine('walk')).disks).toEqual(before);
  const started = await target.ensureStarted(powerOf('walk'), work);
  expect([started.power, (await simulator.machine('walk')).power]).toEqual(['running', 'on']);
});

test('staged: new disks are written, take the slots of the originals, and the originals stay as files', async () => {
  const target = simulator.target();
  const name = 'walk-staged';
  const request = await requestFor(target, name, 'staged');
  const opened = await target.ensureDisksOpen(request, work);
  expect(opened.map((disk) => disk.file)).toEqual([stagedOf(name), stagedOf(name, 1)]);
  expect(opened.map((disk) => disk.sizeBytes)).toEqual(request.pairs.map((pair) => pair.source.sizeBytes));
  expect(new Set(opened.map((disk) => disk.uuid)).size).toBe(2);
  expect(await filesOn(name)).toEqual([diskOf(name), diskOf(name, 1)]);
  await expect(target.ensureStarted(powerOf(name), work)).rejects.toMatchObject({ kind: 'Refused' });
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  expect(await filesOn(name)).toEqual([stagedOf(name), stagedOf(name, 1)]);
  expect((await target.ensureStarted(powerOf(name), work)).power).toBe('running');
  expect(await target.ensureFinished(request, work)).toEqual([diskOf(name), diskOf(name, 1)]);
  expect([diskOf(name), diskOf(name, 1)].every((file) => existsSync(localFile(file)))).toBe(true);
});

test('S4 an in-place machine whose run was cancelled keeps its record, hangs on nothing and cannot be started', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'undo-open');
  await target.ensureDisksOpen(request, work);
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([diskOf('undo-open'), diskOf('undo-open', 1)]);
  expect(await filesOn('undo-open')).toEqual([]);
  expect(await onMover('undo-open')).toEqual([]);
  expect((await target.observeMachine(pathOf('undo-open'), work)).markedBy).toBe(request.run);
  await expect(target.ensureStarted(powerOf('undo-open'), work)).rejects.toThrow(/disks of undo-open are open/);
  expect((await simulator.machine('undo-open')).power).toBe('off');
});

test('a cancelled run that never opened a disk leaves the machine as it was', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'undo-recorded');
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  expect(await filesOn('undo-recorded')).toEqual([diskOf('undo-recorded'), diskOf('undo-recorded', 1)]);
});

test('a run that stops between two changes is undone or taken up from where it stopped', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'undo-half');
  // The first change writes the record, the second takes the disks off, the third plugs them into the mover.
  for (const skip of [1, 2]) {
    await simulator.door('POST', '/rules', { method: 'ReconfigVM_Task', skip, fault: 'InvalidState' });
    await expect(target.ensureDisksOpen(request, work)).rejects.toMatchObject({ kind: 'Refused' });
    await simulator.door('DELETE', '/rules');
    expect((await target.observeMachine(pathOf('undo-half'), work)).markedBy).toBe(request.run);
    await expect(target.ensureStarted(powerOf('undo-half'), work)).rejects.toMatchObject({ kind: 'Refused' });
    if (skip === 2) continue;
    expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
    expect((await target.observeMachine(pathOf('undo-half'), work)).markedBy).toBeUndefined();
    expect(await filesOn('undo-half')).toHaveLength(2);
  }
  expect([await filesOn('undo-half'), await onMover('undo-half')]).toEqual([[], []]);
  expect(await target.ensureDisksOpen(request, work)).toHaveLength(2);
  await target.ensureDisksAbandoned(request, work);
});

test('S4 disks that were already returned are fenced again when the run is cancelled', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'undo-returned');
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(powerOf('undo-returned'), work);
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject({ kind: 'Refused' });
  for (let tries = 0; tries < 2; tries++)
    expect((await target.ensureStopped(powerOf('undo-returned'), work)).power).toBe('stopped');
  // S1: before the source is started again, a late attempt to start the target has become impossible.
  await expect(target.ensureStarted(powerOf('undo-returned'), work)).rejects.toThrow(/are open/);
  await target.ensureDisksAbandoned(request, work);
  expect(await filesOn('undo-returned')).toEqual([]);
  await expect(target.ensureStarted(powerOf('undo-returned'), work)).rejects.toMatchObject({ kind: 'Refused' });
});

test('S11 a cancelled staged run deletes its disks and leaves the machine bootable as before', async () => {
  const target = simulator.target();
  const name = 'undo-staged';
  const before = await target.observeMachine(pathOf(name), work);
  const request = await requestFor(target, name, 'staged');
  await target.ensureDisksOpen(request, work);
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  expect(await target.observeMachine(pathOf(name), work)).toEqual(before);
  expect(await onMover(name)).toEqual([]);
  expect(existsSync(localFile(stagedOf(name)))).toBe(false);
  await expect(target.ensureStarted(powerOf(name), work)).rejects.toThrow(/does not carry the record/);
  expect((await simulator.machine(name)).power).toBe('off');
});

test('S5 a stranger that stands at the path is neither started nor stopped, and ours is found where it went', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'moved');
  const open = await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await simulator.byHand('moved', { name: 'moved-away' });
  await simulator.byHand('stranger', { name: 'moved' });
  expect((await target.ensureStarted(powerOf('moved'), work)).power).toBe('running');
  expect([(await simulator.machine('moved-away')).power, (await simulator.machine('moved')).power]).toEqual([
    'on',
    'off',
  ]);
  expect((await target.observeMachine(pathOf('moved'), work, runA)).power).toBe('running');
  expect((await target.ensureStopped(powerOf('moved'), work)).power).toBe('stopped');
  await simulator.byHand('moved-away', { extraConfig: noRecord });
  for (const power of ['ensureStarted', 'ensureStopped'] as const)
    await expect(target[power]({ ...powerOf('moved'), open }, work)).rejects.toMatchObject({
      kind: 'Refused',
      message: expect.stringContaining('does not carry the record'),
    });
});

test('a staged run cancelled after its disks were returned puts the originals back', async () => {
  const target = simulator.target();
  const name = 'undo-staged-late';
  const before = (await simulator.machine(name)).disks;
  const request = await requestFor(target, name, 'staged');
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(powerOf(name), work);
  await target.ensureStopped(powerOf(name), work);
  await target.ensureDisksAbandoned(request, work);
  expect((await simulator.machine(name)).disks).toEqual(before);
  expect(existsSync(localFile(stagedOf(name, 1)))).toBe(false);
});

test('every ensure may run twice and answers the same', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'twice');
  const opened = await target.ensureDisksOpen(request, work);
  expect(await target.ensureDisksOpen(request, work)).toEqual(opened);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReleased(request, work);
  const returned = await target.ensureDisksReturned(request, work);
  expect(await target.ensureDisksReturned(request, work)).toEqual(returned);
  await target.ensureDisksReleased(request, work);
  const started = await target.ensureStarted(powerOf('twice'), work);
  expect(await target.ensureStarted(powerOf('twice'), work)).toEqual(started);
  expect(await target.ensureFinished(request, work)).toEqual([]);
  expect(await target.ensureFinished(request, work)).toEqual([]);
});

test('a later run takes over the disks that an abandoned run left open, on the mover or on nothing', async () => {
  const target = simulator.target();
  const first = await requestFor(target, 'takeover');
  const opened = await target.ensureDisksOpen(first, work);
  const second = await requestFor(target, 'takeover', 'in-place', runB);
  expect(second.pairs).toEqual(first.pairs);
  expect(await target.ensureDisksOpen(second, work)).toEqual(opened);
  await expect(target.ensureDisksAbandoned(first, work)).rejects.toMatchObject({
    kind: 'Fenced',
    hint: expect.stringContaining(runB),
  });
  expect(await onMover('takeover')).toHaveLength(2);
  await target.ensureDisksAbandoned(second, work);
  await target.ensureDisksOpen(first, work);
  await target.ensureDisksReleased(first, work);
  await expect(target.ensureDisksReturned(second, work)).rejects.toMatchObject({ kind: 'Fenced' });
  expect((await target.ensureDisksReturned(first, work)).disks).toEqual(first.pairs.map((pair) => pair.target));
});

test('a later run removes what an abandoned run had staged, once a person named that run', async () => {
  const target = simulator.target();
  const name = 'staged-takeover';
  await target.ensureDisksOpen(await requestFor(target, name, 'staged'), work);
  const second = { ...(await requestFor(target, name, 'in-place', runB)), discards: runA };
  await target.ensureDisksOpen(second, work);
  expect(await onMover(name)).toEqual([diskOf(name), diskOf(name, 1)]);
  expect(existsSync(localFile(stagedOf(name)))).toBe(false);
});

test('S4 staging beside half-written originals is refused, because they could never go back', async () => {
  const target = simulator.target();
  await target.ensureDisksOpen(await requestFor(target, 'torn'), work);
  await expect(target.ensureDisksOpen(await requestFor(target, 'torn', 'staged', runB), work)).rejects.toThrow(
    /half written/,
  );
});

test('S8 a late attempt to open disks that its own run has returned is fenced', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'late');
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await expect(target.ensureDisksOpen(request, work)).rejects.toMatchObject({ kind: 'Fenced' });
  expect(await filesOn('late')).toHaveLength(2);
});

test('S11 the commit leaves no setting of ours on the machine, and not before the disks are returned', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'finish');
  await target.ensureDisksOpen(request, work);
  await expect(target.ensureFinished(request, work)).rejects.toMatchObject({ kind: 'Refused' });
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureFinished(request, work);
  const again = await target.ensureDisksAbandoned(request, work);
  expect(again).toEqual([]);
  expect(await filesOn('finish')).toHaveLength(2);
});

test('the undo takes the disks off the mover though somebody removed the record from the machine', async () => {
  const target = simulator.target();
  for (const [name, write] of [
    ['unmarked', 'in-place'],
    ['unmarked-staged', 'staged'],
  ] as const) {
    const request = await requestFor(target, name, write);
    const opened = await target.ensureDisksOpen(request, work);
    await simulator.byHand(name, { extraConfig: noRecord });
    expect(await target.ensureDisksAbandoned(request, work)).toEqual(opened.map((disk) => disk.file));
    expect(await onMover(name)).toEqual([]);
    expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  }
});

test('the undo of a run that never opened a disk leaves the record of an older run alone and says so', async () => {
  const target = simulator.target();
  const first = await requestFor(target, 'older');
  await target.ensureDisksOpen(first, work);
  await target.ensureDisksAbandoned(first, work);
  const second = await requestFor(target, 'older', 'in-place', runB);
  expect(await target.ensureDisksAbandoned(second, work)).toEqual([
    `older carries the record of run ${runA} and was left as it is`,
  ]);
  expect((await target.observeMachine(pathOf('older'), work)).markedBy).toBe(runA);
});

test('S1 S5 the undo of a machine that was deleted meanwhile takes its disks off the mover, and it does not count as off', async () => {
  const target = simulator.target();
  for (const [name, write] of [
    ['gone', 'in-place'],
    ['gone-staged', 'staged'],
  ] as const) {
    const request = await requestFor(target, name, write);
    const opened = await target.ensureDisksOpen(request, work);
    await simulator.byHand(name, { name: `was-${name}`, extraConfig: noRecord });
    const left = await target.ensureDisksAbandoned(request, work);
    expect(left.slice(0, 2)).toEqual(opened.map((disk) => disk.file));
    expect(left[2]).toContain(`no machine stands at ${pathOf(name)} any more`);
    expect(await onMover(name)).toEqual([]);
    await expect(target.ensureStopped(powerOf(name), work)).rejects.toMatchObject({ kind: 'Refused' });
    expect((await target.observeMachine(pathOf(name), work)).power).toBe('absent');
  }
});

test('S1 a machine renamed during a run is found by its record: seen running, stopped, and undone', async () => {
  const target = simulator.target();
  const request = await requestFor(target, 'renamed', 'staged');
  const before = (await simulator.machine('renamed')).disks;
  await target.ensureDisksOpen(request, work);
  await target.ensureDisksReleased(request, work);
  await target.ensureDisksReturned(request, work);
  await target.ensureStarted(powerOf('renamed'), work);
  await simulator.byHand('renamed', { name: 'other-name' });
  expect((await target.observeMachine(pathOf('renamed'), work)).power).toBe('running');
  expect((await target.ensureStopped(powerOf('renamed'), work)).power).toBe('stopped');
  expect(await target.ensureDisksAbandoned(request, work)).toEqual([]);
  expect((await simulator.machine('other-name')).disks).toEqual(before);
});

test('staged files of two runs that began together have different names, and never the name of an original', async () => {
  const target = simulator.target();
  const ids = ['0198c0de-1111-7000-8000-00000000000a', '0198c0de-1111-7000-8000-00000000000b'];
  expect(new Set(ids.map((run) => stagedFile(diskOf('names'), run))).size).toBe(2);
  expect(() => stagedFiles([diskOf('names'), stagedOf('names')], runA)).toThrow(/name of another disk/);
  expect(stagedFile('[ds] a/a-homeward-test.vmdk', runA)).toMatch(/a-homeward-test-homeward-[0-9a-f]{16}\.vmdk$/);
  // Not even a damaged record lets an original be deleted.
  const request = await requestFor(target, 'names', 'staged');
  await target.ensureDisksOpen(request, work);
  await simulator.byHand('names', { extraConfig: [{ key: 'homeward.staged.0', value: diskOf('names', 1) }] });
  await expect(target.ensureDisksAbandoned(request, work)).rejects.toMatchObject({ kind: 'Refused' });
  expect(existsSync(localFile(diskOf('names', 1)))).toBe(true);
  expect(await filesOn('names')).toHaveLength(2);
  const mark: Mark = {
    ...{ run: runA, path: '', state: 'open', way: 'staged', originals: [], uses: 0, keys: [] },
    staged: ['[ds] x.vmdk'],
  };
  const nowhere = undefined as unknown as Parameters<typeof ensureStagedFileGone>[0];
  for (const file of ['[ds] x.vmdk', stagedOf('names')])
    await expect(ensureStagedFileGone(nowhere, mark, file, work)).rejects.toMatchObject({ kind: 'Defect' });
});
