/**
 * kill -9 of the control worker, of the mover and of the Temporal server in each phase: the run ends as if nothing had
 * been killed, nothing is done twice, and at most one window is copied again.
 * Rule: one kill a run, and the phase at the kill is looked up, not hoped for. HOMEWARD_FAULTS=all runs the whole table.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { firstBroken } from '../../model/evidence.ts';
import type { Phase } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import {
  bytesSent,
  changes,
  type KillPoint,
  killPoints,
  oneWayHome,
  oneWindow,
  phaseOf,
  slowDown,
  type Victim,
  victims,
} from './kill-points.ts';
import { openScene, type Run, type Scene } from './scene.ts';
import { everyFault } from './thorough.ts';

/** How long the Temporal server stays away, in milliseconds. */
const awayMs = 1_000;
const sceneMs = 180_000;
const runMs = 240_000;

type Case = readonly [Victim, Phase, KillPoint];
const table: readonly Case[] = killPoints.flatMap((point) =>
  victims.map((victim): Case => [victim, point.phase, point]),
);
/** The riskiest of them: one for each victim, where an effect was had and nobody was told. */
const sampled = ['control StoppingSource', 'temporal FinalSync', 'mover Sealing'];
const cases = everyFault ? table : table.filter(([victim, phase]) => sampled.includes(`${victim} ${phase}`));
/** A lab holds this many machines with ease. */
const machinesALab = 8;
const labs = Array.from({ length: Math.ceil(cases.length / machinesALab) }, (_, index) =>
  cases.slice(index * machinesALab, (index + 1) * machinesALab),
);

async function kill(scene: Scene, victim: Victim): Promise<void> {
  if (victim === 'temporal') await scene.lab.temporal.kill();
  else await scene.workers.kill(victim);
}

async function restart(scene: Scene, victim: Victim): Promise<void> {
  if (victim !== 'temporal') return await scene.workers.restart(victim);
  await pause(awayMs);
  await scene.lab.temporal.restart();
}

/** On from wherever the run stands, through the gates that are still ahead. */
async function comeHome(run: Run): Promise<Status> {
  const ahead = await run.until('Syncing', 'AwaitingCommit', 'Committed');
  if (ahead.phase === 'Syncing') await run.say('completeFailover');
  if (ahead.phase !== 'Committed') {
    await run.until('AwaitingCommit', 'Committed');
    await run.say('commit');
  }
  return await run.until('Committed');
}

/** Brings the run into the point's phase, slows the world down there, and waits until the slow call is on its way. */
async function bringTo(scene: Scene, point: KillPoint, victim: Victim): Promise<Run> {
  const { hold, armedIn, phase } = point;
  const arm = async (): Promise<() => Promise<void>> =>
    hold ? await slowDown(scene, hold[victim], victim) : async () => undefined;
  const early = armedIn === undefined ? await arm() : undefined;
  const run = await scene.begin({ roundEvery: point.roundEvery });
  const seeded = phase !== 'Seeding';
  if (seeded) await run.until('Syncing');
  const late = armedIn === 'Syncing' ? await arm() : undefined;
  if (seeded && phase !== 'Syncing') await run.say('completeFailover');
  if (phase === 'AwaitingCommit' || phase === 'Committing') await run.until('AwaitingCommit');
  const latest = armedIn === 'AwaitingCommit' ? await arm() : undefined;
  if (phase === 'Committing') await run.say('commit');
  for (const onItsWay of [early, late, latest]) await onItsWay?.();
  return run;
}

describe.each(labs.map((one, index) => [index + 1, one] as const))('lab %i', (_number, own) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(own.length);
  }, sceneMs);
  afterEach(() => scene.forgetRules());
  afterAll(() => scene?.close(), 60_000);

  test.each(own)(
    'L1 L2 S1 S2 S3 S4 S6 S8 S11 kill -9 of %s in %s: the run ends as without it, and nothing is done twice',
    async (victim, phase, point) => {
      const before = scene.lab.witness.effects().length;
      const run = await bringTo(scene, point, victim);
      expect(await phaseOf(scene, run)).toBe(phase);
      await kill(scene, victim);
      // Who was killed cannot have let the run go on; a server that is away cannot be asked.
      if (victim !== 'temporal') expect(await phaseOf(scene, run)).toBe(phase);
      await restart(scene, victim);
      // The slow call was there to be killed in; nothing is shown by waiting for it any longer.
      await scene.forgetRules();
      const end = await comeHome(run);
      expect(await run.wrongAtEnd('committed')).toEqual([]);
      const { counts, twice } = changes(scene.lab.witness.effects().slice(before));
      expect(twice).toEqual([]);
      const rounds = counts['snapshots.createOrUpdate'] ?? 0;
      expect(counts).toEqual({ ...oneWayHome, 'snapshots.createOrUpdate': rounds, 'snapshots.delete': rounds });
      if (point.roundEvery > 1) expect(rounds).toBe(oneWayHome['snapshots.createOrUpdate']);
      expect((await bytesSent(scene, run.machine.name)).again).toBeLessThanOrEqual(oneWindow);
      expect(firstBroken(end.record)).toBeUndefined();
      expect(end.record.filter((entry) => entry.key === 'operator-called')).toEqual([]);
    },
    runMs,
  );
});
