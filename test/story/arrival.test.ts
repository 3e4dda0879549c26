/**
 * Arriving as a policy wants it: scripts in both guests, proving apart first, probes, a commit approved beforehand, a rollback.
 * Rule: seven machines of one lab, begun together; what a test claims is looked up in the worlds, where the scripts really ran.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadInventory } from '../../config/load.ts';
import { readAzure } from '../../lab/azure-control.ts';
import { knock } from '../../lab/control-door.ts';
import { remainsInAzure } from '../../lab/inspect.ts';
import { readVcenter } from '../../lab/vcenter-control.ts';
import { commitPolicy, guestStep, probe } from '../../model/arrival-policy.ts';
import { firstBroken } from '../../model/evidence.ts';
import { failbackInput, keptWorkflowId } from '../../model/failback-input.ts';
import type { Policy } from '../../model/inventory.ts';
import type { Status } from '../../model/status.ts';
import { tidyStep } from '../../workflows/step-times.ts';
import { homeward } from './command-line.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const step = (name: string, script: string, more: object = {}) => guestStep.parse({ name, script, ...more });
const quick = { everySeconds: 0.2, timeoutSeconds: 3 };
const tools = probe.parse({ kind: 'tools', name: 'tools', ...quick, timeoutSeconds: 20 });
const script = (name: string, text: string) => probe.parse({ kind: 'script', name, script: text, ...quick });
const notSick = script('not-sick', 'test ! -f sick');
const wayBack = commitPolicy.parse({ rollback: { when: 'probes-fail', lossAcceptedBy: 'ravi' } });

const policies: Readonly<
  Record<'home' | 'stuck' | 'sick' | 'proof' | 'tools' | 'mute' | 'muteApart', Partial<Policy>>
> = {
  home: {
    beforeStop: [
      step('drain', 'echo try >> drained; test $(wc -l < drained) -ge 2', { retries: 2 }),
      step('unneeded', 'echo nobody needs this; exit 4', { critical: false }),
    ],
    afterStart: [step('dns', 'echo "home at last" | tee -a moved')],
    probes: [tools, notSick],
    prove: 'isolated',
    commit: commitPolicy.parse({ people: 2, approved: { by: 'olga', soakSeconds: 4 }, probeEverySeconds: 0.5 }),
    keepFinalSnapshotsDays: 7,
  },
  stuck: {
    afterStart: [step('license', 'test -f license || { echo no license here; sleep 2; exit 9; }')],
    probes: [probe.parse({ kind: 'tcp', name: 'app', host: '127.0.0.1', port: 1, ...quick, timeoutSeconds: 1 })],
  },
  sick: {
    probes: [tools, notSick],
    commit: commitPolicy.parse({
      rollback: { when: 'probes-fail', lossAcceptedBy: 'ravi' },
      approved: { by: 'olga', soakSeconds: 600 },
      probeEverySeconds: 0.2,
    }),
  },
  proof: { prove: 'isolated', probes: [script('never', 'exit 1')] },
  tools: { beforeStop: [step('drain', 'true')] },
  mute: { guestWaitSeconds: 5, probes: [tools], commit: wayBack },
  muteApart: { guestWaitSeconds: 5, probes: [tools], commit: wayBack, prove: 'isolated' },
};

const ofTheLongRun = ['sick', 'mute', 'muteApart'];
const played = Object.entries(policies).filter(([name]) => everyFault || !ofTheLongRun.includes(name));

let scene: Scene;
let runs: Record<keyof typeof policies, Run>;
beforeAll(async () => {
  scene = await openScene(played.length);
  await windows(scene.lab.machines[played.findIndex(([name]) => name === 'tools')]?.source.vm ?? '');
  const other = scene.lab.machines[0]?.name ?? '';
  const { source } = failbackInput((await loadInventory(scene.lab.config)).inventory, other) ?? {};
  const group = source && { name: 'erp', others: [{ machine: other, source }] };
  const begun = played.map(async ([name, policy]) => [
    name,
    await scene.begin(
      { sync: 'during', alone: true, discard: 'a-run-of-before' },
      policy,
      name === 'proof' ? group : undefined,
    ),
  ]);
  runs = Object.fromEntries(await Promise.all(begun)) as typeof runs;
}, 120_000);
afterAll(() => scene?.close(), 60_000);

const windows = async (vm: string, body: object = {}) =>
  (await knock(`${scene.lab.azure.control}/vms/${vm}/windows`, body)) as { readonly toolsStart: string };
const atHome = (run: Run, file: string): string =>
  join(scene.lab.vcenter.datastoreFolder, '.guests', run.machine.target.vm, file);
const inAzure = (run: Run, file: string): string => join(scene.lab.folder, 'guests', run.machine.source.vm, file);
/** Every payload of a history, wherever it stands in it. */
function bytesIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(bytesIn) : [];
}
const keys = ({ record }: Status): string[] => record.map((entry) => entry.key);
const entry = ({ record }: Status, key: string) => record.find((one) => one.key === key);
async function complete(run: Run): Promise<void> {
  await run.until('AwaitingCutover');
  expect(await run.say('completeFailover')).toEqual({ accepted: true });
}
async function target(run: Run) {
  const found = (await readVcenter(scene.lab.vcenter.control)).find(({ name }) => name === run.machine.target.vm);
  if (!found) throw new Error('the target is gone');
  return found as typeof found & { readonly nics: readonly { readonly network: string }[] };
}

