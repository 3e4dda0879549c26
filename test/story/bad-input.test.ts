/**
 * What an operator gets wrong: each mistake is told with a remedy before anything was changed in either world, and once
 * the cause is mended the same run goes on (S000-8).
 * Rule: "nothing was changed" is read from both simulators and from the witness, never from what the run says.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { preflight } from '../../client/preflight.ts';
import { knock } from '../../lab/control-door.ts';
import { freePort } from '../../lab/free-port.ts';
import { moverName } from '../../lab/vcenter.ts';
import { readVcenter, setVcenterPower } from '../../lab/vcenter-control.ts';
import { blocking } from '../../model/check.ts';
import type { Status } from '../../model/status.ts';
import { standOf, tell } from './both-worlds.ts';
import { type Ended, homeward } from './command-line.ts';
import { openScene, type Run, type Scene } from './scene.ts';

const MiB = 1 << 20;

let scene: Scene;
let run: Run | undefined;
beforeAll(async () => {
  scene = await openScene(3);
}, 180_000);
afterAll(() => scene?.close(), 60_000);

/** Not yet mended: mended after a test that failed, so that the next one meets only its own mistake. */
let unmended: Mistake | undefined;
afterEach(async () => {
  if (!unmended) return;
  await unmended.mend();
  unmended = undefined;
  await run?.say('cancel');
  await run?.until('ReturnedToSource');
}, 60_000);

/** Another failback of the one machine all mistakes are made with; it copies during the cutover, so it stops right after preflight. */
async function startAgain(): Promise<Run> {
  run = run ? await scene.again(run) : await scene.begin({ sync: 'during' });
  return run;
}

interface Mistake {
  /** The check that refuses. */
  readonly check: string;
  readonly seen: RegExp;
  readonly remedy: RegExp;
  /** Who is said to serve; the source when absent. */
  readonly serves?: string;
  make(): Promise<unknown>;
  mend(): Promise<unknown>;
}

const target = (): string => run?.machine.target.vm ?? scene.lab.machines[0]?.target.vm ?? '';
const osDisk = () => scene.lab.machines[0]?.disks[0] ?? { azureName: '', sizeBytes: 0 };
const azure = (door: string, body: object): Promise<unknown> => tell(`${scene.lab.azure.control}${door}`, body);
const vcenter = (door: string, body: object): Promise<unknown> => tell(`${scene.lab.vcenter.control}${door}`, body);
const resized = (bytes: number): Promise<unknown> =>
  azure(`/disks/${osDisk().azureName}/resize`, { sizeBytes: osDisk().sizeBytes + bytes });
const withoutSnapshots = (vm: string): Promise<unknown> =>
  knock(`${scene.lab.vcenter.control}/snapshot`, { vm }, 'DELETE');

/** Replaces what a secret file holds; answers how to put the right secret back. */
async function spoil(file: string): Promise<() => Promise<void>> {
  const right = await readFile(file, 'utf8');
  await writeFile(file, 'not-the-right-one');
  return () => writeFile(file, right);
}
let putBack: () => Promise<void> = async () => undefined;

