/**
 * What a run answers when asked how it stands, and what completing now would cost. Bytes, seconds, ISO 8601.
 * Rule: everything here is derived from the story and from what was observed; nothing is guessed without saying so.
 */
import type { Check } from './check.ts';
import type { EvidenceEntry } from './evidence.ts';
import type { MachineAddress, SealProof, SyncFacts } from './machine.ts';
import type { Phase } from './phase.ts';
import type { Approval, Refusal, Trouble } from './transition.ts';

export interface RoundReport {
  readonly number: number;
  readonly mode: 'full' | 'delta';
  readonly takenAt: string;
  readonly endedAt: string;
  readonly changedBytes: number;
  readonly copiedBytes: number;
  readonly durationMs: number;
}

/** The rounds so far; answered by the rounds' own workflow while it runs, kept by the failback afterwards. */
export interface RoundsStatus {
  readonly done: number;
  readonly recent: readonly RoundReport[];
  readonly copiedBytes: number;
  readonly changedBytes: number;
  /** What happens now: `round 4: copying`, `next round at …`, `held`. */
  readonly now: string;
}

export interface DiskSummary {
  readonly disk: string;
  readonly source: string;
  readonly target: string;
  readonly sizeBytes: number;
}

export interface Outage {
  readonly startedAt: string;
  readonly endedAt?: string;
}

export interface Status {
  readonly machine: string;
  readonly run: string;
  readonly source: MachineAddress;
  readonly target: MachineAddress;
  readonly mover: string;
  readonly sync: SyncFacts['sync'];
  readonly write: SyncFacts['write'];
  readonly phase: Phase;
  readonly left?: Phase;
  readonly startedAt: string;
  readonly phaseSince: string;
  readonly serves: string;
  readonly targetDisks: string;
  readonly says: string;
  /** What the run waits for, and what to type; absent while it works. */
  readonly waitsFor?: string;
  readonly held?: Approval;
  readonly trouble?: Trouble;
  readonly completion?: Approval;
  readonly commitment?: Approval;
  readonly cancellation?: Approval;
  readonly refusals: readonly Refusal[];
  readonly checks: readonly Check[];
  readonly disks: readonly DiskSummary[];
  readonly rounds?: RoundsStatus;
  /** Workflow id of the rounds while they run. */
  readonly roundsWorkflow?: string;
  readonly outage?: Outage;
  readonly targetIp?: string;
  readonly seals: readonly SealProof[];
  readonly evidence?: string;
  readonly record: readonly EvidenceEntry[];
}

export interface CompletionCost {
  /** Bytes that completing now would still have to move, from the churn of the last rounds. */
  readonly bytes: number;
  /** Outage to expect in seconds: stop, last changes, seal, start. */
  readonly outageSeconds: number;
}

/** Stop and start of a machine, when nothing was measured yet; seconds. Azure's deallocate takes about a minute. */
const stopAndStartSeconds = 90;

/** What *complete failover* would cost at `now` (epoch ms); undefined before the first round is done. */
export function completionCost(rounds: RoundsStatus | undefined, now: number): CompletionCost | undefined {
  const last = rounds?.recent.at(-1);
  if (!rounds || !last) return undefined;
  const deltas = rounds.recent.filter((round) => round.mode === 'delta');
  const ageMs = Math.max(0, now - Date.parse(last.takenAt));
  const changed = deltas.reduce((sum, round) => sum + round.changedBytes, 0);
  const first = rounds.recent[0];
  const spanMs = first ? Date.parse(last.takenAt) - Date.parse(first.takenAt) : 0;
  const churnPerMs = spanMs > 0 && deltas.length > 0 ? changed / spanMs : 0;
  const bytes = Math.round(churnPerMs * ageMs);
  const moved = rounds.recent.reduce((sum, round) => sum + round.copiedBytes, 0);
  const tookMs = rounds.recent.reduce((sum, round) => sum + round.durationMs, 0);
  const bytesPerSecond = tookMs > 0 ? (moved / tookMs) * 1000 : 0;
  return { bytes, outageSeconds: Math.ceil(stopAndStartSeconds + (bytesPerSecond > 0 ? bytes / bytesPerSecond : 0)) };
}
