/**
 * THE LAW, about movers: who carries a machine, who is to carry it instead, and when that may be said.
 * Rule (S8, S9): the mover changes only when the disks are off the one that has them; the new one knows nothing of them.
 */
import type { Carrier, MoverPlace } from './machine.ts';

export interface Carried {
  /** Who carries the machine: its disks hang on this mover while they are open. */
  readonly mover: Carrier;
  /** Who is to carry it instead, until the disks are off the mover that has them. */
  readonly reassignment?: {
    readonly by: string;
    /** ISO 8601. */
    readonly at: string;
    readonly note?: string;
    readonly mover: MoverPlace;
  };
}

/** Why the machine cannot be sent to the mover of this name now; `'known'` when it has it, or goes there. */
export function objectionToMover(
  { mover, reassignment }: Carried,
  name: string | undefined,
  operatorCalled: boolean,
): string | undefined {
  if ((reassignment?.mover ?? mover).name === name) return 'known';
  // Where an operator was called nothing is on its way, so the other mover may turn out to be the wrong one too.
  if (!reassignment || operatorCalled) return undefined;
  return `it is on its way to ${reassignment.mover.name} already (${reassignment.by})`;
}

/** The disks are off the mover that had them: from now on the other one carries the machine. */
export function takeUpReassignment<S extends Carried>(story: S): S {
  const { reassignment, ...rest } = story;
  if (!reassignment) return story;
  return { ...rest, mover: { ...reassignment.mover, handovers: (story.mover.handovers ?? 0) + 1 } } as S;
}
