/**
 * A mover that died for good: its machine is given to another mover of the same site while it is under way, by the command
 * line, and comes home as if nothing had been.
 * Rule: the dead one is killed -9 and never comes back; what is said of the disks is looked up in the vCenter.
 */

import { moverNameOf } from '../../lab/vcenter.ts';
import { readVcenter } from '../../lab/vcenter-control.ts';
import { firstBroken } from '../../model/evidence.ts';
import { homeward } from './command-line.ts';
import { openScene, type Run, type Scene } from './scene.ts';

const hour = 3_600;
const runMs = 240_000;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(3, { movers: 2, policy: { heartbeatSeconds: 3 } });
  await scene.workers.restart('mover-2');
}, 180_000);
afterEach(() => scene.forgetRules());
afterAll(() => scene?.close(), 60_000);

/** A copy that begins and does not come to its end while the rule stands. */
const stuckReads = (resource = ''): Promise<void> =>
  scene.fault('azure', { operation: 'blob.getRange', resource, skip: 5, count: 10_000, action: { delayMs: 60_000 } });
const untilCopying = (run: Run) =>
  run.untilView('copying', ({ transfers }) => transfers.some(({ stage }) => stage === 'copying'));

/** The files of a machine that hang on a mover. */
async function heldBy(mover: number, run: Run): Promise<string[]> {
  const vm = (await readVcenter(scene.lab.vcenter.control)).find(({ name }) => name === moverNameOf(mover));
  return (vm?.disks ?? []).map(({ file }) => file).filter((file) => file.includes(`] ${run.machine.name}/`));
}

const reassign = (run: Run, ...rest: string[]) =>
  homeward(scene.lab, 'mover', 'reassign', run.machine.name, '--by', 'ana', ...rest);

const factsOf = async (run: Run, key: string) =>
  (await run.status()).record.filter((entry) => entry.key === key).map(({ facts }) => facts);

test(
  'S7 S8 S9 S11 a machine whose mover died for good in the seed is given to another mover of the site and comes home',
  async () => {
    await stuckReads();
    const run = await scene.begin({ roundEvery: hour });
    await untilCopying(run);

    const unknown = await reassign(run, '--to', 'mover-3', '--yes');
    expect(unknown).toMatchObject({
      code: 5,
      err: expect.stringMatching(/no mover is called "mover-3"[\s\S]*mover-2/),
    });
    const same = await reassign(run, '--to', 'mover-1', '--yes');
    expect(same).toMatchObject({ code: 3, err: expect.stringContaining('is carried by mover-1 already') });
    const unasked = await reassign(run, '--to', 'mover-2');
    expect(unasked).toMatchObject({ code: 3, err: expect.stringContaining('there is no terminal to confirm on') });
    expect(unasked.err).toMatch(/every disk is copied in full: 2 disks of 80\.0 MiB in all/);
    // The control worker goes by its own inventory, whatever path the message names.
    const elsewhere = await run.say('reassign', { mover: 'mover-2', path: '/DC0/vm/erp-db' });
    expect(elsewhere).toEqual({
      refused: expect.stringMatching(/^reassign refused: mover-known: .*not at \/DC0\/vm\/erp-db/),
    });
    expect(await run.status()).toMatchObject({
      phase: 'Seeding',
      mover: 'mover-1',
      refusals: [{ message: 'reassign' }],
    });
    expect((await run.view()).transfers.length).toBeGreaterThan(0);

    await scene.workers.kill('mover');
    await scene.forgetRules();
    expect(await heldBy(1, run)).toHaveLength(2);
    const done = await reassign(run, '--to', 'mover-2', '--yes', '--note', 'host lost', '--json');
    expect(done).toMatchObject({ code: 0 });
    expect(JSON.parse(done.out)).toMatchObject({
      ...{ accepted: true, message: 'reassign', mover: 'mover-2', phase: 'Seeding' },
      waits: expect.stringContaining('off mover-1'),
    });
    await run.untilView('with mover-2', ({ status }) => status?.mover === 'mover-2');
    expect(await heldBy(1, run)).toEqual([]);
    const seeded = await run.until('Syncing');
    expect(seeded).toMatchObject({ mover: 'mover-2', refusals: [{ message: 'reassign' }] });
    expect(seeded.reassignment).toBeUndefined();
    expect(await heldBy(2, run)).toHaveLength(2);
    expect((await homeward(scene.lab, 'status', run.machine.name)).out).toContain('mover mover-2');

    await run.say('completeFailover');
    await run.until('AwaitingCommit');
    const late = await reassign(run, '--to', 'mover-1', '--yes');
    expect(late).toMatchObject({ code: 3, err: expect.stringContaining('only until they are sealed') });
    await run.say('commit');
    const end = await run.until('Committed');
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect([await heldBy(1, run), await heldBy(2, run)]).toEqual([[], []]);
    expect(await factsOf(run, 'mover-reassigned')).toEqual([{ from: 'mover-1', to: 'mover-2', by: 'ana' }]);
    expect(end.record.filter(({ key }) => key === 'operator-called')).toEqual([]);
    expect(firstBroken(end.record)).toBeUndefined();
  },
  runMs,
);