const mistakes: readonly (readonly [string, Mistake])[] = [
  [
    'R7 the disk at home is smaller than the one in Azure',
    {
      check: 'disk-size',
      seen: /has \d+ bytes, \[lab-ds\] .+ has \d+/,
      remedy:
        /--write staged.*keeps the plan it was started with: resolve it with --undo first\. Or make .* exactly \d+ bytes large/,
      make: () => resized(MiB),
      mend: () => resized(0),
    },
  ],
  [
    'S000-8 R7 the vCenter account lacks a privilege',
    {
      check: 'vcenter-privileges',
      seen: /missing: VirtualMachine\.Config\.AddExistingDisk/,
      remedy: /Add the missing privileges to the account’s role/,
      make: () => vcenter('/privileges', { deny: ['VirtualMachine.Config.AddExistingDisk'] }),
      mend: () => vcenter('/privileges', { deny: [] }),
    },
  ],
  [
    'R7 the Azure identity may not make snapshots',
    {
      check: 'azure-permissions',
      seen: /missing on rg-failover: Microsoft\.Compute\/snapshots\/write/,
      remedy: /Give Homeward’s identity a role with these actions/,
      make: () => azure('/settings', { deniedActions: ['Microsoft.Compute/snapshots/write'] }),
      mend: () => azure('/settings', { deniedActions: [] }),
    },
  ],
  [
    'S000-27 S000-28 the machine at home is powered on',
    {
      check: 'target-powered-off',
      serves: 'source and target',
      seen: /is poweredOn/,
      remedy: /Power the on-prem machine off and keep it off/,
      async make() {
        await setVcenterPower(scene.lab.vcenter.control, target(), 'on');
        const booted = async () =>
          (await readVcenter(scene.lab.vcenter.control)).some((vm) => vm.name === target() && vm.ip !== '');
        while (!(await booted())) await new Promise((resolve) => setTimeout(resolve, 100));
      },
      mend: () => setVcenterPower(scene.lab.vcenter.control, target(), 'off'),
    },
  ],
  [
    'S000-4 S001-8 the machine at home has a snapshot',
    {
      check: 'target-no-snapshots',
      seen: /snapshot/,
      remedy: /Delete all snapshots of the machine in the vSphere Client/,
      make: () => vcenter('/snapshot', { vm: target(), name: 'before patching' }),
      mend: () => withoutSnapshots(target()),
    },
  ],
  [
    'S000-4 S001-8 the mover has a snapshot',
    {
      check: 'mover-no-snapshots',
      seen: /snapshot/,
      remedy: /Delete all snapshots of the mover/,
      make: () => vcenter('/snapshot', { vm: moverName, name: 'nightly backup' }),
      mend: () => withoutSnapshots(moverName),
    },
  ],
  [
    'S000-8 S001-5 the vCenter password is wrong',
    {
      check: 'vcenter-login',
      seen: /InvalidLogin/,
      remedy: /Check the user and the password of this vCenter/,
      async make() {
        putBack = await spoil(scene.lab.vcenter.passwordFile);
        await vcenter('/sessions/expire', {});
      },
      mend: () => putBack(),
    },
  ],
  [
    'S000-8 the Azure client secret is wrong',
    {
      check: 'azure-login',
      serves: 'not known: the source could not be seen',
      seen: /AADSTS7000215|invalid_client/,
      remedy: /Check tenant, client id and secret of this site/,
      async make() {
        putBack = await spoil(scene.lab.azure.clientSecretFile);
        // A worker that starts with the wrong secret must take the right one without another start.
        await scene.workers.restart('control');
      },
      mend: () => putBack(),
    },
  ],
  [
    'S000-7 S001-5 the vCenter is out of reach',
    {
      check: 'vcenter-reachable',
      seen: /ECONNREFUSED|refused/,
      remedy: /vCenter is up and reachable from this worker/,
      async make() {
        const right = await readFile(scene.lab.config, 'utf8');
        const nobody = `https://127.0.0.1:${await freePort()}/sdk`;
        await writeFile(scene.lab.config, right.replace(scene.lab.vcenter.url, nobody));
        putBack = () => writeFile(scene.lab.config, right);
        await scene.workers.restart('control');
      },
      async mend() {
        await putBack();
        await scene.workers.restart('control');
      },
    },
  ],
];

/** The run stands in front of its first step, and says which check refuses, on what, and what to do. */
async function expectCalled(stands: Run, mistake: Mistake): Promise<Status> {
  const status = await stands.until('NeedsOperator');
  expect(status.left).toBe('Preflight');
  expect(status.serves).toBe(mistake.serves ?? 'source');
  const refused = blocking(status.checks);
  expect(refused.map((check) => check.id)).toContain(mistake.check);
  for (const check of refused) expect(check.remedy).toMatch(/^\S.{15}/);
  const check = refused.find((one) => one.id === mistake.check);
  expect(check?.seen).toMatch(mistake.seen);
  expect(check?.remedy).toMatch(mistake.remedy);
  expect(status.trouble).toMatchObject({ kind: 'Refused', op: 'preflight' });
  expect(status.trouble?.message).toContain(`${refused[0]?.id}: ${refused[0]?.seen}`);
  expect(status.trouble?.hint).toContain('resolve with retry; nothing has been changed');
  expect(status.waitsFor).toMatch(/^resolve: /);
  return status;
}

