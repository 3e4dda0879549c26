/**
 * `homeward machines`: what the inventory knows, and where runs under way stand.
 * Rule: works without Temporal too; then the phases are told as unknown.
 */
import type { Command } from 'commander';
import { Problem } from '../problem.ts';
import { table } from '../render/table.ts';
import { type Context, contextOf, withTemporal } from './context.ts';

/** Nobody waits for phases they did not ask for. */
const connectTimeoutMs = 2_000;

export function addMachines(program: Command): void {
  program
    .command('machines')
    .description('list the machines of the inventory and where their runs stand')
    .action(async (_options: unknown, command: Command) => {
      const context = await contextOf(command);
      const { machineRows } = await import('../machines.ts');
      const rows = machineRows(context.loaded.inventory, await phasesIfReachable(context));
      const cells = rows.map((row) => [row.name, row.source, row.target, row.mover, row.policy, row.phase]);
      const heading = ['machine', 'source', 'target', 'mover', 'policy', 'phase'];
      const none = 'The inventory has no machines yet; docs/operate.md shows how to write one.';
      context.screen.answer(() => (rows.length === 0 ? none : table(heading, cells, context.screen.style)), rows);
    });
}

async function phasesIfReachable(context: Context): Promise<Map<string, string>> {
  const { runningPhases } = await import('../machines.ts');
  try {
    return await withTemporal(context, runningPhases, connectTimeoutMs);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    context.screen.note(`homeward: phases are unknown: ${error.message}`);
    return new Map();
  }
}
