/**
 * The copy of a large disk is stopped in its middle, and goes on from there: its mover is killed, or asked to end; an operator
 * steers it with Temporal's plain CLI (pause, unpause, reset). Nothing is lost, nobody is called, and status, details and the
 * CLI say who paused what and what to type to go on.
 * Rule: every command is the one that docs/operate.md shows; what was sent is looked up in Azure's own log.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { View } from '../../client/view.ts';
import { roundsWorkflowId } from '../../model/failback-input.ts';
import { homeward, temporal } from './command-line.ts';
import { bytesSent, fillBetweenRecords, oneWindow, phaseOf } from './kill-points.ts';
import { isHeld, openScene, type Run, type Scene } from './scene.ts';
import { everyFault, thorough } from './thorough.ts';

const MiB = 1 << 20;
const dataSizeBytes = 192 * MiB;
/** So much has been sent when the mover ends: more than twice what may be sent again. */
const wellUnderWay = 144 * MiB;
const readDelayMs = 500;
/** As docs/operate.md names it. */
const copy = 'transfer-data-0';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(everyFault ? 3 : 1, { dataSizeBytes });
  for (const machine of scene.lab.machines) await fillBetweenRecords(scene, machine.disks[1]);
}, 180_000);
afterEach(() => scene.forgetRules());
afterAll(() => scene?.close(), 60_000);

const slowReads = (delayMs: number): Promise<void> =>
  scene.fault('azure', { operation: 'blob.getRange', resource: 'data-0', count: 10_000, action: { delayMs } });
const slowRevocation = (delayMs: number): Promise<void> =>
  scene.fault('azure', { operation: 'snapshots.revokeAccess', resource: 'data-0', count: 1, action: { delayMs } });
const steer = (run: Run, verb: string, ...rest: string[]) =>
  temporal(scene.lab, 'activity', verb, '-w', roundsWorkflowId(run.machine.name), '-a', copy, ...rest);
const copyOf = (run: Run, what: string, holds: (step: { paused: boolean; attempt: number }) => boolean) =>
  run.untilView(what, ({ pending }) => pending.some((one) => one.activityId === copy && holds(one)));
