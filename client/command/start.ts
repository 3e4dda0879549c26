/**
 * `homeward failback start <machine>`: begins the way home under the machine's policy, or under options for this run.
 * Rule: what the run does is fixed at its start; options change this run only, never the inventory.
 */
import { type Command, Option } from 'commander';
import { controlQueue, moverQueue } from '../../model/failback-input.ts';
import { underLimit } from '../../model/forecast.ts';
import { aloneRemedy } from '../../model/group.ts';
import { roundsTooFast } from '../../model/inventory-faults.ts';
import { lowestRate } from '../../model/shared-limits.ts';
import type { RunOptions } from '../failback.ts';
import { assertStartedBy } from '../message-shape.ts';
import { withPatience } from '../patience.ts';
import { Problem } from '../problem.ts';
import { copyText } from '../render/ahead.ts';
import { inputsOf, inputsText } from '../render/inputs.ts';
import { locationText } from '../render/location.ts';
import { whoTypes } from '../screen.ts';
import { contextOf, inputFor, withTemporal } from './context.ts';
import { runId, seconds } from './parse.ts';
import { tellEnd, tellUnattended } from './status.ts';

interface StartOptions extends RunOptions {
  readonly watch?: boolean;
  readonly again?: boolean;
}

export function addStart(failback: Command): void {
  failback
    .command('start')
    .description('begin to bring a machine home; the source goes on serving')
    .argument('<machine>', 'a machine of the inventory')
    .addOption(
      new Option(
        '--sync <when>',
        'before: rounds while the source runs; during: one full copy inside the outage; else as the policy says',
      ).choices(['before', 'during']),
    )
    .addOption(
      new Option(
        '--write <way>',
        'in-place: the original disks; staged: new ones beside them; else as the policy says',
      ).choices(['in-place', 'staged']),
    )
    .option('--round-every <seconds>', 'pause between rounds; else as the policy says', seconds(0.1, 86_400))
    .option(
      '--scrub-every <seconds>',
      'pause between two scrubs of the whole target; 0: none; else as the policy says',
      seconds(0, 2_592_000),
    )
    .option('--reread', 'read the whole target again before it is sealed; costs outage')
    .option('--alone', 'although it is a member of a group, whose other members stay where they are')
    .option(
      '--discard <run>',
      'give up what this earlier run left at home, as the preflight names it: it is deleted or written over',
      runId,
    )
    .option('--by <name>', 'who starts it; goes into the record', whoTypes())
    .option('--note <text>', 'why; goes into the record')
    .option('--again', 'although it was committed home: it was failed over anew since')
    .option('--watch', 'watch it until it ends')
    .action(async (machine: string, options: StartOptions, command: Command) => {
      const { by, note } = options;
      assertStartedBy(machine, { ...(by !== undefined && { by }), ...(note !== undefined && { note }) });
      const context = await contextOf(command);
      const input = inputFor(context.loaded.inventory, machine);
      const tooFast = roundsTooFast(context.loaded.inventory.sites[input.source.site], options.roundEvery);
      if (tooFast)
        throw new Problem('usage', `--round-every ${tooFast}`, 'Give a longer pause, or leave the option out.');
      if (options.write !== undefined && input.create)
        throw new Problem(
          'usage',
          `--write ${options.write} says nothing here: ${machine} comes home to an alternate location, where all its disks are new`,
          'Leave the option out, or let it come home to its original location: remove location and create from the inventory.',
        );
      const { group } = input;
      if (group && group.others.length > 0 && options.alone !== true)
        throw new Problem(
          'refused',
          `${machine} is a member of group ${group.name}, and would come home at another moment than ${group.others.map((one) => one.machine).join(', ')}`,
          aloneRemedy(machine, group),
        );
      await withTemporal(context, async (link) => {
        const { startFailback, withOptions } = await import('../failback.ts');
        const { isUnattended } = await import('../workers.ts');
        const begun = withOptions(input, options);
        const { inventory } = context.loaded;
        const inputs = inputsOf(begun, inventory.machines[machine]?.policy ?? 'default');
        const started = await withPatience(
          'starting',
          startFailback(link, begun, { again: options.again === true }),
          context.screen.json,
        );
        const said = `${machine} is on its way home (run ${started.runId}).\n${locationText(input)}\n${inputsText(inputs)}`;
        const attended = !(await isUnattended(link, controlQueue));
        if (options.watch) context.screen.note(said);
        else {
          const { firstForecast } = await import('../observe.ts');
          const looking = attended ? firstForecast(link, machine) : Promise.resolve(undefined);
          const seen = await withPatience('asking both sides how much it may be', looking, context.screen.json);
          const ahead =
            seen && underLimit(seen, lowestRate(inventory, input.mover.name, input.source.site, Date.now()));
          const bound = ahead ? `\n${copyText(ahead)}` : '';
          const see = `\nSee it: homeward failback status ${machine} --watch`;
          const answer = { ...started, location: inputs.location, inputs, ...(ahead ? { forecast: ahead } : {}) };
          context.screen.answer(() => `${said}${bound}${see}`, answer);
        }
        await tellUnattended(link, [controlQueue, moverQueue(input.mover.name)], context.screen);
        if (!options.watch) return;
        const { watch } = await import('../watch.ts');
        tellEnd(await watch(link, machine, context.screen, { inventory }), context.screen);
      });
    });
}
