/**
 * What Homeward itself adds to an outage: from *complete failover* to the target observed running, on the embedded lab whose
 * worlds answer at once and whose guest writes nothing.
 * Rule: the whole product takes part (Temporal, control worker, mover, both simulators); only one machine moves at a time,
 * and the worlds do not wait for the lab's witness, which hashes whole disks between two effects.
 * The end is what the run recorded as observed, on the same clock as the beginning.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Link } from '../client/connect.ts';
import { startFailback } from '../client/failback.ts';
import { sendMessage } from '../client/message.ts';
import { observe } from '../client/observe.ts';
import type { View } from '../client/view.ts';
import { loadInventory } from '../config/load.ts';
import { startLab } from '../lab/lab.ts';
import { pointAtLab } from '../lab/own-temporal.ts';
import { startWorkers } from '../lab/workers.ts';
import { failbackInput } from '../model/failback-input.ts';
import type { Inventory } from '../model/inventory.ts';
import { measured, median, percentile, type Result } from './result.ts';
import type { Stage } from './stage.ts';
import type { Plan, Suite } from './suite.ts';

const MiB = 1024 ** 2;
const lookEveryMs = 100;
const patienceMs = 120_000;
const machinesALab = 10;
const roundsFirst = 2;

async function untilSeen(link: Link, machine: string, what: string, holds: (view: View) => boolean): Promise<View> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await pause(lookEveryMs)) {
    const view = await observe(link, machine);
    if (view.status?.trouble) throw new Error(`${machine} needs an operator: ${view.status.trouble.message}`);
    if (holds(view)) return view;
  }
  throw new Error(`${machine} was not ${what} within ${patienceMs / 1000} s`);
}

const inPhase = (view: View, phase: string): boolean => view.status?.phase === phase;

/** Brings one machine home up to the second gate; answers the seconds between the word and the observed power. */
async function oneCutover(link: Link, inventory: Inventory, machine: string): Promise<number> {
  const input = failbackInput(inventory, machine);
  if (!input) throw new Error(`the lab has no machine ${machine}`);
  await startFailback(link, input);
  // The first round after the seed may still carry what the guest wrote when it started.
  await untilSeen(
    link,
    machine,
    'current',
    (view) => inPhase(view, 'Syncing') && (view.rounds?.done ?? 0) >= roundsFirst,
  );
  const saidAt = Date.now();
  await sendMessage(link, machine, { name: 'completeFailover', by: 'bench' });
  const { status } = await untilSeen(link, machine, 'at home', (view) => inPhase(view, 'AwaitingCommit'));
  const started = status?.record.find(({ key }) => key === 'target-started');
  if (!started) throw new Error(`${machine} came home, but its record does not say when it was observed running`);
  return (Date.parse(started.at) - saidAt) / 1000;
}

async function cutovers(count: number, plan: Plan): Promise<number[]> {
  const lab = await startLab({
    ...{ machines: count, recordsPerSecond: 0, bootMs: 0, dataSizeBytes: 8 * MiB, unwitnessed: true },
    azureSettings: { lroMs: 0 },
    policy: { roundEverySeconds: 1 },
  });
  pointAtLab(lab.temporal);
  try {
    const workers = await startWorkers(lab);
    const { inventory } = await loadInventory(lab.config);
    const link = await connect(inventory.temporal, patienceMs);
    try {
      const seconds: number[] = [];
      for (const { name } of lab.machines) {
        seconds.push(await oneCutover(link, inventory, name));
        plan.say(`cutover of ${name}: ${seconds.at(-1)?.toFixed(2)} s`);
      }
      return seconds;
    } finally {
      await link.close();
      await workers.stop();
    }
  } finally {
    await lab.stop();
  }
}

export const cutover: Suite = {
  rows: ['cutover-overhead-p95-s'],
  async run(_stage: Stage, plan: Plan): Promise<Result[]> {
    const wanted = plan.quick ? 3 : 30;
    const seconds: number[] = [];
    while (seconds.length < wanted) {
      const next = Math.min(machinesALab, wanted - seconds.length);
      // The first of each lab warms up the workers' code and caches and is not counted.
      seconds.push(...(await cutovers(next + 1, plan)).slice(1));
    }
    const note = `two disks; ${seconds.length} runs, median ${median(seconds).toFixed(2)} s`;
    return [measured('cutover-overhead-p95-s', seconds, note, (all) => percentile(all, 0.95))];
  },
};
