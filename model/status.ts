/**
 * What a run answers when asked how it stands. Bytes, milliseconds, ISO 8601.
 * Rule: everything here is derived from the story and from what was observed; nothing is guessed without saying so.
 */

import type { Agreed } from './agreed.ts';
import type { PointChange } from './another-point.ts';
import type { ArrivalFacts } from './arrival.ts';
import type { Awaited, Check } from './check.ts';
import type { Loss } from './commit-rules.ts';
import type { Convergence } from './convergence.ts';
import type { NewMachine } from './creation.ts';
import type { EvidenceEntry } from './evidence.ts';
import type { Measured } from './forecast.ts';
import type { MachineAddress, SealProof, SyncFacts } from './machine.ts';
import type { Outages } from './outage.ts';
import type { Phase } from './phase.ts';
import type { PointChoice, PointsKnown } from './point.ts';
import type { Steering } from './progress.ts';
import type { RoundReport } from './round.ts';
import type { ScrubReport } from './scrub.ts';
import type { Approval, Refusal, Trouble } from './transition.ts';
import { type WriteCount, writtenText } from './written.ts';

export type { RoundReport, RoundTries } from './round.ts';

/** What is known of a target whose guest has no agent, in the words of the record and of the commit gate. */
export const silentGuest = 'the target runs, but no agent in it can answer: VMware Tools are not installed';

/** The rounds so far; answered by the rounds' own workflow while it runs, kept by the failback afterwards. */
export interface RoundsStatus {
  readonly done: number;
  readonly recent: readonly RoundReport[];
  readonly copiedBytes: number;
  readonly changedBytes: number;
  /** What the background scrub knows of each disk; absent when nothing was copied before the cutover. */
  readonly scrubs?: readonly ScrubReport[];
  /** What happens now: `round 4: copying`, `next round at …`, `held`. */
  readonly now: string;
  /** When the point of the round that is under way was taken, ISO 8601; absent between two rounds, and before it is there. */
  readonly pointTakenAt?: string;
  /** After three rounds of changes (L3). */
  readonly convergence?: Convergence;
  /** Steps of the rounds that an operator paused in Temporal; absent while there is none. */
  readonly paused?: readonly Steering[];
}

export interface DiskSummary {
  readonly disk: string;
  readonly source: string;
  readonly target: string;
  readonly sizeBytes: number;
}

/** How long a run has waited for a person. */
export interface Waiting {
  readonly since: string;
  /** Reminders so far. */
  readonly reminded: number;
  readonly lastAt?: string;
  /** When the run is taken back unless somebody answers; absent where it waits without end. */
  readonly expiresAt?: string;
}

export interface Status extends PointsKnown, WriteCount, Outages {
  readonly machine: string;
  readonly run: string;
  readonly source: MachineAddress;
  readonly target: MachineAddress;
  /** Who carries the machine now. */
  readonly mover: string;
  /** Who is to carry it instead, until the disks are off the mover that has them. */
  readonly reassignment?: Approval & { readonly mover: string };
  readonly sync: SyncFacts['sync'];
  readonly write: SyncFacts['write'];
  /** At an alternate location: the machine that is made there, with the plan of its networks and addresses. */
  readonly creation?: NewMachine;
  /** Whether the whole target is read again inside the outage, before it is sealed. */
  readonly reread?: boolean;
  readonly phase: Phase;
  readonly left?: Phase;
  readonly startedAt: string;
  readonly phaseSince: string;
  readonly serves: string;
  readonly targetDisks: string;
  readonly says: string;
  /** What the run waits for, and what to type; absent while it works. */
  readonly waitsFor?: string;
  readonly waiting?: Waiting;
  /** What comes by itself and is waited for without a person; absent while nothing is. */
  readonly awaits?: Awaited;
  readonly held?: Approval;
  /** Steps of the failback itself that an operator paused in Temporal; those of the rounds are in `rounds`. */
  readonly paused?: readonly Steering[];
  readonly trouble?: Trouble;
  /** True while the source was not there when it was last looked for. */
  readonly sourceGone?: true;
  /** True where the source was off when it was seen last. */
  readonly sourceIdle?: true;
  /**
   * What a way back does with the power of the source, whoever switches it meanwhile: it starts one that served before its
   * stop, and leaves one that was off as it is. Absent before a stop was sent: then it is left as it is, too.
   */
  readonly sourceUndo?: 'start' | 'leave';
  /** True once the start of the target may have been sent: what is written there is lost by going back. */
  readonly targetLive?: boolean;
  /** Since when, while it is so; how much was written since, or why that is not known, is in `written` and `uncounted`. */
  readonly liveSince?: string;
  /** Its start was sent, and it was not observed running since: it may never have run. */
  readonly startUnseen?: true;
  /** The policy wants another person to commit than the one who completed the failover. */
  readonly commitNeedsTwo?: true;
  /** How long the final snapshots stay after the commit; absent when they go with it. */
  readonly keepFinalSnapshotsDays?: number;
  /** What the policy does without asking again; absent in the answer of an older release. */
  readonly agreed?: Agreed;
  /** What was seen of the machine at home after its start, and what was approved beforehand; absent before. */
  readonly arrival?: ArrivalFacts;
  readonly completion?: Approval & { readonly point?: PointChoice };
  /** Another point that is on its way home, and the last one that was changed to. */
  readonly pointChange?: PointChange;
  readonly pointChanged?: PointChange;
  readonly commitment?: Approval;
  readonly cancellation?: Approval;
  /** What was written at home since then was dropped: on the way back, or for another point. */
  readonly loss?: Loss;
  readonly refusals: readonly Refusal[];
  readonly checks: readonly Check[];
  readonly disks: readonly DiskSummary[];
  readonly rounds?: RoundsStatus;
  /** Workflow id of the rounds while they run. */
  readonly roundsWorkflow?: string;
  /** What this run's cutover took, or an earlier run's while this one had none. */
  readonly measured?: Measured;
  /** The last turn that the rounds told of (L3); what holds now is in the rounds. */
  readonly convergence?: Convergence;
  readonly targetIp?: string;
  /** True when the target runs and nobody heard its guest, because no agent is installed in it: `silentGuest`. */
  readonly guestSilent?: boolean;
  readonly seals: readonly SealProof[];
  readonly evidence?: string;
  readonly record: readonly EvidenceEntry[];
}

/** What an expiry does, and by when somebody has to answer. */
export const expiryText = (by: string): string =>
  `Unless somebody completes by ${by}, the run is taken back then, and the source goes on serving.`;

/** `time` writes a moment. */
export function lossText(
  { since, until, unseen, acceptedBy, ...count }: Loss,
  time = (iso: string): string => iso,
): string {
  const when = until ? `from ${time(since)} to ${time(until)}` : `since ${time(since)}`;
  const what = unseen ? 'What may have been written (its start was sent, nobody saw it run)' : 'What was written';
  return `${what} at home ${when} was dropped, accepted by ${acceptedBy}; ${writtenText(count, time)}.`;
}
