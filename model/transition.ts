/**
 * THE LAW, part three: one reducer for everything that can happen to a run's story. Signals, updates, Temporal's own
 * cancellation and the workflow's steps all pass through here, so that legality is decided in one place.
 * Rule: a refused message changes nothing but the list of refusals; an illegal step is a Defect.
 */
import { objectionToAnotherPoint, wishFor, withoutPointChange, withPointChanged } from './another-point.ts';
import { objectionToMover } from './carrying.ts';
import { type CommitRules, objectionToCommitter, stopped, wentLive } from './commit-rules.ts';
import { defect, sourceGone } from './failure.ts';
import type { Carrier } from './machine.ts';
import type { Message, MessageName } from './message.ts';
import { isFinal, type Phase, phaseTable, standing } from './phase.ts';
import { objectionToChoice, otherChoice } from './point.ts';
import type { Approval, Refusal, Story, Trouble } from './story.ts';
import { type Waits, waiting } from './waits.ts';

export { standing } from './phase.ts';
export type { Approval, Refusal, Story, Trouble } from './story.ts';

/** How many refusals are kept; the oldest go first. */
const refusalsKept = 50;
/** A reason may quote what came from outside, and a status must stay small enough to be asked for. */
const longestReason = 500;

export const beginStory = (run: string, mover: Carrier, commit: CommitRules = {}): Story => ({
  run,
  mover,
  phase: 'Preflight',
  targetLive: false,
  commitNeedsEvidence: commit.needsEvidence ?? false,
  ...(commit.people === 2 ? { commitNeedsTwo: true } : {}),
  refusals: [],
});

export interface Decision extends Waits {
  readonly story: Story;
  readonly accepted: boolean;
  /** Refused: why. Accepted without effect: that it was known already. */
  readonly reason?: string;
}

/** Why this message is refused now, `'known'` when it was accepted before, or undefined when it is welcome. */
export function objectionTo(story: Story, message: Message): string | undefined {
  if (message.run !== undefined && message.run !== story.run)
    return `it names run ${message.run}, but run ${story.run} is under way; look at the status and send it again`;
  return rules[message.name](story, message);
}

const beingCancelled = 'the failback is being cancelled';
const inPhase = (story: Story): string => `the run is in phase ${story.phase}`;

const rules: Readonly<Record<MessageName, (story: Story, message: Message) => string | undefined>> = {
  completeFailover: (story, { point }) => {
    if (story.completion) return otherChoice(story.completion, point) ?? 'known';
    if (story.cancellation) return beingCancelled;
    if (phaseTable[standing(story)].complete === 'no') return `${inPhase(story)}, where a failover cannot be completed`;
    return objectionToChoice(story, point);
  },
  commit: (story, message) => {
    if (story.commitment) return 'known';
    if (story.cancellation) return beingCancelled;
    if (story.pointChange) return `${story.pointChange.by} is changing the point; look at what comes home then`;
    if (phaseTable[story.phase].gate !== 'commit')
      return `${inPhase(story)}; a commit is taken once the machine runs at home (AwaitingCommit)`;
    if (message.evidence !== undefined && message.evidence !== story.evidence)
      return `it approves evidence ${message.evidence}, but the disks' evidence is ${story.evidence ?? 'not there yet'}`;
    if (message.evidence === undefined && story.commitNeedsEvidence)
      return `the policy wants the evidence digest that is approved: "evidence": "${story.evidence ?? ''}"`;
    return objectionToCommitter(story, message.by);
  },
  cancel: (story, message) => {
    // A cancel may be said again with the loss flag; without it the second one changes nothing.
    if (story.cancellation && (story.cancellation.acceptLoss || message.acceptLoss !== true)) return 'known';
    if (story.commitment) return 'it was committed; there is no way back';
    const rule = phaseTable[standing(story)].cancel;
    if (rule === 'none') return `${inPhase(story)}, which cannot be cancelled`;
    if ((rule === 'loss' || story.targetLive) && message.acceptLoss !== true)
      return `${wentLive(story)}; cancel again with "acceptLoss": true`;
    return undefined;
  },
  changePoint: (story, message) => {
    if (story.commitment) return 'it was committed; there is no way back';
    if (story.cancellation || story.resolution?.action === 'undo') return beingCancelled;
    const known = story.pointChange && objectionToAnotherPoint(story, message);
    if (known !== undefined) return known;
    const { changePoint } = phaseTable[standing(story)];
    const called = story.phase === 'NeedsOperator' && !story.resolution;
    if (!called && (changePoint !== 'now' || story.phase === 'NeedsOperator'))
      return `${inPhase(story)}; another point is taken while the commit is waited for, or as the answer where the start or its probes failed`;
    if (changePoint === undefined) return `it stands in ${standing(story)}, where no other point can be chosen`;
    return objectionToAnotherPoint(story, message);
  },
  hold: (story) => {
    if (story.held) return 'known';
    if (story.cancellation) return beingCancelled;
    if (!phaseTable[story.phase].holdable) return `${inPhase(story)}, where holding would only lengthen the wait`;
    return undefined;
  },
  resume: (story) => (story.held ? undefined : 'known'),
  resolve: (story, message) => {
    if (story.phase !== 'NeedsOperator') return `${inPhase(story)}; nothing waits to be resolved`;
    if (message.since !== undefined && message.since !== story.trouble?.since)
      return `it answers the call of ${message.since}, and by now another one stands; look at the status and send it again`;
    if (story.resolution) return 'known';
    if (message.action === 'retry') return undefined;
    if (message.action === 'skip')
      return phaseTable[standing(story)].skippable || story.trouble?.watch
        ? undefined
        : `a step of ${standing(story)} cannot be left out`;
    const rule = phaseTable[standing(story)].cancel;
    if (rule === 'none')
      return `${standing(story)} cannot be taken back; mend the cause and resolve with "action": "retry", or leave the step out with "skip"`;
    if ((rule === 'loss' || story.targetLive) && !story.cancellation)
      return `${wentLive(story)}: cancel with "acceptLoss": true instead`;
    return undefined;
  },
  reassign: (story, message) => {
    if (story.cancellation || story.resolution?.action === 'undo') return 'the failback is being taken back';
    if (phaseTable[standing(story)].reassign === 'no')
      return `${inPhase(story)}; the disks can go to another mover only until they are sealed`;
    return objectionToMover(story, message.mover, story.phase === 'NeedsOperator');
  },
};

