/** Scripts in the guest at home by VMware's guest operations; the simulator really runs them, as the one user it lets in. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { awaitAgent } from '../../activities/guest-steps.ts';
import { timedOutCode } from '../../model/arrival.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import type { Failure } from '../../model/failure.ts';
import type { GuestScriptRequest } from '../../sites/source.ts';
import { lookProgram, onceProgram } from '../../sites/vsphere/guest-wrapper.ts';
import {
  guestPassword,
  onSimulator,
  original,
  pathOf,
  quietWork,
  returnedBy,
  runA,
  type Simulator,
} from './simulator.ts';

const names = ['runs', 'codes', 'once', 'slow', 'silent', 'late', 'login', 'restart', 'looks'];
let simulator: Simulator;
const work = quietWork();
const machines = names.map((name) => ({ ...original(name), power: 'on' as const, extraConfig: returnedBy(name) }));
onSimulator([...machines, { ...original('plain'), power: 'on' }], (started) => {
  simulator = started;
});

const answers = (vm: string, running = true) => simulator.door('POST', '/guest', { vm, running, ip: '10.0.0.1' });
const asked = (name: string, key: string, script: string, timeoutSeconds = 30): GuestScriptRequest => ({
  ...{ path: pathOf(name), run: runA, machine: name, key, script, timeoutSeconds },
  shell: 'sh',
});
const inGuest = (name: string, file: string): string => join(simulator.datastoreFolder, '.guests', name, file);
const failureOf = (act: Promise<unknown>): Promise<Failure> =>
  act.then(
    () => fail(),
    (error: unknown) => error as Failure,
  );
function fail(): never {
  throw new Error('no failure was thrown');
}

test('C1 a script runs in the guest at home, and its exit code and the end of its output come back', async () => {
  await answers('runs');
  const ended = await simulator
    .target()
    .ensureScriptRun(asked('runs', 'dns-1', `echo "it's done" \\$HOME; echo slowly >&2; exit 7`), work);
  expect(ended).toMatchObject({ exitCode: 7, output: "it's done $HOME\nslowly\n" });
  expect(ended).not.toHaveProperty('outputProblem');
});

test('a script of the same key runs once, however often it is asked for, and goes with the run', async () => {
  await answers('once');
  const target = simulator.target();
  const count = asked('once', 'count-1', 'echo ran >> count; sleep 0.3; echo done');
  const [one, other] = await Promise.all([target.ensureScriptRun(count, work), target.ensureScriptRun(count, work)]);
  expect([one.output, other.output]).toEqual(['done\n', 'done\n']);
  expect(await target.ensureScriptRun(count, work)).toMatchObject({ exitCode: 0, output: 'done\n' });
  expect(await readFile(inGuest('once', 'count'), 'utf8')).toBe('ran\n');
  await target.ensureScriptRun({ ...count, key: 'count-2' }, work);
  expect(await readFile(inGuest('once', 'count'), 'utf8')).toBe('ran\nran\n');
  expect(await target.releaseScripts(count, work)).toEqual([]);
  await expect(readFile(inGuest('once', `var/tmp/homeward-${runA}/count-1/code`))).rejects.toThrow(/ENOENT/);
});

test('a script that ends with the code that stands for a restart is told as having ended with it', async () => {
  await answers('codes');
  const ended = await simulator.target().ensureScriptRun(asked('codes', 'a-1', 'echo later; exit 75'), work);
  expect(ended).toMatchObject({ exitCode: 75, output: 'later\n' });
});

test('a script that takes too long is stopped by the guest itself', async () => {
  await answers('slow');
  const ended = await simulator.target().ensureScriptRun(asked('slow', 'slow-1', 'echo begun; sleep 60', 1), work);
  expect(ended).toMatchObject({ exitCode: timedOutCode, output: 'begun\n' });
});

test('S001-22 a guest whose Tools do not answer yet is told as not ready; one without Tools refuses scripts', async () => {
  const target = simulator.target();
  const place = { path: pathOf('silent'), run: runA, machine: 'silent' };
  expect(await target.observeAgent(place, work)).toEqual({ ready: false, seen: 'power running, Tools not-running' });
  const early = await failureOf(target.ensureScriptRun(asked('silent', 'early-1', 'true'), work));
  expect(early).toMatchObject({ kind: 'Transient' });
  await answers('silent');
  expect(await target.observeAgent(place, work)).toMatchObject({ ready: true });
  await simulator.door('POST', '/guest', { vm: 'silent', running: false, missing: true });
  expect(await failureOf(target.observeAgent(place, work))).toMatchObject({ kind: 'Refused', op: 'guest-agent' });
});

test('S001-22 Tools that answer late after the boot are waited for, and the script runs then', async () => {
  const target = simulator.target();
  const failback = { machine: 'late', policy: { agentWaitSeconds: 30 } } as FailbackInput;
  const told: string[] = [];
  const report = (now: string) => void told.push(now);
  const waiting = awaitAgent(target, { failback, run: runA, side: 'target' }, pathOf('late'), { ...work, report });
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  await answers('late');
  await waiting;
  expect(told[0]).toContain('power running, Tools not-running');
  expect(await target.ensureScriptRun(asked('late', 'a-1', 'echo here'), work)).toMatchObject({ output: 'here\n' });
});

test('S1 no script runs in a machine that does not carry the record of the run', async () => {
  await answers('plain');
  const target = simulator.target();
  const theirs = /does not carry the record of run/;
  const script = asked('plain', 'a-1', 'echo ran >> seen');
  expect(await failureOf(target.ensureScriptRun(script, work))).toMatchObject({
    message: expect.stringMatching(theirs),
  });
  expect(await failureOf(target.runLook(script, work))).toMatchObject({ kind: 'Refused', op: 'guest-script' });
  expect((await failureOf(target.observeAgent(script, work))).message).toMatch(theirs);
  expect(await target.releaseScripts(script, work)).toEqual([expect.stringMatching(theirs)]);
  await expect(readFile(inGuest('plain', 'seen'))).rejects.toThrow(/ENOENT/);
});

test('S13 a wrong login is refused with the place to correct it, and no password is in the failure', async () => {
  await answers('login');
  const target = simulator.target({ guestPassword: 'not & <this>' });
  const failure = await failureOf(target.ensureScriptRun(asked('login', 'a-1', 'true'), work));
  expect(failure).toMatchObject({ kind: 'Refused', hint: expect.stringContaining('machines.<name>.guest') });
  expect(inspect(failure, { depth: 20 })).not.toMatch(/not & <this>|not &amp;/);
  expect(inspect(failure, { depth: 20 })).not.toContain(guestPassword);
});

test('a guest that restarts in the middle of a script is told so, and the script is not run again by itself', async () => {
  await answers('restart');
  const target = simulator.target();
  const script = asked('restart', 'half-1', 'echo begun >> half; sleep 30', 1);
  const worker = new AbortController();
  const { signal } = worker;
  const running = target.ensureScriptRun({ ...script, timeoutSeconds: 60 }, { ...work, signal });
  for (let looks = 0; looks < 100; looks++) {
    if (await readFile(inGuest('restart', 'half')).catch(() => undefined)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await simulator.door('POST', '/power', { vm: 'restart', state: 'off' });
  await simulator.door('POST', '/power', { vm: 'restart', state: 'on' });
  await answers('restart');
  worker.abort(new Error('the worker was stopped'));
  await expect(running).rejects.toThrow('the worker was stopped');
  // A later try of the same key waits a while for the end that never comes, in the guest: shortened here by its time-out.
  const lost = await failureOf(target.ensureScriptRun({ ...script, timeoutSeconds: -14 }, work));
  expect(lost).toMatchObject({ kind: 'Refused', message: expect.stringContaining('the guest restarted') });
  expect(await readFile(inGuest('restart', 'half'), 'utf8')).toBe('begun\n');
});

test('a look by a script is made anew each time, tells its exit code and leaves nothing', async () => {
  await answers('looks');
  const target = simulator.target();
  const { key: _key, ...look } = asked('looks', '', 'echo looked >> seen; exit 3');
  expect([await target.runLook(look, work), await target.runLook(look, work)]).toEqual([3, 3]);
  expect(await readFile(inGuest('looks', 'seen'), 'utf8')).toBe('looked\nlooked\n');
});

test('L4 a look whose command reads its input still runs to its end, and one that takes too long is stopped by the guest', async () => {
  await answers('looks');
  const target = simulator.target();
  const look = (script: string) => target.runLook(asked('looks', '', script, 1), work);
  expect(await look('cat >/dev/null\nexit 5')).toBe(5);
  // A shell that reads its script byte by byte from there would lose the rest of it.
  expect(await look('test "$(readlink /proc/self/fd/0)" = /dev/null')).toBe(0);
  expect(await look("echo 'a \"quoted\" $word' | grep -q 'd\" [$]word'")).toBe(0);
  expect(await look('sleep 30')).toBe(timedOutCode);
});

test('L4 a look in PowerShell is a script of its own that is bound to its time, and leaves no file', () => {
  const script = 'Start-Sleep 99999';
  const { arguments: words } = lookProgram({ script, shell: 'powershell', timeoutSeconds: 5 });
  const text = Buffer.from(words.split(' ').at(-1) ?? '', 'base64').toString('utf16le');
  expect(text).toContain(`FromBase64String('${Buffer.from(script).toString('base64')}')`);
  expect(text).toContain('WaitForExit(5000)');
  expect(text).toContain(`$c=${timedOutCode}`);
  expect(text).toMatch(/finally \{ Remove-Item -Force \$f .*\}\nexit \$c$/);
});

test('PowerShell gets a whole program in one argument that needs no quoting, and that Windows takes', () => {
  const script = '\'quoted\' "twice" $env:PATH\n'.repeat(100).slice(0, 2_000);
  const program = onceProgram(runA, { ...asked('x', 'tools-1', script), shell: 'powershell' });
  const [, encoded = ''] = /-EncodedCommand (\S+)$/.exec(program.arguments) ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf16le');
  expect(text).toContain(`FromBase64String('${Buffer.from(script).toString('base64')}')`);
  expect(text).toContain(`C:\\ProgramData\\homeward-${runA}\\tools-1`);
  // As many bytes as a policy takes, whatever they are.
  for (const script of ['x'.repeat(6_000), 'ä'.repeat(3_000)]) {
    const longest = { ...asked('x', 'k'.repeat(45), script, 5_400), shell: 'powershell' } as const;
    expect(onceProgram(runA, longest).arguments.length).toBeLessThan(32_000);
    expect(lookProgram(longest).arguments.length).toBeLessThan(32_000);
  }
});
