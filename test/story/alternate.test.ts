/**
 * The vCenter that the machines came from is lost: they come home to another one, where each is made anew.
 * Rule: what is claimed about the new machines is looked up in the worlds; the lost vCenter is a port where nobody answers.
 */
import { readdir } from 'node:fs/promises';
import { lastRun } from '../../client/last-run.ts';
import { preflight } from '../../client/preflight.ts';
import { knock } from '../../lab/control-door.ts';
import { blocking, type Check } from '../../model/check.ts';
import { firstBroken } from '../../model/evidence.ts';
import type { Status } from '../../model/status.ts';
import { openScene, type Run, type Scene } from './scene.ts';

const hour = 3_600;
const runMs = 180_000;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(2, { lostSite: true });
}, 120_000);
afterEach(() => scene.forgetRules());
afterAll(() => scene?.close(), 60_000);

interface Row {
  readonly name: string;
  readonly power: string;
  readonly firmware: string;
  readonly disks: readonly { readonly file: string; readonly controllerKey: number; readonly unit: number }[];
  readonly nics: readonly { readonly network: string; readonly mac: string }[];
}
const rows = async (): Promise<readonly Row[]> => (await knock(`${scene.lab.vcenter.control}/state`)) as readonly Row[];
const madeFor = async ({ machine }: Run): Promise<Row[]> =>
  (await rows()).filter(({ name }) => name.startsWith(machine.target.vm));
const effectsOn = (run: Run, op: string): number =>
  scene.lab.witness
    .effects()
    .filter((one) => one.op === op && `${one.vm ?? ''} ${one.file ?? ''}`.includes(run.machine.target.vm)).length;
const factsOf = (status: Status, key: string) => status.record.find((entry) => entry.key === key)?.facts;

test(
  'C5 S000-10 S000-18 S000-24 R6 S1 S2 S3 S4 a machine whose vCenter is gone comes home to another one; a kill -9 of the control worker in the middle of CreateVM leaves one machine',
  async () => {
    await scene.fault('vcenter', { method: 'CreateVM_Task', where: 'task', delayMs: 4_000 });
    const run = await scene.begin({ roundEvery: hour });
    // Where it came from nobody answers, so the original location is no way home.
    const { create: _elsewhere, ...there } = run.input;
    const original = { ...there, target: { site: 'vcenter-lost', path: run.input.target.path } };
    const report = await preflight(scene.link, original);
    expect(blocking(report.checks).map(({ id }) => id)).toContain('vcenter-reachable');
    const chosen = (checks: readonly Check[]) => checks.find(({ id }) => id === 'location-chosen')?.seen;
    expect(chosen(report.checks)).toMatch(/^original location: .* vcenter-lost /);
    await scene.untilMet('vcenter');
    expect(await madeFor(run)).toEqual([]);
    await scene.workers.kill('control');
    await scene.workers.restart('control');
    expect(chosen((await run.until('Syncing')).checks)).toMatch(
      /^alternate location: a new machine is made at vcenter-new /,
    );
    const [open] = await madeFor(run);
    expect(open).toMatchObject({ name: run.machine.target.vm, power: 'off', disks: [] });
    const end = await run.comeHome();
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    const made = await madeFor(run);
    expect(made).toHaveLength(1);
    expect(made[0]).toMatchObject({
      ...{ name: run.machine.target.vm, power: 'on', firmware: 'efi' },
      nics: [{ network: 'VM Network', mac: '00:0d:3a:10:20:04' }],
    });
    expect(made[0]?.disks.map(({ controllerKey, unit }) => [controllerKey, unit])).toEqual([
      [1000, 0],
      [1000, 1],
    ]);
    const compared = scene.lab.witness.comparisons().filter((one) => one.machine === run.machine.name);
    expect(compared.map(({ source, target }) => source === target)).toEqual([true, true]);
    expect(['createVm', 'createDisk', 'powerOn'].map((op) => effectsOn(run, op))).toEqual([1, 2, 1]);
    expect(end.write).toBe('created');
    expect(factsOf(end, 'location')).toMatchObject({
      ...{ cpus: 2, memoryMiB: 2048, firmware: 'efi' },
      'nic-0': `${run.machine.source.nic}: VM Network, MAC 00:0d:3a:10:20:04, planned: 10.1.0.4 becomes 10.20.0.4 (set in the guest by you)`,
    });
    expect(end.record.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['location', 'machine-made', 'open/os', 'seal/os', 'target-started', 'guest-answers']),
    );
    expect(end.record.filter(({ key }) => key === 'operator-called')).toEqual([]);
    expect(firstBroken(end.record)).toBeUndefined();
  },
  runMs,
);

test(
  'S1 S5 S11 a preflight during the run knows its machine, and a cancel with loss takes the new machine away again, also when vCenter refuses to destroy it at first',
  async () => {
    const run = await scene.begin({ sync: 'during' });
    await run.until('AwaitingCutover');
    await run.say('completeFailover');
    await run.until('AwaitingCommit');
    expect(await madeFor(run)).toMatchObject([{ power: 'on' }]);
    // Its own machine, which alone serves now, stands in its way by nothing.
    const { runId: underWay = '' } = (await lastRun(scene.link, run.machine.name)) ?? {};
    const { checks } = await preflight(scene.link, { ...run.input, underWay });
    expect(checks.find(({ id }) => id === 'new-name-free')).toMatchObject({
      verdict: 'pass',
      seen: expect.stringContaining('is this run’s own machine'),
    });
    expect(blocking(checks).filter(({ id }) => id.startsWith('new-'))).toEqual([]);
    await scene.fault('vcenter', { method: 'Destroy_Task', fault: 'InvalidState' });
    expect(await run.say('cancel', { acceptLoss: true })).toEqual({ accepted: true });
    const { trouble } = await run.until('NeedsOperator');
    expect(trouble).toMatchObject({ kind: 'Refused', op: 'Destroy_Task' });
    await run.say('resolve', { action: 'retry' });
    const end = await run.until('ReturnedToSource');
    expect(await run.wrongAtEnd('returned')).toEqual([]);
    expect(await madeFor(run)).toEqual([]);
    const files = await readdir(scene.lab.vcenter.datastoreFolder);
    expect(files.filter((file) => file.startsWith(run.machine.target.vm))).toEqual([]);
    expect(firstBroken(end.record)).toBeUndefined();
  },
  runMs,
);
