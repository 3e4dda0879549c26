/**
 * What is done to the workers of a run under way: a limit set in a running copy, which outlives its mover, and one that lets
 * less through than the machine writes (its guest really writes, so its rounds really grow); and a control worker that stands
 * still in the middle of a step (SIGSTOP, as a stunned machine does), Temporal gives its attempt up, another worker does the
 * step, and then the first one wakes.
 * Rule: of what was moved only upper bounds, which a slow machine does not break; what was sent, and by how many, is read from
 * Azure's own log.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type MoverOutcome, orderLimits } from '../../client/limits.ts';
import { type Child, startChild } from '../../lab/child.ts';
import { knock } from '../../lab/control-door.ts';
import type { LimitsAnswer, LimitsOrder } from '../../model/limits-order.ts';
import { homeward } from './command-line.ts';
import { openScene, type Run, type Scene } from './scene.ts';

const MiB = 1024 ** 2;

const stop = 'virtualMachines.deallocate';

let scene: Scene;
let second: Child | undefined;
beforeAll(async () => {
  // Large enough that for a quarter of a minute what the guest writes is written for the first time since the last round.
  scene = await openScene(3, { dataSizeBytes: 32 * MiB });
}, 180_000);
afterAll(async () => {
  await second?.stop();
  await scene?.close();
}, 60_000);

/** What a person types, as a process of its own. */
async function typed(code: number, ...args: string[]): Promise<{ movers: MoverOutcome[] }> {
  const ended = await homeward(scene.lab, '--json', 'limits', ...args);
  expect({ code: ended.code, err: ended.code === 0 ? ended.err : '' }).toEqual({ code, err: '' });
  return JSON.parse(ended.out) as { movers: MoverOutcome[] };
}

/** The same by the library, which takes no start of a process. */
async function ordered(order: Omit<LimitsOrder, 'mover'>): Promise<LimitsAnswer['scopes']> {
  const outcome = await orderLimits(scene.link, { mover: 'mover-1', ...order }, 60_000);
  if (!('answer' in outcome)) throw new Error(`the mover did not answer: ${JSON.stringify(outcome)}`);
  return outcome.answer.scopes;
}

const mover = { kind: 'mover', name: 'mover-1' } as const;
const azure = { kind: 'site', name: 'azure' } as const;

test('R11 C18 L2 a limit slows a running copy, is seen in it, outlives its mover, and lifting it frees the copy', async () => {
  const set = await typed(0, 'set', '1MiB/s', '--mover', 'mover-1', '--by', 'ana', '--note', 'office hours');
  const byAna = { bytesPerSecond: MiB, set: { by: 'ana', note: 'office hours' } };
  expect(set.movers).toMatchObject([{ mover: 'mover-1', answer: { scopes: [byAna, {}, {}] } }]);
  const run = await scene.begin();
  const held = await run.untilView('held back', ({ transfers }) => transfers.some(({ limit }) => limit?.holdsBack));
  expect(held.transfers.find(({ limit }) => limit)?.limit).toMatchObject({
    bytesPerSecond: MiB,
    by: 'mover mover-1',
  });
  expect(held.status?.phase).toBe('Seeding');

  await scene.workers.kill('mover');
  const unheard = await typed(4, 'set', 'none', '--mover', 'mover-1', '--wait', '1');
  expect(unheard.movers).toEqual([{ mover: 'mover-1', silent: expect.stringContaining('nothing was changed') }]);
  await scene.workers.restart('mover');
  expect(await ordered({})).toMatchObject([byAna, {}, {}]);

  await ordered({ set: { scope: azure, rule: { rate: '16MiB/s' }, by: 'ben' } });
  expect(await ordered({ clear: { scope: mover, by: 'ben' } })).toMatchObject([
    { rules: [] },
    { bytesPerSecond: 16 * MiB },
    {},
  ]);
  const seeded = await run.untilView('seeded', ({ rounds }) => (rounds?.done ?? 0) > 0);
  const seed = seeded.rounds?.recent[0];
  // Every disk may have one piece on the way beyond what the time allows.
  const allowed = (((seed?.durationMs ?? 0) / 1000 + 0.25) * 16 + 2 * 4) * MiB;
  expect(seed?.copiedBytes).toBeLessThanOrEqual(allowed);
  await ordered({ clear: { scope: azure, by: 'ben' } });
  await run.comeHome();
  expect(await run.wrongAtEnd('committed')).toEqual([]);
}, 300_000);

/** How fast a job in the guest writes, besides its records. */
const writes = ({ machine }: Run, bytesPerSecond: number) =>
  knock(`${scene.lab.azure.control}/vms/${machine.source.vm}/writes`, { bytesPerSecond });

