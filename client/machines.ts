/**
 * The machines of the inventory, with where each one's run stands, or how and when its last one ended.
 * Rule: the inventory is shown even when Temporal is away; an unknown phase is told as unknown.
 */
import type { Inventory } from '../model/inventory.ts';
import type { Link } from './connect.ts';
import { lastRun, type RunFacts } from './last-run.ts';
import { type Execution, isOpen } from './view.ts';

export interface MachineRow {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly mover: string;
  readonly policy: string;
  /** Phase of the last run, the one it ended in too; `-` when there was none, `unknown` when Temporal did not answer. */
  readonly phase: string;
  /** How it stands with that run, in Temporal's words; absent when there was none. */
  readonly run?: Execution;
  /** ISO 8601; absent while a run is under way. */
  readonly endedAt?: string;
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
export const machineRows = (inventory: Inventory, runs: ReadonlyMap<string, RunFacts> | undefined): MachineRow[] =>
  Object.entries(inventory.machines).map(([name, machine]) => {
    const run = runs?.get(name);
    return {
      name,
      source: `${machine.source.site}:${machine.source.path}`,
      target: `${machine.target.site}:${machine.target.path}`,
      mover: machine.mover,
      policy: machine.policy,
      phase: run ? (run.phaseSeen ?? run.execution) : runs ? '-' : 'unknown',
      ...(run ? { run: run.execution } : {}),
      ...(run?.committed ? { committed: run.committed } : {}),
      ...(run?.closedAt && !isOpen(run) ? { endedAt: run.closedAt } : {}),
    };
  });
