/**
 * What an operator gets wrong: each mistake is told with a remedy before anything was changed in either world, and once
 * the cause is mended the same run goes on (S000-8).
 * Rule: "nothing was changed" is read from both simulators and from the witness, never from what the run says.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { preflight } from '../../client/preflight.ts';
import { freePort } from '../../lab/free-port.ts';
import { readVcenter, setVcenterPower } from '../../lab/vcenter-control.ts';
import { moverName } from '../../lab/vcenter.ts';
import { blocking } from '../../model/check.ts';
import type { Status } from '../../model/status.ts';
import { standOf, tell } from './both-worlds.ts';
import { openScene, type Run, type Scene } from './scene.ts';

const MiB = 1 << 20;

let scene: Scene;
let run: Run | undefined;
beforeAll(async () => {
  scene = await openScene(2);
}, 120_000);
afterAll(() => scene?.close(), 60_000);

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
  make(): Promise<unknown>;
  mend(): Promise<unknown>;
}

const target = (): string => run?.machine.target.vm ?? scene.lab.machines[0]?.target.vm ?? '';
const osDisk = () => scene.lab.machines[0]?.disks[0] ?? { azureName: '', sizeBytes: 0 };
const azure = (door: string, body: object): Promise<unknown> => tell(`${scene.lab.azure.control}${door}`, body);
const vcenter = (door: string, body: object): Promise<unknown> => tell(`${scene.lab.vcenter.control}${door}`, body);
const resized = (bytes: number): Promise<unknown> =>
  azure(`/disks/${osDisk().azureName}/resize`, { sizeBytes: osDisk().sizeBytes + bytes });
async function withoutSnapshots(vm: string): Promise<void> {
  const answer = await fetch(`${scene.lab.vcenter.control}/snapshot`, {
    method: 'DELETE',
    body: JSON.stringify({ vm }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

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
      remedy: /exactly \d+ bytes large, or use write: staged/,
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
    'R7 C9 the Azure identity may not make snapshots',
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
      remedy: /url|network|answers/,
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
  expect(status.serves).toBe('source');
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

test.each(mistakes)(
  'C14 %s: the run calls an operator before anything was changed, and goes on once it is mended',
  async (_what, mistake) => {
    await mistake.make();
    const before = await standOf(scene.lab);
    const started = await startAgain();
    const called = await expectCalled(started, mistake);
    const asked = await preflight(scene.link, started.input);
    expect(blocking(asked).map((check) => check.id)).toContain(mistake.check);
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
    ]);
    expect(await started.say('cancel')).toEqual({ accepted: true });
    await started.until('ReturnedToSource');
    expect(await standOf(scene.lab)).toEqual(mended);
  },
  120_000,
);

test('S000-8 C13 C14 a secret that is wrong inside the cutover is corrected without starting a worker, and the same run comes home', async () => {
  const home = await scene.begin({ sync: 'during' });
  const { run: runId } = await home.until('AwaitingCutover');
  const correct = await spoil(scene.lab.azure.clientSecretFile);
  await scene.workers.restart('mover');
  await home.say('completeFailover');
  const called = await home.until('NeedsOperator');
  expect(called).toMatchObject({ left: 'FinalSync', trouble: { kind: 'Refused' } });
  expect(called.trouble?.hint).toMatch(/Check tenant, client id and secret/);
  await correct();
  expect(await home.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  expect((await home.until('AwaitingCommit', 'NeedsOperator')).phase).toBe('AwaitingCommit');
  await home.say('commit');
  expect((await home.until('Committed')).run).toBe(runId);
  expect(await home.wrongAtEnd('committed')).toEqual([]);
}, 120_000);