test('L3 R4 R11 rounds that get nowhere under a limit say both rates and what to type, and get somewhere once it is lifted', async () => {
  const run = await scene.begin();
  await run.until('Syncing');
  await typed(0, 'set', '1MiB/s', '--mover', 'mover-1', '--by', 'ana');
  await writes(run, 2 * MiB);
  // The rounds know it a moment before the run, which they tell of it.
  const stuck = await run.untilView('stuck', ({ rounds, status }) =>
    [rounds, status].every((one) => one?.convergence?.converges === false),
  );
  const judged = stuck.status?.convergence;
  const { changedBytesPerSecond = 0, movedBytesPerSecond = 0, round = 0, limit } = judged ?? {};
  // The limit is kept to: beyond what the time allows one piece may be on its way.
  expect(movedBytesPerSecond).toBeLessThan(2 * MiB);
  expect(changedBytesPerSecond).toBeGreaterThan(movedBytesPerSecond);
  expect(limit).toMatchObject({ bytesPerSecond: MiB, by: 'mover mover-1' });
  // What a person reads: both rates, what completing costs, and commands that can be pasted.
  const shown = (await homeward(scene.lab, 'status', run.machine.name)).out.replace(/\s+/g, ' ');
  expect(shown).toMatch(
    /Changes faster than the link: [\d.]+ [KM]iB\/s change, [\d.]+ [KM]iB\/s are moved \(the last rounds together, up to round \d+\)/,
  );
  expect(shown).toContain(
    'Raise or lift the limit of mover mover-1, quieten the machine, or complete at the cost shown',
  );
  expect(shown).toMatch(/Type: homeward --config \S+ limits set none --mover mover-1 # or another rate than none/);
  expect(shown).toMatch(/Completing now: about [\d.]+ MiB .* to move, about .* of outage/);
  const { status } = stuck;
  expect(status).toMatchObject({ phase: 'Syncing', waitsFor: expect.stringContaining('faster than the link') });
  await typed(0, 'clear', '--mover', 'mover-1', '--by', 'ana');
  const after = await run.untilView('moving', ({ rounds }) => rounds?.convergence?.converges === true);
  expect(after.rounds?.convergence?.round).toBeGreaterThan(round);
  const end = await run.comeHome();
  expect(await run.wrongAtEnd('committed')).toEqual([]);
  const turns = end.record.filter(({ key }) => key.startsWith('convergence/'));
  expect(turns.map(({ what, facts }) => ({ what, ...facts }))).toMatchObject([
    { what: expect.stringContaining('do not converge'), changedBytesPerSecond, movedBytesPerSecond, round },
    { what: 'the rounds converge again' },
  ]);
}, 240_000);

const startSecond = (): Promise<Child> =>
  startChild({
    name: 'worker-control-2',
    program: process.execPath,
    args: [join(__dirname, '../../workers/control.ts'), '--config', scene.lab.config],
    logFolder: scene.lab.folder,
    ready: { lineWith: 'ready' },
  });

async function stopsSent({ machine }: Run): Promise<number> {
  const lines = (await readFile(scene.lab.azure.audit, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
  const calls = lines.map((line) => JSON.parse(line) as { operation: string; resource: string });
  return calls.filter(({ operation, resource }) => operation === stop && resource.endsWith(`/${machine.name}`)).length;
}

test('S1 L1 a control worker that stood still between its look and its stop does not send the stop when it wakes', async () => {
  const run = await scene.begin({ roundEvery: 3_600 });
  await run.until('Syncing');
  // How the source stands is asked by a step of its own; the second look is that of the stop itself.
  const secondLook = { operation: 'virtualMachines.get', resource: run.machine.name, skip: 1, count: 1 };
  await scene.fault('azure', { ...secondLook, action: { delayMs: 1_000 } });
  await run.say('completeFailover');
  await scene.untilMet('azure');
  const first = scene.workers.pid('control');
  process.kill(first, 'SIGSTOP');
  try {
    expect(await stopsSent(run)).toBe(0);
    second = await startSecond();
    for (const end = Date.now() + 60_000; (await stopsSent(run)) === 0; await pause(100))
      expect(Date.now()).toBeLessThan(end);
  } finally {
    process.kill(first, 'SIGCONT');
  }
  await run.until('AwaitingCommit');
  await pause(1_000);
  expect(await stopsSent(run)).toBe(1);
  await run.say('commit');
  const end = await run.until('Committed');
  expect(end.record.filter((entry) => entry.key === 'operator-called')).toEqual([]);
  expect(await run.wrongAtEnd('committed')).toEqual([]);
}, 180_000);
