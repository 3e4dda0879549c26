/**
 * What a message that was taken still waits for, so that a yes without an effect is not taken for one with it.
 * Rule: told of what the message itself wants, and never once that has been done. Pure.
 */
import type { MessageName } from './message.ts';
import { phaseTable, standing } from './phase.ts';
import type { Story } from './story.ts';

export interface Waits {
  /** Accepted, but nothing happens yet: what has to come first. */
  readonly waits?: string;
}

/** What a gate that was opened still waits for. */
export function waiting(story: Story, name: MessageName): Waits {
  // What is looked at or opened before the rounds is tried at once, held or not.
  if (name === 'resolve' && story.held)
    return { waits: `${story.held.by} holds the run; no round and no gate goes on until somebody sends resume` };
  if (!isAhead(story, name)) return {};
  if (story.held) return { waits: `${story.held.by} holds the run; nothing happens until somebody sends resume` };
  if (name === 'completeFailover' && phaseTable[standing(story)].complete === 'queued')
    return { waits: 'it is kept until the first round is proven on every disk' };
  if (name === 'reassign')
    return { waits: `the disks are taken off ${story.mover.name} first, which is not waited for when it is dead` };
  return {};
}

/** Whether what the message wants is still to come; said again behind the cutover, a completion is not. */
function isAhead(story: Story, name: MessageName): boolean {
  if (name === 'completeFailover') return phaseTable[standing(story)].complete !== 'no';
  if (name === 'reassign') return story.reassignment !== undefined;
  return name === 'commit' || name === 'changePoint';
}