/** Applies one parsed message at a time `at` (ISO 8601). Pure: the same story and message give the same decision. */
export function hear(story: Story, message: Message, at: string): Decision {
  const reason = objectionTo(story, message);
  if (reason === 'known')
    return { story, accepted: true, reason: 'already so; nothing changed', ...waiting(story, message.name) };
  if (reason !== undefined)
    return { story: refuse(story, message.name, message.by, at, reason), accepted: false, reason };
  const approval: Approval = {
    by: message.by,
    at,
    ...(message.note === undefined ? {} : { note: message.note }),
    ...(message.evidence === undefined ? {} : { evidence: message.evidence }),
  };
  const next = effects[message.name](story, approval, message);
  return { story: next, accepted: true, ...waiting(next, message.name) };
}

const effects: Readonly<Record<MessageName, (story: Story, approval: Approval, message: Message) => Story>> = {
  completeFailover: (story, approval, { point }) => ({
    ...story,
    completion: { ...approval, ...(point === undefined ? {} : { point }) },
  }),
  commit: (story, approval) => ({ ...story, commitment: approval }),
  cancel: (story, approval, message) => {
    const { held: _held, ...rest } = story;
    return { ...rest, cancellation: { ...approval, acceptLoss: message.acceptLoss === true } };
  },
  changePoint: (story, approval, message) => ({
    ...story,
    ...(story.phase === 'NeedsOperator' ? retry(approval) : {}),
    pointChange: wishFor(story, approval, message),
  }),
  hold: (story, approval) => ({ ...story, held: approval }),
  resume: (story) => {
    const { held: _held, ...rest } = story;
    return rest;
  },
  resolve: (story, approval, message) => {
    const { held, ...rest } = story;
    // As with a cancel: nothing holds the way back, and no run ends as held.
    const kept = held && message.action !== 'undo' ? { held } : {};
    return { ...rest, ...kept, resolution: { ...approval, action: message.action ?? 'retry' } };
  },
  reassign: (story, approval, message) => {
    const mover = { name: message.mover ?? '', path: message.path ?? '' };
    // Whoever is called because a mover is gone has answered with another mover.
    const answer = story.phase === 'NeedsOperator' && !story.resolution ? retry(approval) : {};
    return phaseTable[standing(story)].reassign === 'at-once'
      ? { ...story, ...answer, mover }
      : { ...story, ...answer, reassignment: { ...approval, mover } };
  },
};

const retry = (approval: Approval): Pick<Story, 'resolution'> => ({ resolution: { ...approval, action: 'retry' } });

/** Records a refusal; nothing else changes (S7). */
export function refuse(story: Story, message: string, by: string, at: string, reason: string): Story {
  const refusal: Refusal = { message, by, at, phase: story.phase, reason: reason.slice(0, longestReason) };
  return { ...story, refusals: [...story.refusals, refusal].slice(-refusalsKept) };
}

/** S7: what was accepted but not done before its phases ended is told, never done late. */
function withoutLate(story: Story, to: Phase): Story {
  const { reassignment, ...rest } = story;
  if (!reassignment || phaseTable[to].reassign !== 'no') return story;
  return refuse(rest, 'reassign', reassignment.by, reassignment.at, `it came too late: the run went on to ${to}`);
}

