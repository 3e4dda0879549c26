/**
 * What went wrong, read out of Temporal's chain of failures: the kind, the operation and the hint for a person.
 * Rule: nothing is hidden; what is not one of our six kinds is named as Temporal names it.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { FailureDetail } from '../activities/failure.ts';
import { Failure } from '../model/failure.ts';
import { type Phase, phaseTable } from '../model/phase.ts';
import { type Story, standing, type Trouble } from '../model/transition.ts';

/** The innermost failure that says something: activities and children only wrap it. */
function innermost(error: unknown): unknown {
  let at = error;
  while ((at instanceof ActivityFailure || at instanceof ChildWorkflowFailure) && at.cause) at = at.cause;
  return at;
}

/** `phase`: where the step stands; whether another mover may get the disks hangs on it. */
export function troubleOf(error: unknown, since: string, phase?: Phase): Trouble {
  const cause = innermost(error);
  if (cause instanceof ApplicationFailure) {
    const detail = detailOf(cause);
    return {
      kind: cause.type ?? 'Defect',
      op: detail.op ?? nameOf(error),
      subject: detail.subject ?? '',
      message: cause.message,
      hint: detail.hint ?? 'Look at the failure in the Temporal UI, then resolve with retry.',
      since,
    };
  }
  if (cause instanceof Failure)
    return { kind: cause.kind, op: cause.op, subject: cause.subject, message: cause.message, hint: cause.hint, since };
  if (cause instanceof TimeoutFailure) return lateness(cause, nameOf(error), since, phase);
  return {
    kind: 'Defect',
    op: nameOf(error),
    subject: '',
    message: cause instanceof Error ? `${cause.name}: ${cause.message}` : 'an unknown failure',
    hint: 'This is a fault of Homeward. Keep the run, export its history and report it.',
    since,
  };
}

function lateness(timeout: TimeoutFailure, op: string, since: string, phase?: Phase): Trouble {
  const notStarted = timeout.timeoutType === 'SCHEDULE_TO_START';
  const last = timeout.cause instanceof Error ? `; the last try said: ${timeout.cause.message}` : '';
  return {
    kind: 'Transient',
    op,
    subject: '',
    message: notStarted
      ? 'no mover took the work within ten minutes'
      : `it did not end in time (${timeout.timeoutType})${last}`,
    hint: notStarted
      ? `Start the mover, then resolve with retry. ${goneForGood(phase)}`
      : 'Mend the cause, then resolve with retry.',
    since,
  };
}

/** From the seal on only the mover that wrote the disks can prove them. */
const goneForGood = (phase: Phase | undefined): string =>
  phase && phaseTable[phase].reassign === 'no'
    ? 'If it is gone for good, no other mover can take these disks any more: take the run back (resolve with undo, or homeward failback cancel).'
    : 'If it is gone for good: homeward mover reassign <machine> --to <another mover of the site>.';

const nameOf = (error: unknown): string => (error instanceof ActivityFailure ? error.activityType : 'workflow');

/** After a commit no cancel is taken (S6), so the hint of the look, which names one, would lead nowhere. */
export const committedHint =
  'It was committed, so no cancel is taken any more. Find out who started the source and stop it. Then resolve with skip: Homeward leaves it as it stands, and what was written there is yours to look at before you delete it.';

const isCorrupt = (error: unknown, op: string): boolean => {
  const cause = innermost(error);
  return cause instanceof ApplicationFailure && cause.type === 'Corrupt' && isOf(cause, op);
};

/** True for a broken lineage (S9): the base of a delta is gone or not what the disk is current at. */
export const lineageBroke = (error: unknown): boolean => isCorrupt(error, 'lineage');

/** Whether a copy ended with what a full one mends: its lineage broke, or the mover's record of the disk went bad under it (S9). */
export const needsFullCopy = (error: unknown): boolean => lineageBroke(error) || isCorrupt(error, 'state.checkpoint');

const detailOf = (cause: unknown): Partial<FailureDetail> =>
  cause instanceof ApplicationFailure ? ((cause.details?.[0] as Partial<FailureDetail> | undefined) ?? {}) : {};

/** Whether a failure is about this: its op, which for a check that refused is the check's name. */
export const isOf = (error: unknown, op: string): boolean => detailOf(innermost(error)).op === op;

/** Whether what failed is known to have changed nothing. */
export const wasUntouched = (error: unknown): boolean => detailOf(innermost(error)).untouched === true;

/**
 * Whether a step that was told to stop ended because of that. A cancel may meet an attempt that an operator has just
 * paused or reset, which then ends with those words; and an attempt that nobody hears of any more ends by its heartbeat.
 */
export function stoppedAsAsked(error: unknown): boolean {
  if (isCancellation(error)) return true;
  const cause = innermost(error);
  if (cause instanceof TimeoutFailure) return cause.timeoutType === 'HEARTBEAT';
  return cause instanceof ApplicationFailure && (cause.type === 'ActivityPause' || cause.type === 'ActivityReset');
}

/** A failure that carries what was reached, so that a retry goes on from there. */
export function failedAt(error: unknown, state: unknown): unknown {
  if (isCancellation(error)) return error;
  const { kind, op, subject, message, hint } = troubleOf(error, new Date().toISOString());
  return ApplicationFailure.create({
    type: kind,
    message,
    nonRetryable: true,
    details: [{ op, subject, hint }, state],
  });
}

/** What a failed rounds workflow had reached, when it said so; rides as the second detail of its failure. */
export function carriedState<T>(error: unknown): T | undefined {
  const cause = innermost(error);
  return cause instanceof ApplicationFailure ? (cause.details?.[1] as T | undefined) : undefined;
}

/**
 * Two troubles at once are one call for an operator: the watch's comes first, because it may cost data, and takes the
 * other one along; `found` or `own` alone stands for itself.
 */
export function together(found: Trouble | undefined, own: Trouble): Trouble {
  if (!found || own.watch) return own;
  // S7: another call than that of either alone, so that no answer to one of them leaves out what only the other names.
  const [, since = own.since] = [found.since, own.since].sort();
  const step = [found.step, own.step].filter((one) => one !== undefined).join(', and ');
  const both = { ...found, since, ...(step === '' ? {} : { step }) };
  if (found.op === own.op && found.subject === own.subject) return both;
  return {
    ...both,
    message: `${found.message}; besides, in ${own.op} ${own.subject}: ${own.message}`,
    hint: `${found.hint} Besides: ${own.hint}`,
  };
}

/** What ended, and what the watch over the source found meanwhile. `step`: what may be left out, by name. */
interface Ended {
  readonly found?: Trouble | undefined;
  readonly error?: unknown;
  readonly step?: string | undefined;
}

/** What a person is called for now; undefined where the call stands already, or where a person has answered it. */
export function callFor(story: Story, { found, error, step }: Ended, at: string): Trouble | undefined {
  // A person answered the finding while the step was still ending. What else it ended with is met again by the retry.
  if (found && step === undefined && story.resolution) return undefined;
  // The step that a finding interrupted has no trouble of its own, and the alarm has called already.
  if (found && (error === undefined || stoppedAsAsked(error)))
    return story.phase === 'NeedsOperator' ? undefined : found;
  return together(found, { ...troubleOf(error, at, standing(story)), ...(step === undefined ? {} : { step }) });
}
