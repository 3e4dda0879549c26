/**
 * `homeward limits set|show|clear`: how fast movers, sites and links may copy, changed while they copy.
 * Rule: a change is done when every mover concerned has said so; exit 4 names those that did not, and theirs is unchanged.
 * What the others answered is told all the same.
 */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { closest } from '../../config/closest.ts';
import type { Inventory } from '../../model/inventory.ts';
import { type LimitRule, type LimitScope, limitRule, ruleText, scopeKinds, scopeText } from '../../model/limit.ts';
import type { LimitsOrder } from '../../model/limits-order.ts';
import { parseRate, rateExample } from '../../model/rate.ts';
import { shapeWords } from '../../model/shape-words.ts';
import { scopeNames, sharersOf } from '../../model/shared-limits.ts';
import type { MoverOutcome } from '../limits.ts';
import { withPatience } from '../patience.ts';
import { Problem } from '../problem.ts';
import { renderLimits } from '../render/limits.ts';
import { whoTypes } from '../screen.ts';
import { contextOf, withTemporal } from './context.ts';
import { seconds } from './parse.ts';

interface ScopeOptions {
  readonly mover?: string;
  readonly site?: string;
  readonly link?: string;
  readonly wait: number;
}

interface ChangeOptions extends ScopeOptions {
  readonly by: string;
  readonly note?: string;
}

type SetOptions = ChangeOptions & Omit<LimitRule, 'rate'>;

export function addLimits(program: Command): void {
  const limits = program.command('limits').description('how fast movers, sites and links may copy; also while they do');
  changing(
    scoped(
      limits
        .command('set')
        .description('set a limit on a mover, a site or a link; without days and hours it replaces all of that scope'),
    ),
  )
    .argument('<rate>', 'like 100MiB/s, 1Gbit/s or none', rateText)
    .option('--days <days>', 'weekdays on which it holds: mon-fri, or sat,sun')
    .option('--from <time>', 'local time at which it begins to hold: 08:00')
    .option('--to <time>', 'local time at which it ends to hold: 18:00')
    .option('--zone <name>', 'time zone of days and hours: Europe/Berlin')
    .action((rate: string, options: SetOptions, command: Command) => setLimit(rate, options, command));
  changing(
    scoped(limits.command('clear').description('forget what was set; the limits of homeward.yaml hold again')),
  ).action((options: ChangeOptions, command: Command) => clearLimit(options, command));
  scoped(limits.command('show').description('what holds now, by which rule, who set it and until when')).action(
    (options: ScopeOptions, command: Command) => showLimits(options, command),
  );
}

const scoped = (command: Command): Command =>
  command
    .addOption(new Option('--mover <name>', 'this mover').conflicts(['site', 'link']))
    .addOption(new Option('--site <name>', 'all movers that read from this site or write to it').conflicts('link'))
    .option('--link <name>', 'all movers of this link')
    .option('--wait <seconds>', 'how long a mover may take to answer', seconds(1, 3_600), 30);

const changing = (command: Command): Command =>
  command
    .option('--by <name>', 'who says it; shown with the limit', whoTypes())
    .option('--note <text>', 'why; shown with the limit');

function rateText(text: string): string {
  if (parseRate(text) === undefined) throw new InvalidArgumentError(`Not a rate of 64KiB/s or more; ${rateExample}.`);
  return text;
}

async function setLimit(rate: string, options: SetOptions, command: Command): Promise<void> {
  const { days, from, to, zone } = options;
  const given = Object.entries({ days, from, to, zone }).filter(([, value]) => value !== undefined);
  const rule = limitRule.safeParse({ rate, ...Object.fromEntries(given) }, { error: shapeWords });
  if (!rule.success) {
    const issue = rule.error.issues[0];
    throw new Problem('usage', `--${issue?.path.join('.')}: ${issue?.message}`, 'Read: homeward limits set --help');
  }
  await changeLimits(options, command, (scope, said) => ({
    told: `${scopeText(scope)}: ${ruleText(rule.data)}`,
    order: { set: { scope, rule: rule.data, ...said } },
  }));
}

