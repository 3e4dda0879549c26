/**
 * The machines of the inventory, with the phase of a run under way where Temporal can be asked.
 * Rule: the inventory is shown even when Temporal is away; an unknown phase is told as unknown.
 */
import { machineWorkflowId } from '../model/failback-input.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Link } from './connect.ts';
import { failbackWorkflow } from './failback.ts';
import { phaseKey } from './observe.ts';

export interface MachineRow {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly mover: string;
  readonly policy: string;
  /** Phase of a run under way; `-` when there is none or Temporal did not answer. */
  readonly phase: string;
}

/** Phases of the runs under way, by workflow id. The server's list lags by about a second. */
export async function runningPhases(link: Link): Promise<Map<string, string>> {
  const phases = new Map<string, string>();
  await link.within(8_000, async () => {
    const query = `WorkflowType = '${failbackWorkflow}' AND ExecutionStatus = 'Running'`;
    for await (const run of link.client.workflow.list({ query }))
      phases.set(run.workflowId, run.typedSearchAttributes.get(phaseKey) ?? 'running');
  });
  return phases;
}

export const machineRows = (inventory: Inventory, phases: ReadonlyMap<string, string>): MachineRow[] =>
  Object.entries(inventory.machines).map(([name, machine]) => ({
    name,
    source: `${machine.source.site}:${machine.source.path}`,
    target: `${machine.target.site}:${machine.target.path}`,
    mover: machine.mover,
    policy: machine.policy,
    phase: phases.get(machineWorkflowId(name)) ?? '-',
  }));