test('S1 S3 S6 S7 C1 scripts run in both guests, the machine is proven apart first, and a commit approved beforehand follows the probes that held', async () => {
  const run = runs.home;
  await complete(run);
  const live = await run.until('AwaitingCommit');
  expect(keys(live)).toEqual(expect.arrayContaining(['commit-approved-beforehand', 'proof-started', 'proven']));
  expect(keys(live).indexOf('step/source/drain')).toBeLessThan(keys(live).indexOf('source-stopped'));
  expect(keys(live).indexOf('proven')).toBeLessThan(keys(live).indexOf('target-started'));
  expect(keys(live).indexOf('target-started')).toBeLessThan(keys(live).indexOf('step/target/dns'));
  // Twice, because the first try failed; and no lost answer ran one once more.
  expect(await readFile(inAzure(run, 'drained'), 'utf8')).toBe('try\ntry\n');
  expect(await readFile(atHome(run, 'moved'), 'utf8')).toBe('home at last\n');
  expect(live.arrival?.steps).toMatchObject([
    { name: 'drain', side: 'source', ended: 'done', tries: 2 },
    { name: 'unneeded', side: 'source', ended: 'failed', tries: 1, output: 'nobody needs this\n' },
    { name: 'dns', side: 'target', ended: 'done', output: 'home at last\n' },
  ]);
  expect(entry(live, 'step/source/unneeded')?.facts).toMatchObject({ critical: false, seen: 'it ended with 4' });
  expect(
    (await readAzure(scene.lab.azure.control)).vms.find(({ name }) => name === run.machine.source.vm),
  ).toBeDefined();
  // Where it was proven nobody gave it an address.
  expect(entry(live, 'probe/isolated/tools')?.facts).toMatchObject({
    passed: true,
    seen: expect.stringContaining('address none'),
  });
  expect(live.arrival).toMatchObject({ proof: { state: 'proven' }, soak: { state: 'holds', approvedBy: 'olga' } });
  expect((await target(run)).disks.every(({ redo }) => redo === undefined)).toBe(true);

  expect(await run.say('commit')).toEqual({ refused: expect.stringContaining('two people') });
  scene.lab.witness.allowRetirement(run.machine.name);
  const end = await run.until('Committed');
  expect(end.commitment).toMatchObject({ by: 'olga', evidence: live.evidence });
  const soaked = Date.parse(entry(end, 'commit')?.at ?? '') - Date.parse(live.arrival?.soak?.since ?? '');
  expect(soaked).toBeGreaterThanOrEqual(4_000);
  expect(entry(end, 'probe/soak/not-sick')?.facts).toMatchObject({ passed: true });
  expect(firstBroken(end.record)).toBeUndefined();
  // S13: workers alone know the login of the guest.
  const password = (await readFile(scene.lab.vcenter.guestPasswordFile, 'utf8')).trim();
  const history = await scene.link.client.workflow.getHandle(run.id, end.run).fetchHistory();
  const tidied = history.events?.flatMap(({ activityTaskScheduledEventAttributes: seen }) =>
    seen?.activityType?.name === 'releaseGuestScripts' ? Number(seen.scheduleToCloseTimeout?.seconds) * 1000 : [],
  );
  expect(tidied).toEqual([tidyStep.allMs, tidyStep.allMs]);
  const payloads = bytesIn(history).map((bytes) => Buffer.from(bytes).toString('utf8'));
  expect(payloads.some((text) => text.includes('home at last'))).toBe(true);
  expect(payloads.filter((text) => text.includes(password))).toEqual([]);

  // S2, S11: only the final snapshots stay, and somebody sees to their end.
  const wrong = await run.wrongAtEnd('committed');
  expect(wrong.filter((one) => !/snapshot /.test(one))).toEqual([]);
  const { kept } = end.arrival ?? {};
  expect(wrong.filter((one) => /^remains in Azure: snapshot /.test(one))).toHaveLength(2);
  expect(kept).toMatchObject({ snapshots: [expect.any(String), expect.any(String)] });
  expect(Date.parse(kept?.until ?? '') - Date.parse(entry(end, 'commit')?.at ?? '')).toBeGreaterThan(6.9 * 86_400_000);
  const keeping = scene.link.client.workflow.getHandle(keptWorkflowId(run.machine.name, end.run));
  expect(await keeping.query('status')).toMatchObject({ state: 'kept', snapshots: kept?.snapshots });
  const listed = async (): Promise<{ name: string; kept?: object[] } | undefined> =>
    JSON.parse((await homeward(scene.lab, 'machines', '--json')).out).find(
      ({ name }: { name: string }) => name === run.machine.name,
    );
  const told = { run: end.run, until: kept?.until, snapshots: kept?.snapshots, workflow: kept?.workflow };
  expect((await listed())?.kept).toEqual([expect.objectContaining(told)]);
  await keeping.signal('release', { by: '' });
  expect(await keeping.query('status')).toMatchObject({
    state: 'kept',
    refusals: [{ reason: 'release must say who: {"by":"you"}' }],
  });
  // Whoever cannot delete them calls a person, and tries again when that one says so.
  const resource = kept?.snapshots[0]?.split('/').at(-1) ?? '';
  const action = { status: 403, code: 'AuthorizationFailed' };
  await scene.fault('azure', { operation: 'snapshots.delete', resource, count: 1, action });
  await keeping.signal('release', { by: 'ana' });
  const calls = async () => (await keeping.describe()).searchAttributes.HomewardNeedsHuman?.[0];
  for (const end = Date.now() + 20_000; (await calls()) !== true && Date.now() < end; ) await pause(100);
  expect(await calls()).toBe(true);
  await scene.forgetRules();
  expect(await keeping.query('status')).toMatchObject({ state: 'kept', trouble: expect.stringContaining('403') });
  const troubled = { ...told, releasedBy: 'ana', trouble: expect.stringContaining('403') };
  expect((await listed())?.kept).toEqual([expect.objectContaining(troubled)]);
  await keeping.signal('release', { by: 'ana' });
  expect(await keeping.result()).not.toEqual([]);
  expect(await calls()).toBe(false);
  expect(await listed()).not.toHaveProperty('kept');
  expect(await remainsInAzure(scene.lab, run.machine)).toEqual([]);
}, 180_000);