/** Enters the next phase. Throws Defect when the table does not allow it or a gate was not opened by a person. */
export function enter(story: Story, to: Phase): Story {
  const from = story.phase;
  const legal = to === 'Undoing' ? mayUndo(story) : phaseTable[from].next.includes(to);
  if (!legal) throw illegal(story, `${from} does not lead to ${to}`);
  const gate = phaseTable[from].gate;
  if (to !== 'Undoing') {
    if (gate === 'completeFailover' && !story.completion) throw illegal(story, 'nobody completed the failover');
    if (to === 'ChangingPoint' && !story.pointChange) throw illegal(story, 'nobody chose another point');
    if (from === 'ChangingPoint' && story.targetLive) throw illegal(story, 'the target was not observed off');
    if (to === 'Committing' && !story.commitment) throw illegal(story, 'nobody committed');
    if (story.cancellation && !isFinal(to)) throw illegal(story, `cancelled runs do not enter ${to}`);
  }
  const { left: _left, trouble: _trouble, resolution: _resolution, ...rest } = ofPoint(withoutLate(story, to), to);
  const untouched = to === 'Undoing' && phaseTable[standing(story)].cancel === 'end';
  return { ...rest, ...(untouched ? { untouched } : {}), phase: to };
}

/** S2, S7: the evidence of disks that are no more what was sealed counts for no commit. */
function ofPoint(story: Story, to: Phase): Story {
  const { evidence: _stale, ...rest } = story;
  if (to === 'ChangingPoint') return rest;
  if (to === 'Undoing') return withoutPointChange(story);
  return story.phase === 'ChangingPoint' ? withPointChanged(story) : story;
}

/** A cancelled Preflight (or AwaitingCutover) has changed nothing, so its undo is empty, but the way is the same. */
function mayUndo(story: Story): boolean {
  const from = standing(story);
  if (story.phase === 'NeedsOperator' && story.resolution?.action !== 'undo' && !story.cancellation) return false;
  if (story.phase !== 'NeedsOperator' && !story.cancellation) return false;
  if (from === 'Undoing') return true;
  const rule = phaseTable[from].cancel;
  if (rule === 'none') return false;
  return !(rule === 'loss' || story.targetLive) || story.cancellation?.acceptLoss === true;
}

/** Stops for a person. Allowed from every phase that has not ended; called again, the newer trouble counts. */
export function callOperator(story: Story, trouble: Trouble): Story {
  if (isFinal(story.phase)) throw illegal(story, `no operator is called in ${story.phase}`);
  const { resolution: _resolution, ...rest } = story;
  const gone = trouble.op === sourceGone ? { sourceGone: true as const } : {};
  return { ...rest, ...gone, phase: 'NeedsOperator', left: standing(story), trouble };
}

/** After *resolve* with retry: back to the phase that was left. */
export function goBack(story: Story): Story {
  if (story.phase !== 'NeedsOperator' || !story.left || !story.resolution) throw illegal(story, 'nothing was resolved');
  const { left, trouble, resolution, ...rest } = story;
  const lookedForAgain = trouble?.op === sourceGone && resolution.action === 'retry';
  return { ...(lookedForAgain ? markSourceSeen(rest) : rest), phase: left };
}

/** The source was seen there, as the run found it; or is looked for anew. */
export function markSourceSeen<S extends Pick<Story, 'sourceGone'>>(story: S): S {
  const { sourceGone: _no, ...seen } = story;
  return seen as S;
}

/** Another point that cannot be taken after all: as if it had been refused at once (S7). Pure. */
export function withdrawPointChange(story: Story, at: string, reason: string): Story {
  const { pointChange } = story;
  return pointChange ? refuse(withoutPointChange(story), 'changePoint', pointChange.by, at, reason) : story;
}

/** From here on the target counts as running, whatever was last observed (S1). Throws Defect for a cancelled run (S5). */
export function markTargetLive(story: Story, at?: string): Story {
  if (story.phase !== 'StartingTarget' || story.cancellation) throw illegal(story, 'the target is not started here');
  return { ...story, targetLive: true, startUnseen: true, ...(at === undefined ? {} : { liveSince: at }) };
}
/** The target was observed running after its start was sent. */
export function markTargetSeen(story: Story): Story {
  const { startUnseen: _no, ...seen } = story;
  return seen;
}
/** The target was observed off again, after our last power command. */
export const markTargetOff = (live: Story, at?: string): Story => ({ ...stopped(live, at), targetLive: false });

function illegal(story: Story, why: string): Error {
  return defect({
    op: 'transition',
    subject: story.run,
    message: `illegal step: ${why}`,
    hint: 'This is a fault of Homeward. Keep the run, export its history and report it; the disks are as the status says.',
  });
}
