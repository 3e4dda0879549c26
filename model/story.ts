/**
 * THE LAW: the state of a run's story, all that messages and steps are judged by.
 * Rule: plain values that travel through a workflow's history and its status; only model/transition.ts makes a new one.
 */
import type { PointAtHome } from './another-point.ts';
import type { Carried } from './carrying.ts';
import type { AtHome } from './commit-rules.ts';
import type { Phase } from './phase.ts';
import type { PointChoice, PointsKnown } from './point.ts';

export interface Approval {
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
  readonly note?: string;
  readonly evidence?: string;
}

export interface Refusal {
  readonly message: string;
  readonly by: string;
  readonly at: string;
  readonly phase: Phase;
  readonly reason: string;
}

/** Why a run stands still for a person, and what that person can do. */
export interface Trouble {
  readonly kind: string;
  readonly op: string;
  readonly subject: string;
  readonly message: string;
  readonly hint: string;
  readonly since: string;
  /** What *skip* would leave out, by name; absent where nothing can be left out. */
  readonly step?: string;
  /** Found by the watch over the source (S1): that may be left out in any phase, a step of the phase itself may not. */
  readonly watch?: true;
}

export interface Story extends Carried, PointsKnown, PointAtHome, AtHome {
  readonly run: string;
  readonly phase: Phase;
  /** The phase that called the operator; only while in NeedsOperator. */
  readonly left?: Phase;
  readonly trouble?: Trouble;
  readonly held?: Approval;
  readonly completion?: Approval & { readonly point?: PointChoice };
  readonly commitment?: Approval;
  readonly cancellation?: Approval & { readonly acceptLoss: boolean };
  readonly resolution?: Approval & { readonly action: 'retry' | 'undo' | 'skip' };
  /** True from the moment the target's start may have been sent: it then counts as running (S1, S5). */
  readonly targetLive: boolean;
  /** The source was not there when it was last looked for: nobody may be told that it serves, or will. */
  readonly sourceGone?: true;
  /** It was taken back from a phase that changes nothing: of neither side can be said what it was found as. */
  readonly untouched?: true;
  /** The digest a commit may name, once the disks are sealed. */
  readonly evidence?: string;
  readonly commitNeedsEvidence: boolean;
  /** True: whoever commits must not be the one who completed the failover (S7). */
  readonly commitNeedsTwo?: true;
  readonly refusals: readonly Refusal[];
}
