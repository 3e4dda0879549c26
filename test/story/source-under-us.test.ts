/**
 * What the source does by itself, or somebody does to it, while a run is under way: an agent that is slow to report, a
 * machine that somebody stops, disks that somebody attaches or resizes.
 * Rule: what is said of Azure is compared with what was done to the simulator; the run is one and the same all along.
 */
import { preflight } from '../../client/preflight.ts';
import { loadInventory } from '../../config/load.ts';
import { knock } from '../../lab/control-door.ts';
import { blocking } from '../../model/check.ts';
import { firstBroken } from '../../model/evidence.ts';
import { failbackInput } from '../../model/failback-input.ts';
import type { Origin } from '../../model/origin.ts';
import { standOf, tell } from './both-worlds.ts';
import { homeward } from './command-line.ts';
import { openScene, type Scene } from './scene.ts';

const guestAgentWithinSeconds = 6;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(2, { policy: { guestAgentWithinSeconds } });
}, 180_000);
afterAll(() => scene?.close(), 60_000);

const origin: Origin = { kind: 'vmware', state: 'failed-over' };
const azure = (door: string, body: object): Promise<unknown> => tell(`${scene.lab.azure.control}${door}`, body);
const power = (vm: string, state: 'running' | 'deallocated'): Promise<unknown> => azure(`/vms/${vm}/power`, { state });
const agentAfter = (ms: number): Promise<unknown> => azure('/settings', { agentAfterMs: ms });

test('S000-22 S000-8 an agent that is slow after a boot is waited for by the run itself, refused after its window, and the same run goes on once it reports', async () => {
  const vm = scene.lab.machines[0]?.source.vm ?? '';
  await power(vm, 'deallocated');
  await power(vm, 'running');
  await agentAfter(3_600_000);
  const run = await scene.begin({ sync: 'during' });
  const waits = await run.untilView('waiting by itself', ({ status }) => status?.awaits !== undefined);
  expect(waits.status).toMatchObject({ phase: 'Preflight', awaits: { for: 'the Azure VM agent to report' } });
  expect(waits.status?.waitsFor).toBeUndefined();
  const { since = '', until = '' } = waits.status?.awaits ?? {};
  expect(Date.parse(until) - Date.parse(since)).toBe(guestAgentWithinSeconds * 1000);
  expect((await homeward(scene.lab, 'status', run.machine.name)).out.replace(/\s+/g, ' ')).toMatch(
    /Waits by itself for the Azure VM agent to report: since .* until .*Nobody needs to do anything/,
  );

  const called = await run.until('NeedsOperator');
  expect(Date.parse(called.trouble?.since ?? '')).toBeGreaterThanOrEqual(Date.parse(until));
  expect(called.trouble?.message).toMatch(/^source-guest-agent: the Azure VM agent does not report/);
  expect(called.awaits).toBeUndefined();

  // It boots again, and this time the agent reports in time: nobody says anything to the run.
  await power(vm, 'deallocated');
  await power(vm, 'running');
  await agentAfter(3_000);
  expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  const goesOn = await run.until('AwaitingCutover');
  expect(goesOn).toMatchObject({ run: called.run });
  expect(goesOn.awaits).toBeUndefined();
  expect(goesOn.record.filter(({ key }) => key === 'waits')).toHaveLength(2);
  expect(firstBroken(goesOn.record)).toBeUndefined();
  await run.say('cancel');
  await run.until('ReturnedToSource');
}, 120_000);

test.each<[string, Origin, string]>([
  [
    'S000-12 S001-2 a physical server that is too old',
    { ...origin, kind: 'physical', os: 'Windows Server 2008 R2 SP1' },
    'origin-system',
  ],
  ['S000-14 a machine whose migration was completed', { ...origin, state: 'migrated' }, 'origin-not-migrated'],
  [
    'S001-1 a machine whose protection was switched off',
    { ...origin, state: 'protection-disabled' },
    'origin-protection',
  ],
])('%s is refused by the workers before anything is touched', async (_what, from, id) => {
  const { inventory } = await loadInventory(scene.lab.config);
  const input = failbackInput(inventory, scene.lab.machines[1]?.name ?? '');
  if (!input) throw new Error('the lab has no second machine');
  const stood = await standOf(scene.lab);
  const asked = await preflight(scene.link, { ...input, origin: from });
  expect(blocking(asked.checks).map((check) => check.id)).toEqual([id]);
  expect(blocking((await preflight(scene.link, { ...input, origin })).checks)).toEqual([]);
  expect(await standOf(scene.lab)).toEqual(stood);
});

test('a source that somebody stops, and a disk that is attached or resized, is told within a round; the same run goes on or is taken back', async () => {
  const run = await scene.begin({ roundEvery: 0.5 });
  const { vm } = run.machine.source;
  await run.until('Syncing');
  await power(vm, 'deallocated');
  const called = await run.until('NeedsOperator');
  expect(called).toMatchObject({ left: 'Syncing', trouble: { kind: 'Refused', op: 'source-stopped' } });
  expect(called.trouble?.hint).toMatch(/start it again in Azure.*complete the failover.*resolve with retry/);
  const doneThen = called.rounds?.done ?? 0;

  // It stays stopped on purpose: nobody is called for it twice, and the status does not claim that it serves.
  expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  const idle = await run.untilView('going on', ({ status, rounds }) => {
    return status?.phase === 'Syncing' && (rounds?.done ?? 0) > doneThen + 1;
  });
  expect(idle.status?.serves).toBe('nobody: the source is stopped');
  await power(vm, 'running');
  await run.untilView('serving again', ({ status }) => status?.serves === 'source');
  const { record } = await run.status();
  expect(record.filter(({ key }) => /^source-(idle|runs-again)$/.test(key)).map(({ key }) => key)).toEqual([
    'source-idle',
    'source-runs-again',
  ]);
  expect(firstBroken(record)).toBeUndefined();

  // A disk that is attached would stay behind; once it is taken off again the rounds go on.
  const { name } = (await azure(`/vms/${vm}/disks`, { sizeBytes: 1 << 20 })) as { name: string };
  const added = await run.until('NeedsOperator');
  expect(added.trouble).toMatchObject({ op: 'source-changed', message: expect.stringMatching(/attached or swapped/) });
  expect(added.trouble?.hint).toMatch(/^Detach it in Azure and resolve with retry/);
  await knock(`${scene.lab.azure.control}/vms/${vm}/disks/${name}`, {}, 'DELETE');
  expect(await run.say('resolve', { action: 'retry' })).toEqual({ accepted: true });
  expect((await run.until('Syncing')).run).toBe(called.run);

  // One that was resized is as it is: what is left is the way back, with what to do before the next start.
  const [, data] = run.machine.disks;
  await azure(`/disks/${data?.azureName}/resize`, { sizeBytes: (data?.sizeBytes ?? 0) + (1 << 20) });
  const resized = await run.until('NeedsOperator');
  expect(resized.trouble).toMatchObject({ kind: 'Corrupt', op: 'source-resized' });
  expect(resized.trouble?.hint).toMatch(/cancel, then either start again with --write staged/);
  expect(await run.say('resolve', { action: 'undo' })).toEqual({ accepted: true });
  await run.until('ReturnedToSource');
  expect(await run.wrongAtEnd('returned')).toEqual([]);
}, 180_000);