const sent = async (run: Run): Promise<number> => (await bytesSent(scene, run.machine.name)).all;
const detailsOf = async (run: Run): Promise<string> => {
  const handle = scene.link.client.workflow.getHandle(roundsWorkflowId(run.machine.name));
  return (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '';
};

async function untilSent(run: Run, bytes: number): Promise<void> {
  for (const end = Date.now() + 60_000; (await sent(run)) < bytes; await pause(50))
    expect(Date.now()).toBeLessThan(end);
}

/** Pauses the copy by the plain CLI and waits until the attempt has ended. */
async function pauseCopy(run: Run): Promise<void> {
  expect(await steer(run, 'pause', '--reason', 'backup window', '--identity', 'ana')).toMatchObject({ code: 0 });
  await copyOf(run, 'paused', ({ paused, attempt }) => paused && attempt > 1);
}

test('L2 S8 a copy that is paused, unpaused and reset by the plain temporal CLI stops, says so, and goes on from its journal', async () => {
  // So patient that nothing below may wait for it: whoever steers a copy is obeyed within seconds.
  const run = await scene.begin({ roundEvery: 3_600 }, { heartbeatSeconds: 60 });
  await slowReads(readDelayMs);
  await untilSent(run, 72 * MiB);

  // A pause waits for nothing in Azure: an attempt that did would wait for its whole patience of 20 s.
  await slowRevocation(60_000);
  const asked = performance.now();
  await pauseCopy(run);
  expect(performance.now() - asked).toBeLessThan(15_000);
  // What the attempt let go of stands in Azure's log once its delay is over.
  await pause(2 * readDelayMs);
  const before = await sent(run);
  await pause(1_500);
  expect(await sent(run)).toBe(before);
  const shown = await homeward(scene.lab, 'status', run.machine.name);
  expect(shown.out).toContain(`${copy} is paused by an operator in Temporal: ana (backup window)`);
  expect(shown.out).toContain(`Type: temporal activity unpause -w ${roundsWorkflowId(run.machine.name)} -a ${copy}`);
  const told = await run.untilView('told', ({ rounds }) => rounds?.paused?.length === 1);
  expect(told.rounds?.paused?.[0]).toMatchObject({ activityId: copy, by: 'ana', reason: 'backup window' });
  expect(told.status).toMatchObject({ phase: 'Seeding', refusals: [] });
  expect(shown.out).toContain('To expect: about 94 s (7.2 s to 9 min) of outage, and longer by what changes');
  expect(await detailsOf(run)).toContain('To expect: about 94 s (7 s to 540 s) of outage, and longer by what changes');
  expect(await detailsOf(run)).toContain('### Paused by an operator in Temporal: `transfer-data-0`\nana paused it');

  // Another mover process goes on, and still says that the pause is over.
  await scene.workers.restart('mover');
  expect(await steer(run, 'unpause')).toMatchObject({ code: 0 });
  await run.untilView('going on', ({ rounds, pending }) => !rounds?.paused && pending.every((one) => !one.paused));
  expect(await detailsOf(run)).not.toContain('Paused');
  await untilSent(run, before + 8 * MiB);
  // L2: a pause costs at most one window, and so does the end of the mover it was paused on.
  expect((await bytesSent(scene, run.machine.name)).again).toBeLessThanOrEqual(oneWindow);

  // What is left must take longer than a reset takes to be heard, on a busy machine too; the first rule that fits counts.
  await scene.forgetRules();
  await slowReads(1_500);
  const epochOf = ({ transfers }: View): number =>
    Math.max(0, ...transfers.filter(({ disk }) => disk === 'data-0').map((one) => one.epoch));
  // An attempt tells its epoch with its first heartbeat, so for a moment the view holds none.
  const epoch = epochOf(await run.untilView('told by the attempt after the pause', (view) => epochOf(view) > 1));
  const resetAt = performance.now();
  expect(await steer(run, 'reset')).toMatchObject({ code: 0 });
  await run.untilView('begun anew', ({ transfers }) =>
    transfers.some((one) => one.disk === 'data-0' && one.epoch > epoch),
  );
  expect(performance.now() - resetAt).toBeLessThan(15_000);

  // A hold of a paused copy ends it, and what goes on after it is not paused.
  await pauseCopy(run);
  expect(await run.say('hold')).toEqual({ accepted: true });
  await run.untilView('held', isHeld);
  await scene.forgetRules();
  expect(await run.say('resume')).toEqual({ accepted: true });
  // Each wait of its own: on a busy machine the cutover takes long.
  await run.until('Syncing');
  await run.say('completeFailover');
  await run.until('StartingTarget', 'AwaitingCommit');
  await run.until('AwaitingCommit');
  await run.say('commit');
  const end = await run.until('Committed');
  expect(await run.wrongAtEnd('committed')).toEqual([]);
  expect(end.record.filter((entry) => entry.key === 'operator-called')).toEqual([]);
  // Three stops: a copy that began anew after even the first of them would have sent all of that again.
  const { again } = await bytesSent(scene, run.machine.name);
  expect(before).toBeGreaterThan(oneWindow);
  expect(again).toBeLessThan(before);
}, 240_000);

async function untilWellUnderWay(): Promise<Run> {
  await slowReads(400);
  const run = await scene.begin({ roundEvery: 3_600 });
  await untilSent(run, wellUnderWay);
  expect(await phaseOf(scene, run)).toBe('Seeding');
  return run;
}

thorough(
  'L2 S3 a kill -9 of the mover costs at most one window, not the disk',
  async () => {
    const run = await untilWellUnderWay();
    await scene.workers.kill('mover');
    expect(await phaseOf(scene, run)).toBe('Seeding');
    await scene.forgetRules();
    await scene.workers.restart('mover');
    await run.comeHome();
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    const { all, again } = await bytesSent(scene, run.machine.name);
    expect(all - again).toBeGreaterThan(dataSizeBytes);
    expect(again).toBeLessThanOrEqual(oneWindow);
  },
  240_000,
);

thorough(
  'L7 L2 a mover that gets SIGTERM in the middle of a copy ends within ten seconds, and the next one goes on from there',
  async () => {
    const run = await untilWellUnderWay();
    // What is left now takes longer than the mover may.
    await scene.forgetRules();
    await scene.fault('azure', { operation: 'blob.getRange', count: 10_000, action: { delayMs: 12_000 } });
    await slowRevocation(60_000);
    const asked = performance.now();
    process.kill(scene.workers.pid('mover'), 'SIGTERM');
    while (scene.workers.running('mover') && performance.now() - asked < 30_000) await pause(20);
    const tookMs = performance.now() - asked;
    expect(scene.workers.running('mover')).toBe(false);
    expect(tookMs).toBeLessThan(10_000);
    await scene.forgetRules();
    // Handed over, not lost: the work is up for the next mover at once, not after a heartbeat that never comes.
    const view = await run.untilView('handed over', ({ pending }) =>
      pending.some((one) => one.activity === 'transferDisk' && one.attempt > 1),
    );
    const causes = view.pending.flatMap((one) => one.lastFailure ?? []);
    expect(causes.filter((cause) => /heartbeat/i.test(cause))).toEqual([]);
    await scene.workers.restart('mover');
    await run.comeHome();
    expect(await run.wrongAtEnd('committed')).toEqual([]);
    expect((await bytesSent(scene, run.machine.name)).again).toBeLessThanOrEqual(oneWindow);
  },
  240_000,
);
