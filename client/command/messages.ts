/**
 * `homeward failback complete|commit|cancel|change-point|hold|resume|resolve <machine>`: what people say to a run.
 * Rule: nothing that stops or deletes is sent before the person saw what it does and said yes (S2, S002-11).
 */
import { type Command, Option } from 'commander';
import type { Inventory } from '../../model/inventory.ts';
import type { Message, MessageName } from '../../model/message.ts';
import { type PointChoice, pointChoices } from '../../model/point.ts';
import type { Link } from '../connect.ts';
import { assertShape } from '../message-shape.ts';
import { withPatience } from '../patience.ts';
import { Problem } from '../problem.ts';
import { tookText } from '../render/took.ts';
import { whoTypes } from '../screen.ts';
import { approvals } from './approve.ts';
import { contextOf, namingUnknown, withTemporal } from './context.ts';
import type { Approvable, Asked } from './open-run.ts';

export interface MessageOptions extends Approvable {
  readonly by: string;
  readonly note?: string;
  readonly point?: PointChoice;
  readonly retry?: boolean;
  readonly undo?: boolean;
  readonly skip?: boolean;
  readonly signal?: boolean;
}

export interface Verb {
  readonly verb: string;
  readonly name: MessageName;
  readonly description: string;
  /** Adds the verb's own options. */
  readonly extend?: (command: Command) => void;
  /** What the inventory alone can tell to be wrong, before anything is opened. Throws Problem. */
  readonly check?: (inventory: Inventory, machine: string, options: Approvable) => void;
  /** Shows what it does and asks; default: what `approvals` has for the message. */
  readonly approve?: (asked: Asked) => Promise<Partial<Message>>;
}

export const yesOption = (command: Command) => command.option('--yes', 'do not ask; needed without a terminal');

const verbs: readonly Verb[] = [
  {
    verb: 'complete',
    name: 'completeFailover',
    description: 'stop the source, move the last changes and start the machine at home',
    extend: (command) =>
      yesOption(command).addOption(
        new Option(
          '--point <which>',
          'latest: taken after the source has stopped, loses nothing (default); application-consistent: the newest moment at which its applications held still, which is older',
        ).choices(pointChoices),
      ),
  },
  {
    verb: 'commit',
    name: 'commit',
    description: 'keep the machine at home and delete the source; no way back',
    extend: (command) =>
      yesOption(command).option('--evidence <digest>', 'the evidence digest you approve; default: the one shown'),
  },
  {
    verb: 'cancel',
    name: 'cancel',
    description: 'take everything back; the source serves',
    extend: (command) =>
      yesOption(command).option(
        '--accept-loss',
        'after the target went live: accept to lose what was written there; asks first',
      ),
  },
  {
    verb: 'change-point',
    name: 'changePoint',
    description: 'after the machine was started at home and is no good: take another point home instead',
    extend: (command) =>
      yesOption(command)
        .addOption(
          new Option('--point <which>', 'the one that is to be at home instead of the one that is')
            .choices(pointChoices)
            .makeOptionMandatory(),
        )
        .option('--accept-loss', 'accept to lose what was written at home since its start; asks first'),
  },
  { verb: 'hold', name: 'hold', description: 'do nothing more until resumed' },
  { verb: 'resume', name: 'resume', description: 'go on after a hold' },
  {
    verb: 'resolve',
    name: 'resolve',
    description:
      'answer a call for an operator with one of these: --retry the step, --undo everything, or --skip the step that cannot be done',
    extend: (command) =>
      yesOption(command)
        .addOption(new Option('--retry', 'the cause is mended; try the step again').conflicts('undo'))
        .addOption(new Option('--undo', 'take everything back').conflicts('skip'))
        .addOption(
          new Option(
            '--skip',
            'leave out the step in trouble, which the status names; it stays undone and in the record; asks first',
          ).conflicts('retry'),
        ),
  },
];

export function addMessages(failback: Command): void {
  for (const verb of verbs) addVerb(failback, verb);
}

export function addVerb(parent: Command, verb: Verb): void {
  const command = parent
    .command(verb.verb)
    .description(verb.description)
    .argument('<machine>', 'the machine')
    .option('--by <name>', 'who says it; goes into the record', whoTypes())
    .option('--note <text>', 'why; goes into the record')
    .option('--run <id>', 'refuse it when another run is under way')
    .option('--signal', 'send it durably, without an answer; works while workers are down');
  verb.extend?.(command);
  command.action((machine: string, options: MessageOptions, self: Command) => say(verb, machine, options, self));
}

async function say(verb: Verb, machine: string, options: MessageOptions, command: Command): Promise<void> {
  if (verb.name === 'resolve' && !options.retry && !options.undo && !options.skip)
    throw new Problem(
      'usage',
      'say how to resolve it',
      'Add --retry (the cause is mended), --undo (take everything back) or --skip (leave out the step in trouble).',
    );
  assertShape(machine, messageOf(verb.name, options), false);
  const context = await contextOf(command);
  verb.check?.(context.loaded.inventory, machine, options);
  const { sendMessage, waitingFor } = await import('../message.ts');
  const work = (link: Link) => async () => {
    const message = messageOf(verb.name, options);
    const approved =
      (await (verb.approve ?? approvals[verb.name])?.({ context, link, machine, options, message })) ?? {};
    const sending = sendMessage(link, machine, { ...message, ...approved }, { signal: options.signal === true });
    return await withPatience(waitingFor(machine, verb.name), sending, context.screen.json);
  };
  const answer = await withTemporal(context, (link) => namingUnknown(context.loaded.inventory, machine, work(link)()));
  context.screen.answer(() => tookText(verb.name, machine, answer, options), {
    machine,
    message: verb.name,
    ...(options.to === undefined ? {} : { mover: options.to }),
    durable: options.signal === true,
    ...answer,
  });
}

const messageOf = (name: MessageName, options: MessageOptions): Message => ({
  name,
  by: options.by,
  ...(options.note === undefined ? {} : { note: options.note }),
  ...(options.run === undefined ? {} : { run: options.run }),
  ...(options.evidence === undefined ? {} : { evidence: options.evidence }),
  ...(options.acceptLoss ? { acceptLoss: true } : {}),
  ...(options.point === undefined ? {} : { point: options.point }),
  ...(name === 'resolve' ? { action: options.undo ? 'undo' : options.skip ? 'skip' : 'retry' } : {}),
});
