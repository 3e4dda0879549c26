/**
 * The machines of the inventory, with where each one's run stands, or how and when its last one ended.
 * Rule: the inventory is shown even when Temporal is away; an unknown phase is told as unknown.
 */
import type { Inventory } from '../model/inventory.ts';
import type { KeptRun } from '../model/kept.ts';
import type { Link } from './connect.ts';
import { lastRun, type RunFacts } from './last-run.ts';
import { type Execution, isOpen } from './view.ts';

export interface MachineRow {
  readonly name: string;
  /** Null where nothing tells it: of a machine that is not in the inventory any more. So are the next three. */
  readonly source: string | null;
  readonly target: string | null;
  /** The one that has the machine now while a run is under way; else the one that the next run begins with. */
  readonly mover: string | null;
  /** The mover of the inventory, where another one has the machine now. */
  readonly moverWritten?: string;
  readonly policy: string | null;
  /** Phase of the last run, the one it ended in too; null when there was none, `unknown` when Temporal did not answer. */
  readonly phase: string | null;
  /** How it stands with that run, in Temporal's words; absent when there was none. */
  readonly run?: Execution;
  /** ISO 8601; absent while a run is under way. */
  readonly endedAt?: string;
  /** Its final snapshots that are kept after a commit; absent when there are none. */
  readonly kept?: readonly KeptRun[];
  /** The machine's last commit, by that run or by one before it. */
  readonly committed?: RunFacts['committed'];
}

/** Runs are looked up so many at once, so that a large inventory does not flood the server. */
const atOnce = 16;

/** The last run of each machine of the inventory that has one. */
export async function lastRuns(link: Link, inventory: Inventory): Promise<Map<string, RunFacts>> {
  const waiting = Object.keys(inventory.machines);
  const runs = new Map<string, RunFacts>();
  const look = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const run = await lastRun(link, name);
      if (run) runs.set(name, run);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, look));
  return runs;
}

/** `runs`: undefined when Temporal did not answer; a run nobody could look for may well be under way. */
export const machineRows = (
  inventory: Inventory,
  runs: ReadonlyMap<string, RunFacts> | undefined,
  kept: readonly KeptRun[] = [],
): MachineRow[] => [...inventoryRows(inventory, runs, kept), ...unknownRows(inventory, kept)];

/** What is kept is paid for, also of machines that were taken out of the inventory since. */
function unknownRows({ machines }: Inventory, kept: readonly KeptRun[]): MachineRow[] {
  const strangers = kept.filter(({ machine }) => !Object.hasOwn(machines, machine));
  return [...new Set(strangers.map(({ machine }) => machine))].map((name) => {
    const own = strangers.filter(({ machine }) => machine === name);
    const nothing = { target: null, mover: null, policy: null, phase: 'unknown' };
    return { name, source: own[0]?.source ?? null, ...nothing, kept: own };
  });
}

const inventoryRows = (
  inventory: Inventory,
  runs: ReadonlyMap<string, RunFacts> | undefined,
  kept: readonly KeptRun[],
): MachineRow[] =>
  Object.entries(inventory.machines).map(([name, entry]) => {
    const run = runs?.get(name);
    const own = kept.filter(({ machine }) => machine === name);
    const mover = (run && isOpen(run) && run.moverSeen) || entry.mover;
    return {
      name,
      source: `${entry.source.site}:${entry.source.path}`,
      target: `${entry.target.site}:${entry.target.path}`,
      mover,
      ...(mover === entry.mover ? {} : { moverWritten: entry.mover }),
      policy: entry.policy,
      phase: run ? (run.phaseSeen ?? run.execution) : runs ? null : 'unknown',
      ...(run ? { run: run.execution } : {}),
      ...(run?.committed ? { committed: run.committed } : {}),
      ...(own.length > 0 ? { kept: own } : {}),
      ...(run?.closedAt && !isOpen(run) ? { endedAt: run.closedAt } : {}),
    };
  });
