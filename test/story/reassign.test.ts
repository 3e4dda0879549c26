/**
 * A mover that died for good: its machine is given to another mover of the same site while it is under way, by the command
 * line, and comes home as if nothing had been.
 * Rule: the dead one is killed -9 and never comes back; what is said of the disks is looked up in the vCenter.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { moverNameOf } from '../../lab/vcenter.ts';
import { readVcenter, setVcenterPower } from '../../lab/vcenter-control.ts';
import { guestStep } from '../../model/arrival-policy.ts';
import { blocking, type Check } from '../../model/check.ts';
import { firstBroken } from '../../model/evidence.ts';
import { tell } from './both-worlds.ts';
import { homeward } from './command-line.ts';
import { relayTo } from './relay.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const hour = 3_600;
const runMs = 240_000;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 8 : 1, { movers: 2, policy: { heartbeatSeconds: 3 } });
  await scene.workers.restart('mover-2');
}, 180_000);
beforeEach(async () => {
  if (!scene.workers.running('mover')) await scene.workers.restart('mover');
});
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

/** The lab's inventory with a second vCenter and a mover there, as another operator's file may have it. */
async function withAnnex(): Promise<{ config: string }> {
  const { sites, movers, ...rest } = parse(await readFile(scene.lab.config, 'utf8'));
  const config = join(scene.lab.folder, 'with-annex.yaml');
  const annex = { ...sites.vcenter, url: 'https://annex.example/sdk', datacenter: 'DC1' };
  const mover = { ...movers['mover-1'], site: 'annex', vm: '/DC1/vm/annex-mover', state: 'annex' };
  await writeFile(
    config,
    stringify({ ...rest, sites: { ...sites, annex }, movers: { ...movers, 'annex-mover': mover } }),
  );
  return { config };
}

const reassign = (run: Run, ...rest: string[]) =>
  homeward(scene.lab, 'mover', 'reassign', run.machine.name, '--by', 'ana', ...rest);

/** A preflight beside the run: what it has made is told as its own, by the mover that has it now, and refused is nothing. */
async function preflightBeside(run: Run): Promise<(id: string) => Check | undefined> {
  const { code, out, err } = await homeward(scene.lab, 'preflight', run.machine.name, '--json');
  expect({ code, err }).toMatchObject({ code: 6 });
  const { checks, underWay } = JSON.parse(out) as { checks: Check[]; underWay: { run: string } };
  expect(underWay.run).toBe((await run.status()).run);
  expect(blocking(checks)).toEqual([]);
  return (id) => checks.find((one) => one.id === id);
}

const factsOf = async (run: Run, key: string) =>
  (await run.status()).record.filter((entry) => entry.key === key).map(({ facts }) => facts);

