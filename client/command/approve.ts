/**
 * What a person is shown and asked before something stops or is deleted, and what their answer is bound to.
 * Rule: first it is looked whether the run would take it at all: nobody is asked for a yes that is refused afterwards.
 */
import type { Message, MessageName } from '../../model/message.ts';
import type { Status } from '../../model/status.ts';
import { objectionTo } from '../../model/transition.ts';
import { confirm } from '../confirm.ts';
import { Problem } from '../problem.ts';
import { refusal } from '../refusal.ts';
import {
  describeCancel,
  describeCommit,
  describeCompletion,
  describeLoss,
  describePointChange,
  describeSkip,
} from '../render/confirm.ts';
import { toldStory } from '../told-story.ts';
import { type Asked, openCounted, openRun } from './open-run.ts';

export type { Asked } from './open-run.ts';

/**
 * Whether the run has taken the message before: then there is nothing to ask, and it may be said again. Throws Problem
 * `refused` when the law refuses it here.
 */
function isKnown(status: Status, message: Message): boolean {
  const objection = objectionTo(toldStory(status), message);
  if (objection === undefined || objection === 'known') return objection === 'known';
  const { machine } = status;
  const refused = refusal(machine, message, objection);
  throw new Problem('refused', refused.message, `Nothing was sent. ${refused.todo}`);
}

/**
 * What a run does that nobody can ask now is not known, and a message that is on its way may be taken at any later time: so
 * nothing is sent, whoever said yes, unless a person means just that (`--signal`) and says so with what they do not know.
 */
export async function askUnseen(asked: Asked, unknown: string, silent = ''): Promise<void> {
  const { context, machine, options } = asked;
  if (options.signal) return await confirm(context.screen, `${unknown} ${silent}`, machine, options.yes === true);
  throw new Problem(
    'unreachable',
    `nothing was sent, for what it does cannot be shown. ${unknown} ${silent}`,
    'Start the control worker: then it is shown. To have it done all the same once a worker comes: --signal.',
  );
}

/** S002-11, S001-12: direction, bytes and outage are shown; the answer is bound to the run that was shown. */
async function approveCompletion(asked: Asked): Promise<Partial<Message>> {
  const { context, machine, options } = asked;
  const view = await openRun(asked);
  const { status, silent } = view;
  if (!status) await askUnseen(asked, `Complete the failover of ${machine}: what it would cost is unknown.`, silent);
  else if (!isKnown(status, asked.message))
    await confirm(context.screen, describeCompletion(view, status, asked.message.point), machine, options.yes === true);
  return boundTo(asked, status);
}

/** What is said holds for the run that was shown. */
const boundTo = ({ options }: Asked, status?: Status): Partial<Message> =>
  status && options.run === undefined ? { run: status.run } : {};

/** S5: a cancel is shown before it is sent, and with it what it drops of a machine that serves; it is bound to that run. */
async function approveCancel(asked: Asked): Promise<Partial<Message>> {
  const { context, machine, options, message } = asked;
  const { status, silent } = await openCounted(asked);
  if (!status) {
    await askUnseen(asked, `Cancel the failback of ${machine}: who serves now is unknown.`, silent);
    return {};
  }
  // S5: nobody accepts a loss that there is not. Should the target be started by then, the run refuses this cancel.
  const early = options.acceptLoss === true && !status.targetLive && !status.loss;
  if (early)
    context.screen.note(`homeward: nothing was written at home yet, so ${machine} is cancelled without any loss.`);
  const { acceptLoss, ...without } = message;
  const sent: Message = acceptLoss && !early ? message : without;
  if (!isKnown(status, sent)) {
    const picture = sent.acceptLoss ? describeLoss(status) : describeCancel(status);
    await confirm(context.screen, picture, machine, options.yes === true);
  }
  return { ...boundTo(asked, status), ...(early ? { acceptLoss: undefined } : {}) };
}

/** S5: what is dropped with the point at home is shown before it; bound to the run that was shown. */
async function approvePointChange(asked: Asked): Promise<Partial<Message>> {
  const { context, machine, options, message } = asked;
  const view = await openCounted(asked);
  const { status, silent } = view;
  const unknown = `Take another point of ${machine} home: what is lost with the one at home is unknown.`;
  if (!status) await askUnseen(asked, unknown, silent);
  else if (!isKnown(status, message))
    await confirm(
      context.screen,
      describePointChange(view, status, message.point ?? 'latest'),
      machine,
      options.yes === true,
    );
  return boundTo(asked, status);
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
      'Start the control worker: then it is shown, with the digest of the disks. Without a worker: --evidence DIGEST --signal --yes, with a digest that you saw before, in the question of this command or as "evidence" in the status with --json.',
    );
  }
  if (!isKnown(status, asked.message))
    await confirm(context.screen, describeCommit(status), machine, options.yes === true);
  const evidence = options.evidence ?? status.evidence;
  return { run: options.run ?? status.run, ...(evidence === undefined ? {} : { evidence }) };
}

/** L6, S7: a step that is left out stays undone for good, so it is named first; the answer is bound to the call that was shown. */
async function approveSkip(asked: Asked): Promise<Partial<Message>> {
  const { context, machine, options, message } = asked;
  if (message.action !== 'skip') return {};
  const { status, silent } = await openRun(asked);
  if (!status) await askUnseen(asked, `Leave out a step of the run of ${machine}: which one is unknown.`, silent);
  else if (!isKnown(status, message))
    await confirm(context.screen, describeSkip(status), machine, options.yes === true);
  const call = status?.trouble ? { since: status.trouble.since } : {};
  return { ...call, ...boundTo(asked, status) };
}

/** The messages that are asked about before they are sent; each answers what the person approved. */
export const approvals: Readonly<Partial<Record<MessageName, (asked: Asked) => Promise<Partial<Message>>>>> = {
  completeFailover: approveCompletion,
  cancel: approveCancel,
  changePoint: approvePointChange,
  commit: approveCommit,
  resolve: approveSkip,
};
