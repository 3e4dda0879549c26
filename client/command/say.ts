/**
 * How a command says something to a run: the options all such commands share, the approval before it, and the answer.
 * Rule: what a verb has to show is shown and approved before anything is sent (S2, S002-11).
 */
import type { Command } from 'commander';
import type { Message, MessageName } from '../../model/message.ts';
import type { Link } from '../connect.ts';
import type { Answer } from '../message.ts';
import { withPatience } from '../patience.ts';
import { Problem } from '../problem.ts';
import { plain } from '../render/paint.ts';
import { whoTypes } from '../screen.ts';
import { isOpen, type View } from '../view.ts';
import { type Context, contextOf, namingUnknown, withTemporal } from './context.ts';

export interface MessageOptions {
  readonly by: string;
  readonly note?: string;
  readonly run?: string;
  readonly evidence?: string;
  readonly acceptLoss?: boolean;
  readonly retry?: boolean;
  readonly undo?: boolean;
  readonly skip?: boolean;
  readonly signal?: boolean;
  readonly yes?: boolean;
  readonly to?: string;
}

export interface Verb {
  readonly verb: string;
  readonly name: MessageName;
  readonly description: string;
  /** Adds the verb's own options. */
  readonly extend?: (command: Command) => void;
  /** Shows what it does and asks; returns what the person approved. */
  readonly approve?: (asked: Asked) => Promise<Partial<Message>>;
}

export interface Asked {
  readonly context: Context;
  readonly link: Link;
  readonly machine: string;
  readonly options: MessageOptions;
}

export const yesOption = (command: Command): Command =>
  command.option('--yes', 'do not ask; needed without a terminal');

/** Adds the verb to a parent command. */
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
      'Add --retry (the cause is mended), --undo (take everything back) or --skip (leave out a failing undo).',
    );
  const context = await contextOf(command);
  const { sendMessage } = await import('../message.ts');
  const work = (link: Link) => async () => {
    const approved = (await verb.approve?.({ context, link, machine, options })) ?? {};
    const message: Message = { ...messageOf(verb.name, options), ...approved };
    const sending = sendMessage(link, machine, message, { signal: options.signal === true });
    return await withPatience(`waiting for ${machine} to answer`, sending, context.screen.json);
  };
  const answer = await withTemporal(context, (link) => namingUnknown(context.loaded.inventory, machine, work(link)()));
  context.screen.answer(() => told(verb, machine, answer, options), {
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
  ...(name === 'resolve' ? { action: options.undo ? 'undo' : options.skip ? 'skip' : 'retry' } : {}),
});

function told(verb: Verb, machine: string, answer: Answer, options: MessageOptions): string {
  const see = `See it: homeward failback status ${machine}`;
  if (options.signal)
    return `${verb.name} is kept for ${machine} until a worker takes it; a signal gets no answer. ${see}`;
  const reason = answer.reason ? ` (${plain(answer.reason)})` : '';
  const waits = answer.waits ? `\nIt waits: ${plain(answer.waits)}.` : '';
  return `${machine} took ${verb.name}${reason}; phase ${plain(answer.phase ?? 'unknown')}.${waits} ${see} --watch`;
}

/** Looks at the run a person is about to approve something of. Throws Problem `not-found` when it is over. */
export async function openRun({ context, link, machine }: Asked): Promise<View> {
  const { observe } = await import('../observe.ts');
  const view = await withPatience(`asking ${machine}`, observe(link, machine), context.screen.json);
  if (isOpen(view)) return view;
  throw new Problem('not-found', `the run of ${machine} has ended`, `Look at it: homeward failback status ${machine}`);
}
