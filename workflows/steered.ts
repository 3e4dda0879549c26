/**
 * Which steps of this workflow an operator paused in Temporal, as the workers tell it (activities/steering.ts).
 * Rule: it is shown and nothing else; no step of a story depends on it.
 */
import { defineSignal, setHandler } from '@temporalio/workflow';
import { isInShape } from '../model/own-words.ts';
import { type Steering, steeredSignal, unpauseCommand } from '../model/progress.ts';

export interface Steered {
  /** Steps that are paused now, as far as they were told. */
  paused(): readonly Steering[];
  /** After a step's end there is nothing left to go on with. */
  forget(): void;
}

/** Listens for what the workers tell; `changed` is called after each word. */
export function listenForSteering(changed: () => void): Steered {
  let paused: readonly Steering[] = [];
  setHandler(
    defineSignal<[Steering]>(steeredSignal),
    (told) => {
      // S7: it is no more than shown, so that what nothing can be made of is not even refused.
      if (!isInShape(steeredSignal, told)) return;
      const others = paused.filter((one) => one.activityId !== told.activityId);
      paused = told.paused ? [...others, told] : others;
      changed();
    },
    { description: 'Sent by the workers: a step was paused in Temporal, or goes on.' },
  );
  return {
    paused: () => paused,
    forget: () => {
      paused = [];
    },
  };
}

/** One line a paused step, and what to type; Markdown. */
export const pausedLines = (workflowId: string, paused: readonly Steering[]): string[] =>
  paused.flatMap(({ activityId, by, reason, since }) => [
    '',
    `### Paused by an operator in Temporal: \`${activityId}\``,
    `${by ?? 'Somebody'} paused it${reason ? ` (${reason})` : ''}, seen ${since}. Nothing is lost; it goes on from its journal.`,
    `Go on: \`${unpauseCommand(workflowId, activityId)}\`, or Unpause under Pending Activities.`,
  ]);
