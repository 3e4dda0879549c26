/**
 * What an operator sees who comes to a run at three in the morning: which worker is missing, which run there is, how the
 * last one ended, and what the run would not take anyway.
 * Rule: the real command line against a real lab; what is said is compared with what was done to the lab.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { showReturn } from '../../lab/demo-evidence.ts';
import { setVcenterPower } from '../../lab/vcenter-control.ts';
import { standOf } from './both-worlds.ts';
import { homeward, homewardLeft, homewardWith } from './command-line.ts';
import { openScene, type Run, type Scene } from './scene.ts';

let scene: Scene;
/** Waits at its first gate, with nothing changed in either world. */
let waiting: Run;
beforeAll(async () => {
  scene = await openScene(4);
  waiting = await scene.begin({ sync: 'during' });
  await waiting.until('AwaitingCutover');
}, 180_000);
afterAll(() => scene?.close(), 60_000);
/** What one test killed is there for the next one, whatever became of the test. */
afterEach(async () => {
  for (const name of ['control', 'mover'] as const) if (!scene.workers.running(name)) await scene.workers.restart(name);
}, 60_000);

const ask = (...args: string[]) => homeward(scene.lab, ...args);

test('a run whose mover or control worker is not there says who is missing, since when it stands, and what to type', async () => {
  // A mover that is not there is refused by the preflight; this one ends after it, while the disks are being opened.
  await scene.fault('vcenter', { method: 'ReconfigVM_Task', where: 'task', delayMs: 60_000 });
  const run = await scene.begin();
  const { name } = run.machine;
  await scene.untilMet('vcenter');
  await scene.workers.kill('mover');
  await scene.forgetRules();
  await run.untilView('standing', ({ missing }) => (missing?.[0]?.waiting.length ?? 0) > 1);
  const shown = await ask('status', name);
  expect(shown.code).toBe(0);
  const words = shown.out.replace(/\s+/g, ' ');
  expect(words).toMatch(
    /Nobody runs the mover mover-1: the task queue "mover-mover-1" was last asked for work at [\d:]+ UTC/,
  );
  expect(words).toMatch(/Nothing has happened since [\d:]+ UTC, [\d.]+ s; what waits for it: copy \S+, copy \S+\./);
  expect(shown.out).toContain(`Start it: npm run mover -- --config ${scene.lab.config} --id mover-1`);

  await scene.workers.kill('control');
  const unasked = await ask('status', name);
  expect(`${unasked.code} ${unasked.err}`).toMatch(/^4 /);
  expect(unasked.out.replace(/\s+/g, ' ')).toMatch(
    /last asked for work at \S+\. If not: npm run control -- --config \S*\/homeward\.yaml/,
  );
  expect(unasked.out).toContain('Nobody runs the mover mover-1');

  await scene.workers.restart('control');
  await scene.workers.restart('mover');
  await run.untilView('attended', ({ status, missing }) => status?.phase === 'Syncing' && missing === undefined);
  expect(await run.say('cancel')).toEqual({ accepted: true });
  await run.until('ReturnedToSource');
}, 300_000);

test('a run that does not exist is not found, however it is named, and machines show how their last runs ended', async () => {
  const { name } = waiting.machine;
  const other = await scene.begin({ sync: 'during' });
  await other.until('AwaitingCutover');
  const wrong = ['nope', '', randomUUID()];
  const asked = wrong.flatMap((id) => [
    ask('status', name, '--run', id),
    ask('failback', 'evidence', name, '--run', id),
  ]);
  for (const [at, ended] of (await Promise.all(asked)).entries()) {
    expect(ended).toMatchObject({ code: 5, out: '' });
    expect(ended.err).toContain(`${name} has no run "${wrong[Math.floor(at / 2)]}"`);
    expect(ended.err).toContain('Leave out --run for the latest one');
  }
  const { runId } = await waiting.view();
  expect(await ask('status', name, '--run', runId)).toMatchObject({ code: 0 });

  expect(await other.say('cancel')).toEqual({ accepted: true });
  await other.until('ReturnedToSource');
  await other.untilView('over', ({ execution }) => execution === 'completed');
  const rows = JSON.parse((await ask('machines', '--json')).out) as Record<string, string>[];
  expect(rows.find((row) => row.name === name)).toMatchObject({ phase: 'AwaitingCutover', run: 'running' });
  const over = rows.find((row) => row.name === other.machine.name);
  expect(over).toMatchObject({
    phase: 'ReturnedToSource',
    run: 'completed',
    endedAt: expect.stringMatching(/^20.*Z$/),
  });
  expect((await ask('machines')).out).toMatch(/ReturnedToSource, ended \d\d:\d\d:\d\d UTC/);
}, 180_000);

