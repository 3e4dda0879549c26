/**
 * What the client knows about a run at one moment: the run's own answer, and what the server tells without a worker.
 * Rule: plain JSON-safe data, so that showing it is a pure function of it and `--json` prints it as it is.
 */
import type { CompletionForecast, CopyForecast, OutageForecast } from '../model/forecast.ts';
import type { TransferProgress } from '../model/progress.ts';
import type { RoundsStatus, Status } from '../model/status.ts';

export interface Pending {
  /** Activity type, as the Temporal UI shows it. */
  readonly activity: string;
  readonly workflowId: string;
  /** Unique among the pending ones of its workflow: `transfer-os`. */
  readonly activityId: string;
  readonly attempt: number;
  /** An operator paused it in Temporal. */
  readonly paused: boolean;
  /** As Temporal recorded it. */
  readonly pausedBy?: { readonly by?: string; readonly reason?: string; readonly since?: string };
  /** What it says it is doing. */
  readonly doing?: string;
  /** Why the attempt before failed; absent on a first attempt. */
  readonly lastFailure?: string;
  /** The attempt before found no place on its mover: none was in vain, and its turn comes. */
  readonly noPlace?: true;
  /** ISO 8601; absent until the first heartbeat. */
  readonly lastHeartbeatAt?: string;
  /** The server was told to cancel it, and its worker has not ended it yet. */
  readonly cancelling?: true;
  /** After so many seconds without a heartbeat the server gives the attempt up; absent where it never does. */
  readonly silenceSeconds?: number;
  /** ISO 8601: when the last heartbeat came, or the attempt began; absent while nobody works on it. */
  readonly heardAt?: string;
  /** ISO 8601: when it is given up for good, however often it was tried; absent where it never is. */
  readonly givenUpAt?: string;
  /** The task queue its worker serves; absent where the server does not say. */
  readonly queue?: string;
  /** ISO 8601: since when it waits for a worker to take it; absent while one works on it, and in the pause before a retry. */
  readonly waitsSince?: string;
}

/** `activity` and the rest as in Pending. */
export interface WaitingStep extends Pick<Pending, 'activity' | 'activityId' | 'givenUpAt'> {
  /** ISO 8601. */
  readonly since: string;
}

/** A worker the run needs and that nobody runs, as far as the server can tell. */
export interface MissingWorker {
  readonly queue: string;
  /** ISO 8601: when it last asked for work; absent when the server remembers nobody. */
  readonly lastSeenAt?: string;
  /** Steps that wait for it, the oldest first. */
  readonly waiting: readonly WaitingStep[];
  /** What to type on its computer. */
  readonly start: string;
}

export type Execution =
  | 'running'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'terminated'
  | 'timed out'
  | 'continued'
  | 'paused'
  | 'unknown';

export interface View {
  readonly machine: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly execution: Execution;
  readonly startedAt: string;
  readonly closedAt?: string;
  /** The run's own status; absent when no worker answered. */
  readonly status?: Status;
  /** What still exists on the source, as the run observed it at its end. */
  readonly remains?: readonly string[];
  /** The phase by the search attribute, known even without a worker. */
  readonly phaseSeen?: string;
  /** Name of the mover that has the machine, known even without a worker. */
  readonly moverSeen?: string;
  /** The machine's last commit, by this run or by one before it: the run, and when it ended (ISO 8601). */
  readonly committed?: { readonly run: string; readonly at: string };
  /** Why `status` is absent, and what to do. */
  readonly silent?: string;
  readonly rounds?: RoundsStatus;
  readonly transfers: readonly TransferProgress[];
  readonly pending: readonly Pending[];
  /** Workers without which the run stands; absent when none is missing. */
  readonly missing?: readonly MissingWorker[];
  /** How long nobody served in this run, all its outages together, in milliseconds up to this look; absent without any. */
  readonly outageMs?: number;
  /** What completing now would cost; only where a completion is still to come. */
  readonly forecast?: CompletionForecast;
  /** The outage to expect, without what is left to move; only until the first round is done, of a run that still comes to it. */
  readonly outageAhead?: OutageForecast;
  /** How long the outage that is under way will have lasted in the end; absent while its end cannot be told. */
  readonly outageInAll?: OutageForecast;
  /** How long the copy that is under way will take. */
  readonly copy?: CopyForecast;
}

/** Open: something may still change. */
export const isOpen = (view: Pick<View, 'execution'>): boolean =>
  view.execution === 'running' || view.execution === 'paused';

/** Whether a value is a status, as far as the client relies on it. Results of other workflow types are not. */
export function isStatus(value: unknown): value is Status {
  if (typeof value !== 'object' || value === null) return false;
  const some = value as Partial<Status>;
  return (
    typeof some.machine === 'string' &&
    typeof some.phase === 'string' &&
    typeof some.run === 'string' &&
    Array.isArray(some.record) &&
    Array.isArray(some.disks) &&
    Array.isArray(some.refusals)
  );
}

/** What a run left behind as its result, as far as it can be read: its last status and what remains on the source. */
export function resultOf(value: unknown): Pick<View, 'status' | 'remains'> {
  if (isStatus(value)) return { status: value };
  if (typeof value !== 'object' || value === null) return {};
  const { status, remains } = value as { status?: unknown; remains?: unknown };
  if (!isStatus(status)) return {};
  return { status, ...(Array.isArray(remains) ? { remains: remains.map(String) } : {}) };
}
