/**
 * What every command needs: the global options, the screen, the inventory, and Temporal when it asks for it.
 * Rule: commands throw; only client/homeward.ts turns errors into exit codes.
 */
import type { Command } from 'commander';
import { closest } from '../../config/closest.ts';
import { inventoryPath, type LoadedInventory, loadInventory } from '../../config/load.ts';
import { type FailbackInput, failbackInput } from '../../model/failback-input.ts';
import type { Inventory } from '../../model/inventory.ts';
import type { Link } from '../connect.ts';
import { withPatience } from '../patience.ts';
import { Problem } from '../problem.ts';
import { openScreen, type Screen } from '../screen.ts';

export interface Globals {
  readonly config?: string;
  readonly json?: boolean;
}

export interface Context {
  readonly screen: Screen;
  readonly loaded: LoadedInventory;
}

/** The screen and the inventory for one command. Throws ConfigError. */
export async function contextOf(command: Command): Promise<Context> {
  const globals = command.optsWithGlobals<Globals>();
  // A script whose variable is empty must not work on another inventory than it means.
  if (globals.config === '')
    throw new Problem('usage', '--config names no file', 'Name the inventory, or leave the option out.');
  return {
    screen: openScreen(globals.json === true, globals.config),
    loaded: await loadInventory(inventoryPath(globals.config)),
  };
}

/** Runs `work` with a connection to Temporal and closes it. Temporal's client is loaded only here: it takes time. */
export async function withTemporal<R>(
  context: Context,
  work: (link: Link) => Promise<R>,
  timeoutMs?: number,
): Promise<R> {
  const { connect } = await import('../connect.ts');
  const link = await withPatience(
    'connecting to Temporal',
    connect(context.loaded.inventory.temporal, timeoutMs, context.loaded.path),
    context.screen.json,
  );
  if (link.settings.warning) context.screen.note(`homeward: ${link.settings.warning}`);
  try {
    return await work(link);
  } finally {
    await link.close();
  }
}

/** The input for a machine of the inventory. Throws Problem `not-found` with the name that was probably meant. */
export function inputFor(inventory: Inventory, machine: string): FailbackInput {
  const input = Object.hasOwn(inventory.machines, machine) ? failbackInput(inventory, machine) : undefined;
  if (input) return input;
  throw noSuchMachine(inventory, machine);
}

export function noSuchMachine(inventory: Inventory, machine: string): Problem {
  const known = Object.keys(inventory.machines);
  const near = closest(machine, known);
  const todo = near
    ? `Did you mean "${near}"?`
    : known.length > 0
      ? `Known: ${known.join(', ')}.`
      : 'Write it into homeward.yaml.';
  return new Problem('not-found', `no machine is called "${machine}" in the inventory`, todo);
}

/** A run's "not found" is told as an unknown machine when the inventory does not know the name either. */
export async function namingUnknown<R>(inventory: Inventory, machine: string, work: Promise<R>): Promise<R> {
  try {
    return await work;
  } catch (error) {
    const unknown =
      error instanceof Problem && error.kind === 'not-found' && !Object.hasOwn(inventory.machines, machine);
    throw unknown ? noSuchMachine(inventory, machine) : error;
  }
}
