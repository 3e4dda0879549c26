/**
 * The status of a failback, put together from the story, the findings and the record. Pure.
 */

import { agreedIn } from '../model/agreed.ts';
import type { ArrivalFacts } from '../model/arrival.ts';
import type { Awaited, Check } from '../model/check.ts';
import { lossOf, notToCommit } from '../model/commit-rules.ts';
import type { Convergence } from '../model/convergence.ts';
import { type NewMachine, wayOf } from '../model/creation.ts';
import type { EvidenceEntry } from '../model/evidence.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { Measured } from '../model/forecast.ts';
import type { DiskPair, SealProof } from '../model/machine.ts';
import { type Message, messageMeaning } from '../model/message.ts';
import { otherPoint } from '../model/other-point.ts';
import { phaseTable } from '../model/phase.ts';
import type { Steering } from '../model/progress.ts';
import { cachedDisks, cachedText } from '../model/read-back.ts';
import { type RoundsStatus, type Status, silentGuest, type Waiting } from '../model/status.ts';
import { objectionTo, type Story } from '../model/transition.ts';
import { countIn } from '../model/written.ts';
import { endSays, type SidesFound, whoServes } from './who-serves.ts';

export interface Findings extends SidesFound {
  readonly checks: readonly Check[];
  /** What comes by itself and is waited for. */
  readonly awaits?: Awaited | undefined;
  readonly pairs: readonly DiskPair[];
  /** At an alternate location: the machine that is made there. */
  readonly creation?: NewMachine;
  readonly seals: readonly SealProof[];
  readonly rounds?: RoundsStatus;
  /** Set while the rounds run in a workflow of their own. */
  readonly roundsWorkflow?: string | undefined;
  readonly targetIp?: string;
  /** The target runs and has no agent that could say more. */
  readonly guestSilent?: boolean;
  readonly arrival?: ArrivalFacts;
  readonly convergence?: Convergence;
  readonly measured?: Measured | undefined;
  readonly paused?: readonly Steering[];
  /** Since when the run waits for a person, and how often it has said so. */
  readonly waiting?: Waiting | undefined;
}

export interface Moments {
  readonly startedAt: string;
  readonly phaseSince: string;
}

export function statusOf(
  input: FailbackInput,
  story: Story,
  findings: Findings,
  record: readonly EvidenceEntry[],
  moments: Moments,
): Status {
  const rule = phaseTable[story.phase];
  const asLeft = story.left ? phaseTable[story.left] : rule;
  const { checks, seals, pairs, rounds, roundsWorkflow, outage, targetIp, arrival, convergence, measured } = findings;
  const waits = waitsFor(story, findings);
  const { leftOut } = findings;
  const undone = leftOut.length > 0 ? ` An operator left out: ${leftOut.join(', ')}.` : '';
  return {
    machine: input.machine,
    run: story.run,
    source: input.source,
    target: input.target,
    mover: story.mover.name,
    ...only('reassignment', story.reassignment && { ...story.reassignment, mover: story.reassignment.mover.name }),
    sync: input.policy.sync,
    write: wayOf(input),
    ...only('creation', findings.creation),
    reread: input.policy.reread,
    phase: story.phase,
    ...moments,
    serves: whoServes(story, findings, record),
    targetDisks: story.untouched ? 'not touched by this run' : asLeft.targetDisks,
    says: `${endSays(input, story, findings, record) ?? rule.says}${undone}`,
    ...only('awaits', findings.awaits),
    ...(waits ? { waitsFor: waits, ...only('waiting', waitingOf(input, story, findings)) } : {}),
    ...only('left', story.left),
    ...only('held', story.held),
    ...only('paused', findings.paused?.length ? findings.paused : undefined),
    ...only('trouble', story.trouble),
    ...only('sourceGone', story.sourceGone),
    ...only('sourceIdle', findings.sourceIdle || undefined),
    ...only('sourceUndo', findings.sourceUndo),
    ...only('targetLive', story.targetLive || undefined),
    ...only('liveSince', story.liveSince),
    ...only('startUnseen', story.startUnseen),
    ...countIn(story),
    ...only('commitNeedsTwo', story.commitNeedsTwo),
    ...only('keepFinalSnapshotsDays', input.policy.keepFinalSnapshotsDays || undefined),
    agreed: agreedIn(input.policy),
    ...only('arrival', arrival),
    ...only('completion', story.completion),
    ...only('applicationPoints', story.applicationPoints),
    ...only('pointTrouble', story.pointTrouble),
    ...only('noPoints', story.noPoints),
    ...only('pointChange', story.pointChange),
    ...only('pointChanged', story.pointChanged),
    ...only('commitment', story.commitment),
    ...only('cancellation', story.cancellation),
    ...only('loss', lossOf(story)),
    refusals: story.refusals,
    checks,
    disks: pairs.map((pair) => ({
      disk: pair.disk,
      source: pair.source.name,
      target: pair.target.file,
      sizeBytes: pair.source.sizeBytes,
    })),
    ...only('rounds', rounds),
    ...only('roundsWorkflow', roundsWorkflow),
    ...only('outage', outage),
    ...only('outagesBefore', findings.outagesBefore),
    ...only('targetIp', targetIp),
    ...only('guestSilent', findings.guestSilent || undefined),
    ...only('convergence', convergence),
    ...only('measured', measured),
    seals,
    ...only('evidence', story.evidence),
    record,
  };
}

