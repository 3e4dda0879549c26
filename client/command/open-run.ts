/**
 * Looks at the run that a person is about to say something to, before they are shown what that does.
 * Rule (S5): a count of what was written at home that comes in a moment is worth the moment, for whoever would lose that; it is
 * waited for no longer than the run itself waits for its last count.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from '../../model/message.ts';
import type { Link } from '../connect.ts';
import { withPatience } from '../patience.ts';
import { Problem } from '../problem.ts';
import { isOpen, type View } from '../view.ts';
import type { Context } from './context.ts';

export interface Approvable {
  readonly run?: string;
  readonly evidence?: string;
  readonly acceptLoss?: boolean;
  readonly yes?: boolean;
  /** Sent durably, without an answer. */
  readonly signal?: boolean;
  /** A mover. */
  readonly to?: string;
}

export interface Asked {
  readonly context: Context;
  readonly link: Link;
  readonly machine: string;
  readonly options: Approvable;
  /** As it would be sent, before anything was approved. */
  readonly message: Message;
}

/** Looks at the run a person is about to approve something of. Throws Problem `not-found` when it is over. */
export async function openRun({ context, link, machine }: Asked): Promise<View> {
  const { observe } = await import('../observe.ts');
  const view = await withPatience(
    `asking ${machine}`,
    observe(link, machine, { inventory: context.loaded.inventory }),
    context.screen.json,
  );
  if (isOpen(view)) return view;
  throw new Problem('not-found', `the run of ${machine} has ended`, `Look at it: homeward failback status ${machine}`);
}

/** One sample of vCenter's (workflows/step-times.ts, docs/operate.md). */
const countMs = 20_000;
const lookEveryMs = 1_000;

/** Whether the first count is being made: of a machine that was seen to run, and of which nobody has said why there is none. */
function isFirstCount({ status, pending }: View): boolean {
  if (status?.liveSince === undefined || status.startUnseen || status.written || status.uncounted !== undefined)
    return false;
  return pending.some(({ activity }) => activity === 'observeWritten');
}

/** The open run, with the count where that comes in time. `forMs`: how long it is waited for. */
export async function openCounted(asked: Asked, forMs = countMs): Promise<View> {
  let view = await openRun(asked);
  const wait = async (): Promise<void> => {
    for (const deadline = Date.now() + forMs; isFirstCount(view) && Date.now() < deadline; view = await openRun(asked))
      await sleep(lookEveryMs);
  };
  const what = `waiting for vCenter’s first count of what ${asked.machine} wrote at home (up to ${forMs / 1000} s)`;
  await withPatience(what, wait(), asked.context.screen.json);
  return view;
}