const clearLimit = (options: ChangeOptions, command: Command): Promise<void> =>
  changeLimits(options, command, (scope, said) => ({
    told: `${scopeText(scope)}: what homeward.yaml says`,
    order: { clear: { scope, ...said } },
  }));

interface Change {
  readonly told: string;
  readonly order: Pick<LimitsOrder, 'set' | 'clear'>;
}

async function changeLimits(
  options: ChangeOptions,
  command: Command,
  change: (scope: LimitScope, said: { by: string; note?: string }) => Change,
): Promise<void> {
  const context = await contextOf(command);
  const { inventory } = context.loaded;
  const scope = scopeIn(inventory, options);
  if (!scope) throw new Problem('usage', 'say what is limited', 'Add --mover NAME, --site NAME or --link NAME.');
  const { told, order } = change(scope, {
    by: options.by,
    ...(options.note === undefined ? {} : { note: options.note }),
  });
  const movers = sharersOf(inventory, scope);
  if (movers.length === 0)
    throw new Problem('usage', `no mover copies over ${scopeText(scope)}`, 'Look at homeward.yaml.');
  const outcomes = await ask(context, movers, order, options.wait);
  const done = outcomes.every((outcome) => 'answer' in outcome);
  const head = done
    ? `Holds now for ${told}
`
    : '';
  context.screen.answer(() => `${head}${renderLimits(outcomes, Date.now(), context.screen.style)}`, {
    done,
    movers: outcomes,
  });
  tellUnchanged(outcomes);
}

async function showLimits(options: ScopeOptions, command: Command): Promise<void> {
  const context = await contextOf(command);
  const { inventory } = context.loaded;
  const scope = scopeIn(inventory, options);
  const movers = scope ? sharersOf(inventory, scope) : Object.keys(inventory.movers);
  const outcomes = await ask(context, movers, {}, options.wait);
  context.screen.answer(() => renderLimits(outcomes, Date.now(), context.screen.style), { movers: outcomes });
  tellUnchanged(outcomes);
}

function tellUnchanged(outcomes: readonly MoverOutcome[]): void {
  const open = outcomes.filter((outcome) => !('answer' in outcome));
  if (open.length === 0) return;
  const names = open.map(({ mover }) => mover).join(', ');
  if (open.some((outcome) => 'refused' in outcome))
    throw new Problem('refused', `refused by ${names}`, 'Give all workers and this command the same homeward.yaml.');
  const others = open.length < outcomes.length ? 'What the others answered is above. ' : '';
  throw new Problem(
    'unreachable',
    `no answer from ${names}`,
    `${others}See whether it runs (npm run mover), then say it again.`,
  );
}

async function ask(
  context: Awaited<ReturnType<typeof contextOf>>,
  movers: readonly string[],
  order: Pick<LimitsOrder, 'set' | 'clear'>,
  waitSeconds: number,
): Promise<MoverOutcome[]> {
  const { orderLimits } = await import('../limits.ts');
  return await withTemporal(context, (link) => {
    const orders = movers.map((mover) => orderLimits(link, { mover, waitSeconds, ...order }, waitSeconds * 1000));
    return withPatience(`waiting for ${movers.join(', ')}`, Promise.all(orders), context.screen.json);
  });
}

/** The scope that was named. Throws Problem `usage` with the name that was probably meant. */
function scopeIn(inventory: Inventory, options: ScopeOptions): LimitScope | undefined {
  for (const kind of scopeKinds) {
    const name = options[kind];
    if (name === undefined) continue;
    const known = scopeNames(inventory, kind);
    if (known.includes(name)) return { kind, name };
    const near = closest(name, known);
    const todo = near ? `Did you mean "${near}"?` : `Known: ${known.join(', ') || 'none'}.`;
    throw new Problem('not-found', `no ${kind} is called "${name}" in the inventory`, todo);
  }
  return undefined;
}
