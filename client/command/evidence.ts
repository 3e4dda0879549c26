/**
 * `homeward failback evidence <machine>`: the record of the latest run, and whether it is whole.
 * Rule: `--verify` recomputes everything here; it exits 3 when one entry does not follow from the others (S12).
 */
import type { Command } from 'commander';
import { withPatience } from '../patience.ts';
import { exitCodes, Problem } from '../problem.ts';
import { renderRecord, renderVerdict } from '../render/record.ts';
import { contextOf, namingUnknown, withTemporal } from './context.ts';

export function addEvidence(failback: Command): void {
  failback
    .command('evidence')
    .description('print the record of a run: every effect, approval and proof')
    .argument('<machine>', 'the machine')
    .option('--verify', 'recompute every digest; exit 3 when the record is not whole')
    .option('--run <id>', 'a certain run instead of the latest')
    .action(async (machine: string, options: { verify?: boolean; run?: string }, command: Command) => {
      const context = await contextOf(command);
      const { screen, loaded } = context;
      const { observe } = await import('../observe.ts');
      const { verifyRecord } = await import('../record.ts');
      const view = await withTemporal(context, (link) => {
        const look = observe(link, machine, options.run === undefined ? {} : { runId: options.run });
        return withPatience(`asking ${machine}`, namingUnknown(loaded.inventory, machine, look), screen.json);
      });
      if (!view.status)
        throw new Problem('unreachable', `${machine} does not answer`, view.silent ?? 'Start the control worker.');
      const { status } = view;
      const verdict = options.verify ? verifyRecord(status) : undefined;
      screen.answer(
        () =>
          [renderRecord(status.record, screen.style), ...(verdict ? [renderVerdict(verdict, screen.style)] : [])].join(
            '\n',
          ),
        { machine, run: status.run, record: status.record, ...(verdict ? { verdict } : {}) },
      );
      if (verdict && !verdict.whole) process.exitCode = exitCodes.refused;
    });
}