async function goesOnOnceMended(_what: string, mistake: Mistake): Promise<void> {
  unmended = mistake;
  await mistake.make();
  const before = await standOf(scene.lab);
  const started = await startAgain();
  const called = await expectCalled(started, mistake);
  const asked = await preflight(scene.link, started.input);
  expect(blocking(asked.checks).map((check) => check.id)).toContain(mistake.check);
  expect(await standOf(scene.lab)).toEqual(before);

  // A retry without mending calls again, in the same run.
  expect(await started.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  const again = await started.untilView('called again', ({ status }) => {
    return status?.phase === 'NeedsOperator' && status.trouble?.since !== called.trouble?.since;
  });
  expect(again.status?.trouble?.message).toBe(called.trouble?.message);
  expect(await standOf(scene.lab)).toEqual(before);

  await mistake.mend();
  const mended = await standOf(scene.lab);
  expect(await started.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  const goesOn = await started.until('AwaitingCutover', 'NeedsOperator');
  expect(goesOn).toMatchObject({ phase: 'AwaitingCutover', run: called.run });
  expect(goesOn.trouble).toBeUndefined();
  expect(goesOn.record.map((entry) => entry.key)).toEqual([
    'operator-called',
    'resolve-accepted',
    'operator-called',
    'resolve-accepted',
    'preflight',
    'location',
    'forecast/start',
  ]);
  expect(await started.say('cancel')).toEqual({ accepted: true });
  await started.until('ReturnedToSource');
  unmended = undefined;
  expect(await standOf(scene.lab)).toEqual(mended);
}

const title = 'C14 %s: the run calls an operator before anything was changed, and goes on once it is mended';
test.each(mistakes)(title, goesOnOnceMended, 180_000);

test('S000-8 S000-6 C14 a secret that is wrong on the mover is found before the source is stopped; one that is wrong inside the cutover is corrected without starting a worker, and the same run comes home', async () => {
  const home = await scene.begin({ sync: 'during' });
  const { run: runId } = await home.until('AwaitingCutover');
  const correct = await spoil(scene.lab.azure.clientSecretFile);
  await scene.workers.restart('mover');
  await home.say('completeFailover');
  const early = await home.until('NeedsOperator');
  expect(early).toMatchObject({ left: 'AwaitingCutover', trouble: { op: 'check-before-cutover' } });
  expect(early.trouble?.message).toMatch(/^mover-reaches: the sign-in at localhost:\d+ did not answer/);
  expect(early.outage).toBeUndefined();
  await correct();
  await scene.fault('azure', { operation: 'virtualMachines.deallocate', action: { delayMs: 6_000 } });
  expect(await home.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  await scene.untilMet('azure');
  const correctAgain = await spoil(scene.lab.azure.clientSecretFile);
  await scene.workers.restart('mover');
  const called = await home.until('NeedsOperator');
  expect(called).toMatchObject({ left: 'FinalSync', trouble: { kind: 'Refused' } });
  expect(called.trouble?.hint).toMatch(/Check tenant, client id and secret/);
  await scene.forgetRules();
  await correctAgain();
  expect(await home.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  expect((await home.until('AwaitingCommit', 'NeedsOperator')).phase).toBe('AwaitingCommit');
  await home.say('commit');
  expect((await home.until('Committed')).run).toBe(runId);
  expect(await home.wrongAtEnd('committed')).toEqual([]);
}, 180_000);

/** One command with `--json`; the last thing it said on stdout or stderr, read as JSON. */
async function ask(...args: string[]): Promise<{ code: number; said: Record<string, unknown>; ended: Ended }> {
  const ended = await homeward(scene.lab, '--json', ...args);
  const line = (ended.code === 0 || ended.out !== '' ? ended.out : ended.err).trim().split('\n').at(-1) ?? '';
  return { code: ended.code, said: z.record(z.string(), z.unknown()).parse(JSON.parse(line)), ended };
}

const failing = (code: number, kind: string, what: RegExp) => ({
  code,
  said: {
    error: { code, kind, what: expect.stringMatching(what), todo: expect.stringMatching(/^\S.{10}/) },
  },
});

test('S000-16 S001-1 S001-12 S002-11 the command line alone brings a machine home, each answer is JSON with its exit code, and a machine deleted in Azure is refused', async () => {
  const home = await scene.begin({ sync: 'during' });
  const { name } = home.machine;
  const waiting = await home.until('AwaitingCutover');
  const before = await standOf(scene.lab);

  // Everything that is wrong now is refused, and nothing moves.
  const wrong = await Promise.all([
    ask('failback', 'start', name),
    ask('failback', 'start', 'erp-bd'),
    ask('failback', 'start', name, '--sync', 'sometimes'),
    ask('failback', 'status', 'nobody'),
  ]);
  expect(wrong).toMatchObject([
    failing(6, 'already-running', /a run of .* is under way/),
    failing(5, 'not-found', /no machine is called "erp-bd"/),
    failing(2, 'usage', /'sometimes' is invalid/),
    failing(5, 'not-found', /no machine is called "nobody"/),
  ]);
  const early = await Promise.all([
    ask('failback', 'commit', name, '--yes'),
    ask('failback', 'complete', name),
    ask('failback', 'complete', name, '--run', 'another', '--yes'),
    ask('failback', 'resolve', name, '--retry'),
  ]);
  expect(early).toMatchObject([
    failing(3, 'refused', /refuses commit: the run is in phase AwaitingCutover/),
    failing(3, 'refused', /nothing was sent: there is no terminal to confirm on/),
    failing(3, 'refused', /refuses completeFailover: it names run another/),
    failing(3, 'refused', /nothing waits to be resolved/),
  ]);
  expect(await standOf(scene.lab)).toEqual(before);
  expect(await home.status()).toMatchObject({
    phase: 'AwaitingCutover',
    run: waiting.run,
    phaseSince: waiting.phaseSince,
  });

  expect(await ask('failback', 'cancel', name, '--yes', '--by', 'ana')).toMatchObject({
    code: 0,
    said: { accepted: true },
  });
  await home.until('ReturnedToSource');
  expect(await ask('failback', 'cancel', name)).toMatchObject(failing(5, 'not-found', /has ended/));

  const clear = await ask('preflight', name);
  expect(clear).toMatchObject({ code: 0, said: { machine: name, blocked: false } });
  const started = await ask('failback', 'start', name, '--sync', 'before', '--round-every', '0.5');
  expect(started).toMatchObject({ code: 0, said: { machine: name, workflowId: home.id } });
  await home.untilView('on its way', ({ runId }) => runId === started.said.runId);
  await home.until('Syncing');
  const complete = await ask('failback', 'complete', name, '--yes', '--by', 'ana', '--note', 'window 7');
  expect(complete).toMatchObject({ code: 0, said: { accepted: true, message: 'completeFailover', durable: false } });
  expect(complete.ended.err).toMatch(/azure[\s\S]*vcenter/);
  const live = await home.until('AwaitingCommit');
  expect(live.completion).toMatchObject({ by: 'ana', note: 'window 7' });

  const lossy = await ask('failback', 'cancel', name);
  expect(lossy).toMatchObject(failing(3, 'refused', /--accept-loss/));
  expect(lossy.ended.err).toContain(`homeward --config ${scene.lab.config} failback cancel ${name} --accept-loss`);
  const other = await ask('failback', 'commit', name, '--yes', '--evidence', '0'.repeat(64));
  expect(other).toMatchObject(failing(3, 'refused', /it approves evidence 0+, but/));
  scene.lab.witness.allowRetirement(name);
  const commit = await ask('failback', 'commit', name, '--yes', '--by', 'ben');
  expect(commit).toMatchObject({ code: 0, said: { accepted: true } });
  expect((await home.until('Committed')).commitment).toMatchObject({ by: 'ben', evidence: live.evidence });
  expect(await home.wrongAtEnd('committed')).toEqual([]);
  const [status, evidence, late] = await Promise.all([
    ask('failback', 'status', name),
    ask('failback', 'evidence', name, '--verify'),
    ask('failback', 'hold', name),
  ]);
  expect(status).toMatchObject({
    code: 0,
    said: { execution: 'completed', remains: [], status: { phase: 'Committed' } },
  });
  expect(evidence).toMatchObject({
    code: 0,
    said: { run: started.said.runId, verdict: { whole: true, findings: [] } },
  });
  expect(late).toMatchObject(failing(5, 'not-found', /has ended/));

  // Now it is deleted in Azure: there is nothing left to bring home.
  const after = await standOf(scene.lab);
  const blocked = await ask('preflight', name);
  expect(blocked).toMatchObject({ code: 3, said: { blocked: true } });
  const gone = { id: 'source-found', verdict: 'refuse', requirement: 'S000-16' };
  expect(blocked.said.checks).toEqual(expect.arrayContaining([expect.objectContaining(gone)]));
  // Its last run was committed, so it is started only by who says that this is known.
  expect(await ask('failback', 'start', name)).toMatchObject({ code: 3 });
  expect(await ask('failback', 'start', name, '--again')).toMatchObject({ code: 0 });
  const called = await home.until('NeedsOperator');
  expect(called.trouble).toMatchObject({
    kind: 'Refused',
    message: expect.stringMatching(/^source-found: .*does not exist in Azure/),
  });
  expect(await ask('failback', 'resolve', name, '--undo')).toMatchObject({ code: 0, said: { accepted: true } });
  await home.until('ReturnedToSource');
  expect(await standOf(scene.lab)).toEqual(after);
}, 300_000);
