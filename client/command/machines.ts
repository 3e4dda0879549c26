/**
 * `homeward machines`: what the inventory knows, and where each machine's run stands or how its last one ended.
 * Rule: works without Temporal too; then the phases are told as unknown, and a script is told by exit code 4.
 */
import type { Command } from 'commander';
import type { KeptRun } from '../../model/kept.ts';
import { isHome } from '../../model/phase.ts';
import type { Link } from '../connect.ts';
import type { RunFacts } from '../last-run.ts';
import type { MachineRow } from '../machines.ts';
import { exitCodes, Problem } from '../problem.ts';
import { clock } from '../render/figures.ts';
import { keptLines } from '../render/kept.ts';
import { table } from '../render/table.ts';
import { type Context, contextOf, withTemporal } from './context.ts';

/** Nobody waits for phases they did not ask for. */
const connectTimeoutMs = 2_000;

export function addMachines(program: Command): void {
  program
    .command('machines')
    .description(
      'list the machines of the inventory, where their runs stand, how the last ones ended, and what is kept after a commit',
    )
    .action(async (_options: unknown, command: Command) => {
      const context = await contextOf(command);
      const { machineRows } = await import('../machines.ts');
      const known = await runsIfReachable(context);
      if (!known) process.exitCode = exitCodes.unreachable;
      const rows = machineRows(context.loaded.inventory, known?.runs, known?.kept);
      const now = Date.now();
      const cells = rows.map((row) =>
        [row.name, row.source, row.target, moverText(row), row.policy, stands(row, now)].map((cell) => cell ?? none),
      );
      const heading = ['machine', 'source', 'target', 'mover', 'policy', 'run'];
      const empty = 'The inventory has no machines yet; docs/operate.md shows how to write one.';
      const { answer, style } = context.screen;
      const list = (): string => (rows.length === 0 ? empty : table(heading, cells, style));
      answer(() => [list(), ...keptLines(known?.kept ?? [], now, style)].join('\n'), rows);
    });
}

/** In the place of what is not there; null in JSON. */
const none = '-';

const moverText = ({ mover, moverWritten }: MachineRow): string | null =>
  moverWritten === undefined ? mover : `${mover} (inventory: ${moverWritten})`;

/** The same, after the commit of an earlier run: that one tells who serves as long as a later one changed nothing. */
function stands(row: MachineRow, now: number): string | null {
  const { committed, phase } = row;
  if (!committed || isHome(phase ?? undefined)) return lastRunText(row, now);
  return `committed home at ${clock(committed.at, now)}; later run: ${lastRunText(row, now) ?? none}`;
}

/** `Syncing, under way`, `Committed, ended 11:04:32 UTC`, `terminated in Seeding, ended …`. */
function lastRunText({ phase, run, endedAt }: MachineRow, now: number): string | null {
  if (!endedAt) return run === undefined ? phase : `${phase}, under way`;
  const how = run === 'completed' || run === phase ? phase : `${run} in ${phase}`;
  return `${how}, ended ${clock(endedAt, now)}`;
}

interface Known {
  readonly runs: ReadonlyMap<string, RunFacts>;
  readonly kept: readonly KeptRun[];
}

async function runsIfReachable(context: Context): Promise<Known | undefined> {
  const { lastRuns } = await import('../machines.ts');
  const { keptRuns } = await import('../kept.ts');
  const { inventory } = context.loaded;
  try {
    const look = async (link: Link): Promise<Known> => {
      const [runs, kept] = await Promise.all([lastRuns(link, inventory), keptRuns(link)]);
      return { runs, kept };
    };
    return await withTemporal(context, look, connectTimeoutMs);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    context.screen.note(`homeward: phases are unknown: ${error.message}`);
    return undefined;
  }
}
