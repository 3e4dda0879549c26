/**
 * `homeward preflight <machine>`: asks both sides whether the way home is clear.
 * Rule: changes nothing; exits 3 when something stands in the way, so that scripts can rely on it.
 */
import type { Command } from 'commander';
import { blocking } from '../../model/check.ts';
import { forecastStart } from '../../model/forecast.ts';
import { withPatience } from '../patience.ts';
import { exitCodes } from '../problem.ts';
import { copyText } from '../render/ahead.ts';
import { renderChecks } from '../render/checks.ts';
import { contextOf, inputFor, withTemporal } from './context.ts';
import { seconds } from './parse.ts';

export function addPreflight(program: Command): void {
  program
    .command('preflight')
    .description('ask both sides whether the way home is clear; changes nothing')
    .argument('<machine>', 'a machine of the inventory')
    .option('--wait <seconds>', 'how long to wait for the answer', seconds(1, 3_600), 300)
    .action(async (machine: string, options: { wait: number }, command: Command) => {
      const context = await contextOf(command);
      const { screen, loaded } = context;
      const input = inputFor(loaded.inventory, machine);
      const { preflight } = await import('../preflight.ts');
      const { measuredBefore } = await import('../earlier.ts');
      const [report, measured] = await withTemporal(context, (link) => {
        const asked = Promise.all([preflight(link, input, options.wait * 1000), measuredBefore(link, machine)]);
        return withPatience(`asking both sides about ${machine}`, asked, screen.json);
      });
      const { checks, sizesBytes } = report;
      const blocked = blocking(checks).length > 0;
      const ahead = sizesBytes.length > 0 ? forecastStart(sizesBytes, measured) : undefined;
      const bound = ahead ? `\n${copyText(ahead)}` : '';
      const answer = { machine, blocked, checks, ...(ahead ? { forecast: ahead } : {}) };
      screen.answer(() => `${renderChecks(machine, checks, screen.style)}${bound}`, answer);
      if (blocked) process.exitCode = exitCodes.refused;
    });
}