test('S5 L6 S000-22 S001-22 a critical script and a probe that fail each call an operator, go on when resolved, and home again needs the loss flag', async () => {
  const run = runs.stuck;
  await complete(run);
  const waits = await run.untilView('at its script', ({ status }) => status?.awaits?.for.includes('license') === true);
  expect(waits.status?.awaits?.for).toMatch(/^the agent in the guest of .*, then its script license$/);
  const script = await run.until('NeedsOperator');
  expect(script.awaits).toBeUndefined();
  expect(script).toMatchObject({ left: 'StartingTarget', trouble: { op: 'guest-step', kind: 'Refused' } });
  expect(script.arrival?.steps).toMatchObject([{ name: 'license', ended: 'failed', output: 'no license here\n' }]);
  await mkdir(dirname(atHome(run, 'license')), { recursive: true });
  await writeFile(atHome(run, 'license'), '');
  await run.say('resolve', { action: 'retry' });
  const probes = await run.untilView('stopped by its probe', ({ status }) => status?.trouble?.op === 'probes');
  expect(probes.status?.trouble).toMatchObject({
    message: 'probes failed: app: 127.0.0.1:1: ECONNREFUSED',
    hint: expect.stringContaining('cancel --accept-loss'),
  });
  // This run takes no application-consistent points, and the latest is at home.
  expect(probes.status?.trouble?.hint).not.toContain('change-point');
  expect(probes.status?.arrival?.steps).toMatchObject([{ name: 'license', ended: 'done', tries: 2 }]);
  expect(await run.say('resolve', { action: 'undo' })).toEqual({ refused: expect.stringContaining('went live at 20') });
  const told = /lost; (it wrote about \S+ \S+ to its disks until 20|how much that is nobody has counted)/;
  expect(await run.say('cancel')).toEqual({ refused: expect.stringMatching(told) });
  expect(await run.say('cancel', { acceptLoss: true })).toEqual({ accepted: true });
  await run.until('ReturnedToSource');
  expect(await run.wrongAtEnd('returned')).toEqual([]);
}, 120_000);

