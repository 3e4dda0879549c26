/**
 * `homeward failback status <machine>` (also `homeward status`): where a run stands, once or until it ends.
 * Rule: looking changes nothing, and works for runs that have ended and for machines the inventory no longer knows.
 */
import type { Command } from 'commander';
import type { Link } from '../connect.ts';
import { withPatience } from '../patience.ts';
import { exitCodes } from '../problem.ts';
import { workerText } from '../render/missing.ts';
import { renderStatus } from '../render/status.ts';
import type { Screen } from '../screen.ts';
import type { View } from '../view.ts';
import { contextOf, namingUnknown, withTemporal } from './context.ts';

interface StatusOptions {
  readonly watch?: boolean;
  readonly run?: string;
}

export function addStatus(parent: Command): void {
  parent
    .command('status')
    .description('show where a run stands; the latest run, also when it has ended')
    .argument('<machine>', 'the machine')
    .option('--watch', 'go on until the run ends')
    .option('--run <id>', 'a certain run instead of the latest')
    .action(async (machine: string, options: StatusOptions, command: Command) => {
      const context = await contextOf(command);
      const { screen, loaded } = context;
      await withTemporal(context, async (link) => {
        const { inventory } = loaded;
        const which = { inventory, ...(options.run === undefined ? {} : { runId: options.run }) };
        if (options.watch) {
          const { watch } = await import('../watch.ts');
          tellEnd(await namingUnknown(inventory, machine, watch(link, machine, screen, which)), screen);
          return;
        }
        const { observe } = await import('../observe.ts');
        const look = observe(link, machine, which);
        const view = await withPatience(`asking ${machine}`, namingUnknown(inventory, machine, look), screen.json);
        screen.answer(() => renderStatus(view, Date.now(), screen.style), view);
        if (!view.status) process.exitCode = exitCodes.unreachable;
      });
    });
}

/** Says which of the workers nobody runs: what is asked of them waits. */
export async function tellUnattended(link: Link, queues: readonly string[], screen: Screen): Promise<void> {
  const { isUnattended, startCommand } = await import('../workers.ts');
  for (const queue of queues)
    if (await isUnattended(link, queue))
      screen.note(
        `homeward: nobody runs ${workerText(queue)} yet (task queue "${queue}"); what it has to do waits. Start it: ${startCommand(queue, link.inventory)}`,
      );
}

/** After watching: a run that did not end by its own story is an error for scripts. */
export function tellEnd(view: View, screen: Screen): void {
  if (view.execution === 'completed') return;
  screen.note(
    `homeward: the run of ${view.machine} ended ${view.execution}; look at it in the Temporal UI: ${view.workflowId}`,
  );
  process.exitCode = exitCodes.unexpected;
}
