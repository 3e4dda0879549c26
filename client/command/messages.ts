/**
 * `homeward failback complete|commit|cancel|hold|resume|resolve <machine>`: what people say to a run.
 * Rule: nothing that stops or deletes is sent before the person saw what it does and said yes (S2, S002-11).
 */
import { type Command, Option } from 'commander';
import type { Message } from '../../model/message.ts';
import { confirm } from '../confirm.ts';
import { Problem } from '../problem.ts';
import { describeCommit, describeCompletion, describeLoss } from '../render/confirm.ts';
import { type Asked, addVerb, openRun, type Verb, yesOption } from './say.ts';

const verbs: readonly Verb[] = [
  {
    verb: 'complete',
    name: 'completeFailover',
    description: 'stop the source, move the last changes and start the machine at home',
    extend: yesOption,
    approve: approveCompletion,
  },
  {
    verb: 'commit',
    name: 'commit',
    description: 'keep the machine at home and delete the source; no way back',
    extend: (command) =>
      yesOption(command).option('--evidence <digest>', 'the evidence digest you approve; default: the one shown'),
    approve: approveCommit,
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
    approve: approveCancel,
  },
  { verb: 'hold', name: 'hold', description: 'do nothing more until resumed' },
  { verb: 'resume', name: 'resume', description: 'go on after a hold' },
  {
    verb: 'resolve',
    name: 'resolve',
    description:
      'answer a call for an operator: --retry the step, --undo everything, or --skip an undo that cannot be done',
    extend: (command) =>
      command
        .addOption(new Option('--retry', 'the cause is mended; try the step again').conflicts('undo'))
        .addOption(new Option('--undo', 'take everything back').conflicts('skip'))
        .addOption(
          new Option('--skip', 'leave out this step of the undo; it stays undone and in the record').conflicts('retry'),
        ),
  },
];

export function addMessages(failback: Command): void {
  for (const verb of verbs) addVerb(failback, verb);
}

/** S002-11, S001-12: direction, bytes and outage are shown; the answer is bound to the run that was shown. */
async function approveCompletion(asked: Asked): Promise<Partial<Message>> {
  const { context, machine, options } = asked;
  const view = await openRun(asked);
  const { status } = view;
  const silent = `Complete the failover of ${machine}: what it would cost is unknown. ${view.silent ?? ''}`;
  await confirm(context.screen, status ? describeCompletion(view, status) : silent, machine, options.yes === true);
  return status && options.run === undefined ? { run: status.run } : {};
}

/** S5: a cancel that stops a machine which serves and drops what was written there is shown, and bound to that run. */
async function approveCancel(asked: Asked): Promise<Partial<Message>> {
  const { context, machine, options } = asked;
  if (!options.acceptLoss) return {};
  const { status, silent } = await openRun(asked);
  const unknown = `Cancel the failback of ${machine}: who serves now is unknown. ${silent ?? ''}`;
  await confirm(context.screen, status ? describeLoss(status) : unknown, machine, options.yes === true);
  return status && options.run === undefined ? { run: status.run } : {};
}

/** S2: what is deleted and the digest are shown; the commit names exactly that run and that digest. */
async function approveCommit(asked: Asked): Promise<Partial<Message>> {
  const { context, machine, options } = asked;
  const { status, silent } = await openRun(asked);
  if (!status) {
    if (options.yes && options.evidence !== undefined) return {};
    throw new Problem(
      'unreachable',
      `nothing was sent: what a commit of ${machine} deletes cannot be shown. ${silent ?? ''}`,
      'Start the control worker, or name the digest yourself: --evidence DIGEST --signal --yes.',
    );
  }
  await confirm(context.screen, describeCommit(status), machine, options.yes === true);
  const evidence = options.evidence ?? status.evidence;
  return { run: options.run ?? status.run, ...(evidence === undefined ? {} : { evidence }) };
}
