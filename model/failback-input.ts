/**
 * What a failback is started with: names and paths, resolved from the inventory once, so that a run does not change
 * its mind when the file does. Never a credential: workers resolve sites by name from their own inventory (S13).
 */
import type { Measured } from './forecast.ts';
import { type GroupOf, groupOf } from './group.ts';
import { type Inventory, type Policy, policyOf } from './inventory.ts';
import type { Carrier, MachineAddress } from './machine.ts';
import type { CreateSection } from './new-place.ts';
import type { Origin } from './origin.ts';

export interface FailbackInput {
  readonly machine: string;
  readonly source: MachineAddress;
  readonly target: MachineAddress;
  /** The mover it begins with; which one carries it now is the story's (model/transition.ts). */
  readonly mover: Carrier;
  readonly policy: Policy;
  /** Which target disk each source disk comes home to, by datastore path; slot order where absent. */
  readonly disks?: Readonly<Record<string, string>>;
  /** Where the machine came from, where the inventory says so. */
  readonly origin?: Origin;
  /** Only for an alternate location: the machine to make there. Absent: the original one is written (S000-18). */
  readonly create?: CreateSection;
  /** The machines it belongs with; absent for one that stands alone. */
  readonly group?: GroupOf;
  /** An earlier run of the machine; a person said that what it staged at home and left there may be deleted (S5). */
  readonly discards?: string;
  /** Who started it, and why, where that was said. */
  readonly startedBy?: { readonly by: string; readonly note?: string };
  /** What the machine's last run measured, where it is known; only forecasts read it. */
  readonly measured?: Measured;
}

/** What a preflight asks: with the run of the machine that is under way, so that its own work is told as its own. */
export interface PreflightQuestion extends FailbackInput {
  readonly underWay?: string;
  /** That run has stopped the source, and has not started it again. */
  readonly stopped?: true;
}

export const controlQueue = 'control';
const moverPrefix = 'mover-';
export const moverQueue = (mover: string): string => `${moverPrefix}${mover}`;
/** The mover whose task queue it is; undefined for the control workers' queue. */
export const moverName = (queue: string): string | undefined =>
  queue.startsWith(moverPrefix) ? queue.slice(moverPrefix.length) : undefined;
/**
 * What a mover's step is called, so that an operator can pause it: `transfer-os`. After a handover `transfer-os-2`: the
 * step of the mover before may not have ended, and two of one name are refused by Temporal.
 */
export const moverStepId = (step: 'transfer' | 'seal', disk: string, { handovers = 0 }: Carrier): string =>
  handovers === 0 ? `${step}-${disk}` : `${step}-${disk}-${handovers + 1}`;
/** The lock: whatever may move a machine has this workflow id, so that Temporal itself refuses a second one. */
export const machineWorkflowId = (machine: string): string => `machine/${machine}`;
/** Keeps a run's final snapshots after its commit. Not the lock: the machine may move again meanwhile. */
export const keptWorkflowId = (machine: string, run: string): string => `kept/${machine}/${run}`;
export const roundsWorkflowId = (machine: string): string => `machine/${machine}/rounds`;

/** Under these names Temporal's memo of a run holds what is known of it without a worker. */
export const memoNames = {
  /** How the machine's last commit before this run is found. */
  committed: 'committed',
  /** Name of the mover that has the machine now. */
  mover: 'mover',
  /** Of the workflow that keeps final snapshots: what, and until when (model/kept.ts). */
  kept: 'kept',
} as const;

export const searchAttributeNames = {
  phase: 'HomewardPhase',
  machine: 'HomewardMachine',
  plan: 'HomewardPlan',
  site: 'HomewardSite',
  needsHuman: 'HomewardNeedsHuman',
} as const;

/** Builds the input for one machine of a valid inventory; undefined when it is not in there. */
export function failbackInput(inventory: Inventory, machine: string): FailbackInput | undefined {
  const entry = inventory.machines[machine];
  const mover = entry && inventory.movers[entry.mover];
  if (!entry || !mover) return undefined;
  const group = groupOf(inventory.machines, machine);
  return {
    machine,
    source: entry.source,
    target: entry.target,
    mover: { name: entry.mover, path: mover.vm },
    policy: policyOf(inventory, machine),
    ...(entry.origin ? { origin: entry.origin } : {}),
    ...(entry.disks ? { disks: entry.disks as Record<string, string> } : {}),
    ...(entry.create ? { create: entry.create } : {}),
    ...(group ? { group } : {}),
  };
}