test(
  'S7 S8 S9 S11 a machine whose mover died for good in the seed is given to another mover of the site and comes home',
  async () => {
    await stuckReads();
    const run = await scene.begin({ roundEvery: hour });
    await untilCopying(run);

    // Asked beside the others: nobody takes the question, which is known after ten seconds.
    await scene.workers.kill('mover-2');
    const untaken = reassign(run, '--to', 'mover-2', '--yes');
    const unknown = await reassign(run, '--to', 'mover-3', '--yes');
    expect(unknown).toMatchObject({
      code: 5,
      err: expect.stringMatching(/no mover is called "mover-3"[\s\S]*mover-2/),
    });
    const same = await reassign(run, '--to', 'mover-1', '--yes');
    expect(same).toMatchObject({ code: 3, err: expect.stringContaining('is carried by mover-1 already') });
    const away = await homeward(
      await withAnnex(),
      'mover',
      'reassign',
      run.machine.name,
      '--to',
      'annex-mover',
      '--yes',
    );
    expect(away).toMatchObject({
      code: 3,
      err: expect.stringMatching(/stands at annex, .* lie at vcenter\n.*mover-2/),
    });
    const unasked = await reassign(run, '--to', 'mover-2');
    expect(unasked).toMatchObject({ code: 3, err: expect.stringContaining('there is no terminal to confirm on') });
    expect(unasked.err).toMatch(/every disk is copied in full: 2 disks of 40\.0 MiB in all/);
    // The control worker goes by its own inventory, whatever path the message names.
    expect(await untaken).toMatchObject({
      code: 3,
      err: expect.stringMatching(/refuses reassign: mover-worker: no worker took a question .*--id mover-2/),
    });
    await scene.workers.restart('mover-2');
    const elsewhere = await run.say('reassign', { mover: 'mover-2', path: '/DC0/vm/erp-db' });
    expect(elsewhere).toEqual({
      refused: expect.stringMatching(/^reassign refused: mover-known: .*not at \/DC0\/vm\/erp-db/),
    });
    expect(await run.status()).toMatchObject({
      phase: 'Seeding',
      mover: 'mover-1',
      refusals: [{ message: 'reassign' }, { message: 'reassign' }],
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
    expect(seeded).toMatchObject({ mover: 'mover-2', refusals: [{ message: 'reassign' }, { message: 'reassign' }] });
    expect(seeded.reassignment).toBeUndefined();
    expect(await heldBy(2, run)).toHaveLength(2);
    expect((await homeward(scene.lab, 'status', run.machine.name)).out).toContain('mover mover-2');
    const listed: object[] = JSON.parse((await homeward(scene.lab, 'machines', '--json')).out);
    expect(listed).toContainEqual(
      expect.objectContaining({ name: run.machine.name, mover: 'mover-2', moverWritten: 'mover-1' }),
    );

    const { run: id } = seeded;
    const syncing = await preflightBeside(run);
    expect(syncing('target-not-half-written')?.seen).toBe(`run ${id}, which is under way, has its disks (open)`);
    expect(syncing('mover-free-slots')).toMatchObject({
      subject: expect.stringContaining(moverNameOf(2)),
      seen: expect.stringContaining(`run ${id}, which is under way, has 2 disk(s) on it`),
    });
    await run.say('completeFailover');
    await run.until('AwaitingCommit');
    const home = await preflightBeside(run);
    expect(home('target-powered-off')?.seen).toContain(`run ${id}, which is under way, gave`);
    expect(home('source-running')).toMatchObject({
      verdict: 'pass',
      seen: expect.stringContaining(`run ${id}, which`),
    });
    expect(home('target-size')?.remedy).toMatch(/^Give it as much/);
    const late = await reassign(run, '--to', 'mover-1', '--yes');
    expect(late).toMatchObject({ code: 3, err: expect.stringContaining('only until they are sealed') });
    await run.say('commit');
    const end = await run.until('Committed');
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect([await heldBy(1, run), await heldBy(2, run)]).toEqual([[], []]);
    expect(await factsOf(run, 'mover-reassigned')).toEqual([{ from: 'mover-1', to: 'mover-2', by: 'ana' }]);
    expect(await factsOf(run, 'mover-leftover')).toEqual([
      { mover: 'mover-1', disks: 'os, data-0', because: 'erp-db went to another mover' },
    ]);
    expect(end.record.filter(({ key }) => key === 'operator-called')).toEqual([]);
    expect(firstBroken(end.record)).toBeUndefined();
  },
  runMs,
);

/** Brings a run into its final round and kills its mover there, for good. */
async function dieInTheFinalRound(): Promise<Run> {
  const run = await scene.begin({ roundEvery: hour });
  await run.until('Syncing');
  await stuckReads('data-0-2');
  await scene.fault('azure', { operation: 'blob.pageListDiff', resource: 'data-0-2', action: { delayMs: 60_000 } });
  await run.say('completeFailover');
  await run.until('FinalSync');
  await scene.untilMet('azure');
  await scene.workers.kill('mover');
  await scene.forgetRules();
  return run;
}

thorough(
  'S3 S8 S9 a mover that dies in the final round is replaced inside the outage, and the new one copies in full before the seal',
  async () => {
    const run = await dieInTheFinalRound();
    const done = await reassign(run, '--to', 'mover-2', '--yes');
    expect(done).toMatchObject({ code: 0, err: expect.stringContaining('INSIDE THE OUTAGE') });
    const live = await run.until('AwaitingCommit');
    expect(live).toMatchObject({ mover: 'mover-2', refusals: [] });
    const finals = live.record.filter(({ key }) => key === 'final/data-0' || key === 'final/os');
    expect(finals.map(({ facts }) => facts.mode)).toEqual(['full', 'full']);
    await run.say('commit');
    await run.until('Committed');
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect([await heldBy(1, run), await heldBy(2, run)]).toEqual([[], []]);
  },
  runMs,
);

thorough(
  'S8 S9 C16 a machine is taken from a mover that lives, held and staged, and the cutover that was asked for waits for the full copy',
  async () => {
    const run = await scene.begin({ write: 'staged', roundEvery: 1 });
    await run.untilView('rounds on', ({ rounds }) => (rounds?.done ?? 0) >= 3);
    await run.say('hold');
    expect((await reassign(run, '--to', 'mover-2', '--yes')).out).toMatch(/ana holds the run; nothing happens until/);
    await run.say('completeFailover');
    expect(await run.status()).toMatchObject({ mover: 'mover-1', reassignment: { mover: 'mover-2', by: 'ana' } });
    expect(await heldBy(1, run)).toHaveLength(2);
    await run.say('resume');
    const live = await run.until('AwaitingCommit');
    const modes = live.rounds?.recent.map(({ mode }) => mode) ?? [];
    expect([modes[0], modes.at(-2), modes.at(-1)]).toEqual(['full', 'full', 'delta']);
    expect(modes.filter((mode) => mode === 'full')).toHaveLength(2);
    const keys = live.record.map(({ key }) => key);
    expect(keys.indexOf('mover-reassigned')).toBeLessThan(keys.indexOf('source-stopped'));
    await run.say('commit');
    await run.until('Committed');
    expect(await run.wrongAtEnd('committed')).toEqual([]);
  },
  runMs,
);

thorough(
  'S5 S11 L6 where an operator was called a reassign is the answer, and a cancel after it takes the disks off the new mover',
  async () => {
    const { control } = scene.lab.vcenter;
    await tell(`${control}/rules`, { method: 'ReconfigVM_Task', objectName: moverNameOf(1), fault: 'NoPermission' });
    const run = await scene.begin({ roundEvery: hour });
    const called = await run.until('NeedsOperator');
    expect(called).toMatchObject({ left: 'Seeding', mover: 'mover-1' });
    expect(await reassign(run, '--to', 'mover-2', '--yes')).toMatchObject({ code: 0 });
    await run.until('Syncing');
    expect(await heldBy(2, run)).toHaveLength(2);
    await run.say('cancel');
    await run.until('ReturnedToSource');
    expect(await run.wrongAtEnd('returned')).toEqual([]);
    expect([await heldBy(1, run), await heldBy(2, run)]).toEqual([[], []]);
  },
  runMs,
);

thorough(
  'S9 L6 before anything is opened a reassign only changes the mover, and the way home is asked for again, right before the stop too',
  async () => {
    const drain = guestStep.parse({ name: 'drain', script: 'sleep 3' });
    const run = await scene.begin({ sync: 'during' }, { beforeStop: [drain] });
    await run.until('AwaitingCutover');
    expect((await reassign(run, '--to', 'mover-2', '--yes')).err).toContain('nothing has been copied yet');
    expect(await run.status()).toMatchObject({ mover: 'mover-2', phase: 'AwaitingCutover' });
    await scene.workers.kill('mover');
    await run.say('completeFailover');
    await run.untilView('draining', ({ pending }) => pending.some((one) => one.activity === 'ensureGuestScriptRun'));
    const { control } = scene.lab.vcenter;
    await setVcenterPower(control, moverNameOf(2), 'off');
    try {
      const called = await run.until('NeedsOperator');
      expect(called).toMatchObject({ left: 'StoppingSource', trouble: { op: 'check-before-cutover' } });
      await scene.workers.restart('mover');
      expect(await reassign(run, '--to', 'mover-1', '--yes')).toMatchObject({ code: 0 });
      const live = await run.until('AwaitingCommit');
      expect(live).toMatchObject({ mover: 'mover-1', refusals: [] });
      expect(blocking(live.checks)).toEqual([]);
    } finally {
      await setVcenterPower(control, moverNameOf(2), 'on');
    }
    await run.say('commit');
    await run.until('Committed');
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect(await factsOf(run, 'mover-reassigned')).toEqual([
      { from: 'mover-1', to: 'mover-2', by: 'ana' },
      { from: 'mover-2', to: 'mover-1', by: 'ana' },
    ]);
  },
  runMs,
);

thorough(
  'S3 S8 a mover that was frozen in a copy and wakes when another one has the disks changes nothing any more',
  async () => {
    await scene.fault('azure', { operation: 'blob.getRange', skip: 5, count: 10_000, action: { delayMs: 15_000 } });
    const run = await scene.begin({ roundEvery: hour });
    await untilCopying(run);
    const frozen = scene.workers.pid('mover');
    process.kill(frozen, 'SIGSTOP');
    try {
      await scene.forgetRules();
      expect(await reassign(run, '--to', 'mover-2', '--yes')).toMatchObject({ code: 0 });
      await run.until('Syncing');
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
    // Long enough for all that it had asked for to arrive, and for it to hear that nobody waits for it.
    await pause(5_000);
    await run.comeHome();
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect(scene.workers.running('mover')).toBe(true);
  },
  runMs,
);

thorough(
  'S3 S8 a mover that is cut off from Temporal in a copy, and from nothing else, writes nothing once another one has the disks',
  async () => {
    const relay = await relayTo(scene.lab.temporal.address);
    process.env.TEMPORAL_ADDRESS = relay.address;
    await scene.workers.restart('mover');
    process.env.TEMPORAL_ADDRESS = scene.lab.temporal.address;
    try {
      await scene.fault('azure', { operation: 'blob.getRange', skip: 5, count: 10_000, action: { delayMs: 20_000 } });
      const run = await scene.begin({ roundEvery: hour });
      await untilCopying(run);
      relay.cut();
      await scene.forgetRules();
      expect(await reassign(run, '--to', 'mover-2', '--yes')).toMatchObject({ code: 0 });
      await run.comeHome();
      // What it had asked of the source has come by now, and it hears that nobody waits for it.
      await pause(10_000);
      relay.mend();
      await pause(10_000);
      expect(await run.wrongAtEnd('committed')).toEqual([]);
      expect(scene.workers.running('mover')).toBe(true);
    } finally {
      relay.close();
      await scene.workers.kill('mover');
    }
  },
  runMs,
);

thorough(
  'S8 L1 a control worker that is killed while the disks are taken off the old mover takes them to the new one all the same',
  async () => {
    await stuckReads();
    const run = await scene.begin({ roundEvery: hour });
    await untilCopying(run);
    await scene.workers.kill('mover');
    await scene.forgetRules();
    const slow = { method: 'ReconfigVM_Task', objectName: moverNameOf(1), where: 'task', delayMs: 8_000 };
    await scene.fault('vcenter', slow);
    expect(await reassign(run, '--to', 'mover-2', '--yes', '--signal')).toMatchObject({ code: 0 });
    await scene.untilMet('vcenter');
    await scene.workers.kill('control');
    await scene.workers.restart('control');
    await run.comeHome();
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect(await factsOf(run, 'mover-reassigned')).toHaveLength(1);
    expect([await heldBy(1, run), await heldBy(2, run)]).toEqual([[], []]);
  },
  runMs,
);

describe('a mover whose death no heartbeat tells for ten minutes', () => {
  let before: Scene;
  beforeAll(async () => {
    if (!everyFault) return;
    before = scene;
    scene = await openScene(1, { movers: 2, policy: { heartbeatSeconds: 600 } });
    await scene.workers.restart('mover-2');
  }, 180_000);
  afterAll(async () => {
    if (!everyFault) return;
    await scene.close();
    scene = before;
  }, 60_000);

  thorough(
    'S8 L1 is left after a minute, and its step that never ended is in nobody’s way',
    async () => {
      const run = await dieInTheFinalRound();
      const begun = Date.now();
      expect(await reassign(run, '--to', 'mover-2', '--yes')).toMatchObject({ code: 0 });
      await run.untilView('with mover-2', ({ status }) => status?.mover === 'mover-2');
      expect(Date.now() - begun).toBeGreaterThan(50_000);
      await run.until('AwaitingCommit');
      await run.say('commit');
      await run.until('Committed');
      expect(await run.wrongAtEnd('committed')).toEqual([]);
    },
    runMs,
  );
});
