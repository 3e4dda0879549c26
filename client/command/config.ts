/**
 * `homeward config check` and `homeward config schema`: the inventory without Temporal.
 * Rule: check reads the file and nothing else; it resolves no secret.
 */
import type { Command } from 'commander';
import { inventorySchema, inventorySchemaText } from '../../config/schema.ts';
import { openScreen } from '../screen.ts';
import { contextOf, type Globals } from './context.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description('check homeward.yaml, print its schema');
  config
    .command('check')
    .description('read homeward.yaml and tell every problem with file, line and key')
    .action(async (_options: unknown, command: Command) => {
      const { screen, loaded } = await contextOf(command);
      const { sites, movers, machines, policies } = loaded.inventory;
      const count = (of: object, one: string, many = `${one}s`) =>
        Object.keys(of).length === 1 ? `1 ${one}` : `${Object.keys(of).length} ${many}`;
      const parts = [
        count(sites, 'site'),
        count(movers, 'mover'),
        count(policies, 'policy', 'policies'),
        count(machines, 'machine'),
      ];
      screen.answer(() => `${loaded.path} is right: ${parts.join(', ')}`, {
        path: loaded.path,
        sites: Object.keys(sites),
        movers: Object.keys(movers),
        policies: Object.keys(policies),
        machines: Object.keys(machines),
      });
    });
  config
    .command('schema')
    .description('print the JSON Schema of homeward.yaml, for editors')
    .action((_options: unknown, command: Command) => {
      const screen = openScreen(command.optsWithGlobals<Globals>().json === true);
      screen.answer(() => inventorySchemaText().trimEnd(), inventorySchema());
    });
}