thorough(
  'S6 S7 L4 a probe that fails while the commit is waited for takes the run back in the name of whoever accepted the loss',
  async () => {
    const run = runs.sick;
    await complete(run);
    await run.until('AwaitingCommit');
    await run.untilView('soaking', ({ status }) => status?.arrival?.soak?.state === 'holds');
    await mkdir(dirname(atHome(run, 'sick')), { recursive: true });
    await writeFile(atHome(run, 'sick'), '');
    const end = await run.until('ReturnedToSource');
    expect(end.cancellation).toMatchObject({
      by: 'ravi',
      note: expect.stringContaining('not-sick: the script ended with 1'),
    });
    expect(keys(end)).toEqual(expect.arrayContaining(['loss-accepted-beforehand', 'approval-ended', 'rollback']));
    expect(end.commitment).toBeUndefined();
    expect(await run.wrongAtEnd('returned')).toEqual([]);
  },
  120_000,
);

test('S000-20 S3 S5 a member of a group that comes home alone has that in its record; a proof that fails calls an operator while nothing is live, and goes back without any loss, its network put back', async () => {
  const run = runs.proof;
  await complete(run);
  const stuck = await run.until('NeedsOperator');
  expect(stuck).toMatchObject({ left: 'StartingTarget', trouble: { op: 'probes' } });
  expect(stuck.targetLive).toBeUndefined();
  const other = runs.home.machine.name;
  expect(entry(stuck, 'group-member-alone')?.facts).toEqual({ group: 'erp', others: other });
  expect(entry(stuck, 'earlier-run-discarded')?.facts).toMatchObject({
    run: 'a-run-of-before',
    seen: expect.stringMatching(/^no other run/),
  });
  const apart = await target(run);
  expect(apart.power).toBe('on');
  expect(apart.nics.map(({ network }) => network)).not.toContain('VM Network');
  expect(apart.disks.every(({ redo }) => redo !== undefined)).toBe(true);
  // S5: the undo itself fails once, calls the operator, and goes on when it is resolved.
  await scene.fault('vcenter', {
    ...{ method: 'ReconfigVM_Task', objectName: run.machine.target.vm, skip: 1, count: 1 },
    fault: 'InvalidState',
  });
  expect(await run.say('resolve', { action: 'undo' })).toEqual({ accepted: true });
  const undoing = await run.untilView('called in its undo', ({ status }) => status?.left === 'Undoing');
  expect(undoing.status?.trouble?.step).toBe('undo: the boot apart from everybody');
  await run.say('resolve', { action: 'retry' });
  const end = await run.until('ReturnedToSource');
  expect(keys(end)).toContain('undo/the boot apart from everybody');
  const back = await target(run);
  expect(back.nics.map(({ network }) => network)).toEqual(['VM Network']);
  expect(await run.wrongAtEnd('returned')).toEqual([]);
}, 120_000);

