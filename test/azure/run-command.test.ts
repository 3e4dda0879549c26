/** Scripts in the guest of the source by managed run commands, against the lab's simulator, which really runs them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { awaitAgent } from '../../activities/guest-steps.ts';
import { timedOutCode } from '../../model/arrival.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { sourceSteps, startTypeBefore, toolsRestore, toolsStep } from '../../model/tools-step.ts';
import type { GuestScriptRequest } from '../../sites/source.ts';
import { type AzureLab, failureOf, machine, openAzureLab, path, quiet, run } from './azure-lab.ts';

let lab: AzureLab;
beforeAll(async () => {
  lab = await openAzureLab();
});
afterAll(() => lab.close());
beforeEach(async () => {
  lab.faults.remove();
  lab.world.settings.agentAfterMs = 0;
  await lab.world.powerOn(lab.world.machine('rg-failover', machine));
  lab.calls();
});

const asked = (key: string, script: string, timeoutSeconds = 30): GuestScriptRequest => ({
  ...{ path, run, machine, key, script, timeoutSeconds },
  shell: 'sh',
});
const inGuest = (file: string): Promise<string> => readFile(join(lab.world.folder, 'guests', machine, file), 'utf8');

test('C1 a script runs in the guest of the source, and its exit code and both streams come back', async () => {
  const ended = await lab.source.ensureScriptRun(asked('drain-1', 'echo drained; echo slowly >&2; exit 7'), quiet());
  expect(ended).toMatchObject({ exitCode: 7, output: 'drained\n\nslowly\n' });
  expect(Date.parse(ended.endedAt)).toBeGreaterThanOrEqual(Date.parse(ended.startedAt));
});

test('the same try asked for again, also after a lost answer, does not run the script again', async () => {
  lab.fault('virtualMachineRunCommands.createOrUpdate', { drop: 'after' });
  const once = asked('count-1', 'echo ran >> count; echo done');
  expect((await failureOf(lab.source.ensureScriptRun(once, quiet()))).kind).toBe('Transient');
  expect((await lab.source.ensureScriptRun(once, quiet())).output).toBe('done\n');
  expect((await lab.source.ensureScriptRun(once, quiet())).output).toBe('done\n');
  expect(await inGuest('count')).toBe('ran\n');
  await lab.source.ensureScriptRun({ ...once, key: 'count-2' }, quiet());
  expect(await inGuest('count')).toBe('ran\nran\n');
});

test('two runs that began within the same minute do not take each other’s scripts for their own', async () => {
  const [one, other] = ['01a21709-0d5c-77bd-879c-7c80669b51cb', '01a21709-5e10-7a11-8c2d-0f3a5b7c9d1e'];
  for (const each of [one, other])
    expect(await lab.source.ensureScriptRun({ ...asked('minute-1', 'echo mine'), run: each }, quiet())).toMatchObject({
      exitCode: 0,
    });
  for (const each of [one, other]) await lab.source.releaseScripts({ path, run: each, machine, shell: 'sh' }, quiet());
});

test('a script that takes too long is stopped, and says so', async () => {
  const ended = await lab.source.ensureScriptRun(asked('slow-1', 'echo begun; sleep 60', 1), quiet());
  expect(ended.exitCode).toBe(timedOutCode);
  expect(ended.output).toContain('it was stopped: it took too long');
});

test('S000-22 an agent that is not ready yet is told as not ready, and a machine that is off refuses scripts', async () => {
  expect(await lab.source.observeAgent({ path, run, machine }, quiet())).toMatchObject({ ready: true });
  lab.world.settings.agentAfterMs = 3_600_000;
  expect(await lab.source.observeAgent({ path, run, machine }, quiet())).toEqual({
    ready: false,
    seen: 'PowerState/running, VM agent: Not Ready',
  });
  const failure = await failureOf(lab.source.ensureScriptRun(asked('never-1', 'echo no'), quiet()));
  expect(failure.message).toContain('has not reported status for VM agent');
  await lab.stop();
  const off = await failureOf(lab.source.observeAgent({ path, run, machine }, quiet()));
  expect(off).toMatchObject({ kind: 'Refused', op: 'run-command' });
  expect(off.hint).toContain('resolve with retry');
});

test('S000-22 an agent that comes late is waited for, the wait says since when and until when, and it ends with a remedy', async () => {
  const told: string[] = [];
  const work = { ...quiet(), report: (now: string) => void told.push(now) };
  const wait = (agentWaitSeconds: number) =>
    awaitAgent(
      lab.source,
      { failback: { machine, policy: { agentWaitSeconds } } as FailbackInput, run, side: 'source' },
      path,
      work,
    );
  const bootedAt = Date.parse(lab.world.disk('rg-failover', 'erp-db-os').ownershipChangedAt ?? '');
  lab.world.settings.agentAfterMs = Date.now() - bootedAt + 1_500;
  await wait(30);
  expect(told[0]).toMatch(
    /^waits for the agent .* since 20\S+Z, until 20\S+Z: PowerState\/running, VM agent: Not Ready$/,
  );
  lab.world.settings.agentAfterMs = 3_600_000;
  const late = await failureOf(wait(1));
  expect(late).toMatchObject({ kind: 'Refused', op: 'guest-agent', message: expect.stringContaining('within 1 s') });
  expect(late.hint).toContain('resolve with retry');
});

test('S11 what a run left to find its scripts again goes, and nothing of anybody else', async () => {
  await lab.source.ensureScriptRun(asked('left-1', 'true'), quiet());
  await lab.source.ensureScriptRun({ ...asked('left-1', 'true'), run: 'another-run' }, quiet());
  const commands = lab.world.machine('rg-failover', machine).runCommands;
  expect([...commands.keys()].filter((name) => name.endsWith('left-1'))).toHaveLength(2);
  const { shell } = asked('', '');
  expect(await lab.source.releaseScripts({ path, run, machine, shell }, quiet())).toEqual([]);
  expect([...commands.values()].map(({ tags }) => tags['homeward-run'])).toEqual(['another-run']);
});

test('S5 what became of a try that nobody heard of is told without running it, also when it never arrived or never ran', async () => {
  const ask = (key: string, script = 'echo ran >> asked') => lab.source.observeScriptRun(asked(key, script), quiet());
  expect(await ask('unheard-1')).toBeUndefined();
  await lab.source.ensureScriptRun(asked('unheard-1', 'echo once >> asked; cat asked; exit 5'), quiet());
  expect(await ask('unheard-1')).toMatchObject({ exitCode: 5, output: 'once\n' });
  expect(
    await lab.source.observeScriptRun({ ...asked('unheard-1', ''), run: `${run}-other` }, quiet()),
  ).toBeUndefined();
  lab.world.settings.agentAfterMs = 3_600_000;
  await failureOf(lab.source.ensureScriptRun(asked('unheard-2', 'echo no'), quiet()));
  expect(await ask('unheard-2')).toBeUndefined();
});

test('S001-20 on Windows VMware Tools are made to start by themselves before the stop, and the way back sets them as found', async () => {
  const windows = { family: 'windows' } as const;
  const policy = { enableTools: true, beforeStop: [] };
  expect(sourceSteps(policy, windows)).toEqual([toolsStep]);
  expect(sourceSteps(policy, { family: 'linux' })).toEqual([]);
  expect(sourceSteps({ ...policy, enableTools: false }, windows)).toEqual([]);
  const vm = Object.assign(lab.world.machine('rg-failover', machine), { osType: 'Windows', toolsStart: 'Disabled' });
  expect((await lab.source.observeMachine(path, quiet())).os).toMatchObject(windows);
  const ended = await lab.source.ensureScriptRun({ ...asked('tools-1', ''), ...toolsStep }, quiet());
  expect(ended).toMatchObject({ exitCode: 0, output: 'was: Disabled\r\nis: Automatic' });
  expect(vm.toolsStart).toBe('Automatic');
  const restore = toolsRestore(startTypeBefore([ended.output]) ?? '');
  await lab.source.ensureScriptRun({ ...asked('restore-1', ''), ...restore }, quiet());
  expect(vm.toolsStart).toBe('Disabled');
  expect(startTypeBefore(['was: Automatic'])).toBeUndefined();
  // S5: a first try that changed it and did not come to its end, and a second one that found it changed.
  expect(startTypeBefore(['was: Manual\r\nit broke', 'was: Automatic\r\nis: Automatic'])).toBe('Manual');
  expect(startTypeBefore(['', 'was: Automatic', 'was: Disabled'])).toBe('Disabled');
});

test('S000-8 the rights on run commands are asked for only where scripts are run, and what is missing is named', async () => {
  const rights = async (scripts?: true) => {
    const checks = await lab.source.preflight(
      { path, guestAgentWithinSeconds: 0, ...(scripts ? { scripts } : {}) },
      quiet(),
    );
    return checks.find(({ id }) => id === 'azure-permissions');
  };
  expect((await rights(true))?.verdict).toBe('pass');
  lab.world.settings.deniedActions = ['Microsoft.Compute/virtualMachines/runCommands/write'];
  expect((await rights())?.verdict).toBe('pass');
  expect(await rights(true)).toMatchObject({
    verdict: 'refuse',
    seen: expect.stringContaining('Microsoft.Compute/virtualMachines/runCommands/write'),
    remedy: expect.any(String),
  });
  lab.world.settings.deniedActions = [];
});

/** Whether a slow call has been met by now. */
const isMet = (): boolean => (lab.faults.list() as { hits: number }[]).some(({ hits }) => hits > 0);

test.each<[string, number]>([
  ['virtualMachineRunCommands.getByVirtualMachine', 0],
  // The SDK's own look at what a done operation has made.
  ['virtualMachineRunCommands.getByVirtualMachine', 1],
  ['virtualMachineRunCommands.getByVirtualMachine', 2],
  ['virtualMachines.get', 0],
  ['operations.get', 0],
])(
  'S5 a cancel does not wait for an answer of Azure that is slow to come: %s, after %i others',
  async (operation, skip) => {
    lab.fault(operation, { delayMs: 600_000 }, { skip });
    const leaving = new AbortController();
    const key = `left-${operation.split('.').at(-1)}-${skip}`.toLowerCase();
    const failing = lab.source
      .ensureScriptRun(asked(key, 'sleep 1'), quiet(leaving.signal))
      .catch((error: unknown) => error);
    while (!isMet()) await pause(10);
    leaving.abort(new Error('the run is taken back'));
    expect(String(await failing)).toBe('Error: the run is taken back');
  },
  60_000,
);
