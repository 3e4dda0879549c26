/**
 * `homeward preflight <machine>`: asks both sides whether the way home is clear.
 * Rule: changes nothing; exits 3 when something stands in the way, so that scripts can rely on it, and 6 while a run is
 * under way: then the checks see what that run has made, and no second one can start.
 */
import type { Command } from 'commander';
import { verdictOf } from '../../model/check.ts';
import { moverQueue } from '../../model/failback-input.ts';
import { forecastStart } from '../../model/forecast.ts';
import { withPatience } from '../patience.ts';
import { exitCodes } from '../problem.ts';
import { copyText } from '../render/ahead.ts';
import { renderChecks, renderChecksDuring } from '../render/checks.ts';
import { isOpen } from '../view.ts';
import { contextOf, inputFor, withTemporal } from './context.ts';
import { seconds } from './parse.ts';
import { tellUnattended } from './status.ts';

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
      const { lastRun } = await import('../last-run.ts');
      const [report, measured, last] = await withTemporal(context, async (link) => {
        const asked = Promise.all([
          preflight(link, input, options.wait * 1000),
          measuredBefore(link, machine),
          lastRun(link, machine),
        ]);
        const answers = await withPatience(`asking both sides about ${machine}`, asked, screen.json);
        await tellUnattended(link, [moverQueue(input.mover.name)], screen);
        return answers;
      });
      const underWay = last && isOpen(last) ? { run: last.runId, phase: last.phaseSeen ?? 'unknown' } : undefined;
      const { checks, sizesBytes } = report;
      const verdict = verdictOf(checks);
      const blocked = verdict !== 'clear';
      const ahead = sizesBytes.length > 0 ? forecastStart(sizesBytes, measured) : undefined;
      const bound = ahead ? `\n${copyText(ahead)}` : '';
      const answer = {
        machine,
        blocked,
        verdict,
        checks,
        ...(ahead ? { forecast: ahead } : {}),
        ...(underWay ? { underWay } : {}),
      };
      screen.answer(() => {
        if (underWay) return renderChecksDuring(machine, underWay.phase, checks, screen.style);
        return `${renderChecks(machine, checks, screen.style)}${bound}`;
      }, answer);
      if (underWay) process.exitCode = exitCodes['already-running'];
      else if (blocked) process.exitCode = exitCodes.refused;
    });
}