test('a preflight during a run says that the run is under way, in which phase, and ends with its exit code', async () => {
  const { name } = waiting.machine;
  const during = await ask('preflight', name);
  expect(during.code).toBe(6);
  expect(during.out).toContain(`A run of ${name} is under way, in phase AwaitingCutover.`);
  expect(during.out).not.toMatch(/may come home|cannot come home/);
  const html = join(dirname(scene.lab.config), 'preflight.html');
  const json = await ask('--json', 'preflight', name, '--html', html);
  expect(json.code).toBe(6);
  expect(JSON.parse(json.out)).toMatchObject({ machine: name, underWay: { phase: 'AwaitingCutover' }, html });
  const page = await readFile(html, 'utf8');
  expect(page).toContain(`<h1>Preflight of ${name}</h1>`);
  expect(page).toContain('A run of');
  for (const { id } of (JSON.parse(json.out) as { checks: { id: string }[] }).checks)
    expect(page).toContain(`<code>${id}</code>`);
  const nowhere = await ask('preflight', name, '--html', join(html, 'x.html'));
  expect(nowhere).toMatchObject({ code: 2, out: '', err: expect.stringContaining('there is no folder') });
}, 60_000);

test('a watch that is left by Ctrl-C or by its reader does nothing to the run, and a namespace that is not there is told with how to make it', async () => {
  const { name } = waiting.machine;
  const before = await waiting.status();
  const left = await homewardLeft(scene.lab, ['status', name, '--watch'], (child) => void child.kill('SIGINT'));
  expect(left).toMatchObject({ code: 130, err: expect.stringContaining('watching ended; the run goes on') });
  expect(left.err).toContain(`homeward --config ${scene.lab.config} failback status ${name} --watch`);
  const piped = await homewardLeft(scene.lab, ['status', name, '--watch', '--json'], (child) => {
    child.stdout.destroy();
    // A watcher writes when something changes; whoever waits for that waits no longer than this.
    setTimeout(() => child.kill('SIGKILL'), 20_000).unref();
    void waiting.say('hold').then(() => waiting.say('resume'));
  });
  expect(piped).toMatchObject({ code: 0, err: '' });
  for (const words of [
    ['status', name],
    ['failback', 'complete', name, '--yes'],
  ]) {
    const lost = await homewardWith({ TEMPORAL_NAMESPACE: 'nowhere' }, scene.lab, ...words, '--json');
    expect(lost).toMatchObject({ code: 4, out: '' });
    const told = lost.err.trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(told).error).toMatchObject({
      kind: 'unreachable',
      what: expect.stringContaining('has no namespace "nowhere"'),
      todo: expect.stringContaining('temporal operator namespace create -n nowhere'),
    });
  }
  await waiting.untilView('as before', ({ status }) => status?.held === undefined);
  const after = await waiting.status();
  expect([after.phase, after.phaseSince, after.completion]).toEqual([before.phase, before.phaseSince, undefined]);
}, 60_000);

test('S2 S7 what the run would refuse is refused with the reason and no other step in its place, before anybody is asked to confirm', async () => {
  const { name } = waiting.machine;
  const before = await standOf(scene.lab);
  // No terminal and no --yes: whoever were asked would be told that there is nothing to confirm on.
  const commit = await ask('failback', 'commit', name);
  expect(commit).toMatchObject({ code: 3, out: '' });
  expect(commit.err).toContain(`${name} refuses commit: the run is in phase AwaitingCutover`);
  expect(commit.err).toContain(
    `Nothing was sent. See where it stands: homeward --config ${scene.lab.config} failback status ${name}`,
  );
  expect(commit.err).not.toMatch(/this is deleted|no terminal to confirm/);
  const other = await ask('failback', 'complete', name, '--run', 'another');
  expect(other.err).toContain('refuses completeFailover: it names run another');
  const unsigned = await ask('failback', 'hold', name, '--by', '');
  expect(unsigned).toMatchObject({ code: 2, out: '' });
  expect(unsigned.err).toContain('--by: say who you are');
  expect(await standOf(scene.lab)).toEqual(before);

  // Nothing ran at home yet, so there is no loss to accept, and nothing is claimed to be lost.
  const cancel = await ask('failback', 'cancel', name, '--accept-loss', '--yes');
  expect(cancel).toMatchObject({ code: 0, out: expect.stringContaining(`${name} took cancel`) });
  expect(cancel.err).toContain('nothing was written at home yet');
  expect(cancel.err).not.toContain('the machine at home stops');
  await waiting.until('ReturnedToSource');
}, 60_000);

test('a machine that was taken back at a person’s word is shown to serve in Azure again, and only if it does', async () => {
  const run = await scene.begin({ sync: 'during' });
  await run.until('AwaitingCutover');
  await run.say('cancel');
  await run.until('ReturnedToSource');
  const told: string[] = [];
  const show = () => showReturn(scene.lab, run.machine, (line = '') => told.push(line));
  expect(await show()).toBe(true);
  expect(told.at(-1)).toBe(
    `Cancelled at your word: ${run.machine.name} serves in Azure again, as before. Exit code 0.`,
  );
  expect(told.filter((line) => line.startsWith('  ✓'))).toHaveLength(4);

  await setVcenterPower(scene.lab.vcenter.control, run.machine.target.vm, 'on');
  expect(await show()).toBe(false);
  expect(told).toContain(`  ✗ ${run.machine.target.vm} at home is powered on`);
  expect(told.at(-1)).toContain('not as it must be: see the lines with ✗');
}, 60_000);
