/**
 * `homeward config check` and `homeward config schema`: the inventory without Temporal.
 * Rule: check tells whether the file is right, and warns of secrets and certificates that are not here; it never shows
 * a value (S13). A computer without them is no mistake, because only the workers need them: `--secrets` makes it one.
 */
import type { Command } from 'commander';
import { describeProblem } from '../../config/problem.ts';
import { lookAtReferences } from '../../config/references.ts';
import { inventorySchema, inventorySchemaText } from '../../config/schema.ts';
import { exitCodes } from '../problem.ts';
import { openScreen } from '../screen.ts';
import { contextOf, type Globals } from './context.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description('check homeward.yaml, print its schema');
  config
    .command('check')
    .description('read homeward.yaml and tell every problem with file, line and key')
    .option('--secrets', 'a secret or certificate that is not here is a problem (exit 2): for a worker’s computer')
    .action(async (options: { secrets?: boolean }, command: Command) => {
      const { screen, loaded } = await contextOf(command);
      const { missing, advice } = lookAtReferences(loaded);
      const lacking = options.secrets === true && missing.length > 0;
      const weight = lacking ? 'problem' : 'warning';
      if (!screen.json) for (const one of missing) screen.note(`${weight}: ${describeProblem(one)}`);
      for (const text of advice) screen.note(`warning: ${text}`);
      if (lacking) process.exitCode = exitCodes.usage;
      const { sites, movers, machines, policies } = loaded.inventory;
      const count = (of: object, one: string, many = `${one}s`) =>
        Object.keys(of).length === 1 ? `1 ${one}` : `${Object.keys(of).length} ${many}`;
      const parts = [
        count(sites, 'site'),
        count(movers, 'mover'),
        count(policies, 'policy', 'policies'),
        count(machines, 'machine'),
      ];
      const lacks = count(missing, 'secret or certificate', 'secrets or certificates');
      const verdict = lacking
        ? `is not enough for a worker on this computer: ${lacks} cannot be used`
        : `is right: ${parts.join(', ')}`;
      screen.answer(() => `${loaded.path} ${verdict}`, {
        path: loaded.path,
        sites: Object.keys(sites),
        movers: Object.keys(movers),
        policies: Object.keys(policies),
        machines: Object.keys(machines),
        missing,
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