test('S5 S001-20 a cancel while VMware Tools are enabled sets them as they were found, and calls an operator while that fails; a source that is off comes home without its scripts', async () => {
  const run = runs.tools;
  const { vm } = run.machine.source;
  await run.until('AwaitingCutover');
  const looks = { operation: 'virtualMachineRunCommands.getByVirtualMachine', skip: 1, count: 1 };
  // The answer to this try comes too late for anybody: a cancel does not wait for it, and the way back asks what became of it.
  await scene.fault('azure', { ...looks, action: { delayMs: 600_000 } });
  await run.say('completeFailover');
  await scene.untilMet('azure');
  expect(await windows(vm, { locked: true })).toEqual({ toolsStart: 'Automatic' });
  expect(await run.say('cancel')).toEqual({ accepted: true });
  const called = await run.until('NeedsOperator');
  expect(called).toMatchObject({
    left: 'Undoing',
    trouble: { op: 'guest-step', step: 'undo: VMware Tools in the source' },
  });
  expect(called.trouble?.message).toContain('the script restore-vmware-tools failed in the guest of the source');
  const { events } = await scene.link.client.workflow.getHandle(run.id).fetchHistory();
  const begun = (events ?? []).map((one) => one.activityTaskScheduledEventAttributes?.activityType?.name);
  expect(begun.filter((name) => name === 'observeSourceScript')).toHaveLength(1);
  await scene.forgetRules();
  await windows(vm, { locked: false });
  await run.say('resolve', { action: 'retry' });
  await run.until('ReturnedToSource');
  expect(await windows(vm)).toEqual({ toolsStart: 'Disabled' });
  expect(await run.wrongAtEnd('returned')).toEqual([]);

  const off = await scene.again(run);
  await off.until('AwaitingCutover');
  await knock(`${scene.lab.azure.control}/vms/${vm}/power`, { state: 'deallocated' });
  await off.say('completeFailover');
  const home = await off.until('AwaitingCommit', 'NeedsOperator');
  expect(home).toMatchObject({ phase: 'AwaitingCommit' });
  expect(home.arrival?.steps).toMatchObject(
    ['enable-vmware-tools', 'drain'].map((name) => ({ name, ended: 'not-run', tries: 0, seen: 'the source is off' })),
  );
  await off.say('cancel', { acceptLoss: true });
  const back = await off.until('ReturnedToSource');
  expect(keys(back)).toContain('undo/stop the source');
}, 120_000);

thorough(
  'S5 S7 a machine that does not come up at all counts as a failed probe: it goes back in the name of whoever accepted the loss, live or apart',
  async () => {
    const silent = [runs.mute, runs.muteApart];
    for (const { machine } of silent) scene.lab.onPremGuests.silence(machine.target.vm);
    await Promise.all(silent.map(complete));
    for (const run of silent) {
      const end = await run.until('ReturnedToSource', 'NeedsOperator', 'AwaitingCommit');
      expect(end).toMatchObject({ phase: 'ReturnedToSource', cancellation: { by: 'ravi', acceptLoss: true } });
      expect(end.cancellation?.note).toMatch(/the guest: the guest did not answer within 5 s/);
      expect(keys(end)).toContain('rollback');
      expect(keys(end).includes('target-started')).toBe(run === runs.mute);
      expect(await run.wrongAtEnd('returned')).toEqual([]);
    }
  },
  120_000,
);
