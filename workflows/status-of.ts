/**
 * The status of a failback, put together from the story, the findings and the record. Pure.
 */
import type { Check } from '../model/check.ts';
import { type Convergence, divergenceAdvice } from '../model/convergence.ts';
import type { EvidenceEntry } from '../model/evidence.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { Measured } from '../model/forecast.ts';
import type { DiskPair, SealProof } from '../model/machine.ts';
import { messageMeaning } from '../model/message.ts';
import { type Phase, phaseTable } from '../model/phase.ts';
import type { Outage, RoundsStatus, Status } from '../model/status.ts';
import type { Story } from '../model/transition.ts';

export interface Findings {
  readonly checks: readonly Check[];
  readonly pairs: readonly DiskPair[];
  readonly seals: readonly SealProof[];
  readonly rounds?: RoundsStatus;
  /** Set while the rounds run in a workflow of their own. */
  readonly roundsWorkflow?: string | undefined;
  readonly outage?: Outage;
  readonly targetIp?: string;
  readonly convergence?: Convergence;
  readonly measured?: Measured | undefined;
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
  const { checks, seals, pairs, rounds, roundsWorkflow, outage, targetIp, convergence, measured } = findings;
  const waits = waitsFor(story, convergence);
  return {
    machine: input.machine,
    run: story.run,
    source: input.source,
    target: input.target,
    mover: input.mover.name,
    sync: input.policy.sync,
    write: input.policy.write,
    reread: input.policy.reread,
    phase: story.phase,
    ...moments,
    // During an outage nobody serves, whatever the phase would promise once it is done.
    serves: outage && !outage.endedAt && cutOff.has(story.left ?? story.phase) ? 'nobody' : asLeft.serves,
    targetDisks: asLeft.targetDisks,
    says: rule.says,
    ...(waits ? { waitsFor: waits } : {}),
    ...only('left', story.left),
    ...only('held', story.held),
    ...only('trouble', story.trouble),
    ...only('completion', story.completion),
    ...only('commitment', story.commitment),
    ...only('cancellation', story.cancellation),
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
    ...only('targetIp', targetIp),
    ...only('convergence', convergence),
    ...only('measured', measured),
    seals,
    ...only('evidence', story.evidence),
    record,
  };
}

/** Phases in which the source is stopped and the target does not answer yet. */
const cutOff: ReadonlySet<Phase> = new Set<Phase>(['FinalSync', 'Sealing', 'StartingTarget']);

const only = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: V });

/** What the run waits for and what to send; undefined while it works by itself. */
function waitsFor(story: Story, convergence: Convergence | undefined): string | undefined {
  if (story.phase === 'NeedsOperator') return `resolve: ${messageMeaning.resolve}`;
  if (story.held) return `resume: ${messageMeaning.resume}`;
  if (story.cancellation) return undefined;
  const { gate } = phaseTable[story.phase];
  if (gate === 'completeFailover' && !story.completion) {
    const stuck = convergence?.converges === false ? `changes come faster than the link. ${divergenceAdvice} ` : '';
    return `completeFailover: ${stuck}${messageMeaning.completeFailover}`;
  }
  if (gate === 'commit' && !story.commitment) return `commit: ${messageMeaning.commit}`;
  return undefined;
}