const only = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: V });

/** With the digest in it where the policy wants it, so that it can be pasted as it stands; and by whom not (S7). */
function commitMeaning(story: Story): string {
  const { commitNeedsEvidence, evidence, commitNeedsTwo } = story;
  const others = commitNeedsTwo && notToCommit(story);
  const who = others
    ? `The policy wants two people: somebody else than ${others}, who chose what came home, must say it. `
    : '';
  const { commit } = messageMeaning;
  return `${who}${commitNeedsEvidence && evidence ? commit.replace('{"by":"you"}', `{"by":"you","evidence":"${evidence}"}`) : commit}`;
}

/** What the law takes as an answer here; once the target may be live, going back is a message of its own. */
function resolveMeaning(story: Story): string {
  const takes = (message: Omit<Message, 'by'>): boolean => objectionTo(story, { by: 'you', ...message }) === undefined;
  const undo = takes({ name: 'resolve', action: 'undo' });
  const gone = story.sourceGone ? ' (which stops and deletes nothing while the source is not there)' : '';
  const back = undo
    ? ` or "undo"${gone}`
    : takes({ name: 'cancel', acceptLoss: true })
      ? `; to go back send cancel {"by":"you","acceptLoss":true}${gone}`
      : '';
  const point = changeMeaning(story);
  const other = point ? `; for another point send changePoint ${point}` : '';
  const skip = takes({ name: 'resolve', action: 'skip' }) ? '; or leave this out with "skip"' : '';
  return `Answer a call for an operator. {"by":"you","action":"retry"}${back}${other}${skip}`;
}

/** The payload that the law would take for another point now; undefined where it takes none. */
function changeMeaning(story: Story): string | undefined {
  const point = otherPoint(story);
  return point && JSON.stringify({ by: 'you', point, ...(story.targetLive ? { acceptLoss: true } : {}) });
}

/** What a person can say next, when the run waits for one. */
export type Wait = 'resolve' | 'resume' | 'completeFailover' | 'commit';

/** What the run waits for; undefined while it works by itself. */
export function waitOf(story: Story): Wait | undefined {
  if (story.phase === 'NeedsOperator') return 'resolve';
  if (story.held) return 'resume';
  if (story.cancellation) return undefined;
  const { gate } = phaseTable[story.phase];
  if (gate === 'completeFailover' && !story.completion) return gate;
  if (gate === 'commit' && !story.commitment) return gate;
  return undefined;
}

/** L4: the gate *complete failover* alone may expire, and only into safety. */
function waitingOf({ policy }: FailbackInput, story: Story, { waiting }: Findings): Waiting | undefined {
  const { gateExpiresSeconds } = policy;
  if (!waiting || gateExpiresSeconds === 0 || waitOf(story) !== 'completeFailover') return waiting;
  return { ...waiting, expiresAt: new Date(Date.parse(waiting.since) + gateExpiresSeconds * 1000).toISOString() };
}

function anotherText(story: Story): string {
  const point = changeMeaning(story);
  return point ? `. If it is no good: changePoint ${point} takes another point home` : '';
}

/** The same with what to send. */
function waitsFor(story: Story, { convergence, guestSilent, seals }: Findings): string | undefined {
  const wait = waitOf(story);
  if (wait === undefined) return undefined;
  const stuck =
    convergence?.converges === false ? 'changes come faster than the link, so the outage grows with every round. ' : '';
  const cached = cachedText(cachedDisks(seals));
  const readBack = cached === undefined ? '' : `${cached} `;
  const unheard = guestSilent ? `${silentGuest}. Look at its console before you commit. ` : '';
  const words: Readonly<Record<Wait, string>> = {
    resolve: resolveMeaning(story),
    resume: messageMeaning.resume,
    completeFailover: `${stuck}${messageMeaning.completeFailover}`,
    commit: `${readBack}${unheard}${commitMeaning(story)}${anotherText(story)}`,
  };
  return `${wait}: ${words[wait]}`;
}
