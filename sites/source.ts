/**
 * The port to the side the data comes from. A world (Azure today) implements it; activities use nothing else.
 * Rule: every `ensure…` is safe twice: it looks, decides, acts, looks again. Errors are `Failure`s.
 * Never deletes anything but what carries our own mark, except in `ensureRetired`, which only the commit calls (S2).
 */
import type { PointReader } from '../disk/point-reader.ts';
import type { AgentState, GuestScript, StepRun } from '../model/arrival.ts';
import type { Check } from '../model/check.ts';
import type { SourceShape } from '../model/creation.ts';
import type {
  DiskKey,
  DiskPoint,
  RecoveryPoint,
  SourceDisk,
  SourceMachine,
  SourceNic,
  SourceState,
} from '../model/machine.ts';
import type { EndpointSeen } from '../model/mover-seen.ts';
import type { Around } from '../model/point.ts';

/** What a long call may be told and may tell: when to stop, and how far it is. */
export interface Work {
  readonly signal: AbortSignal;
  /** A short sentence on what is being waited for; also keeps the caller's heartbeat alive. */
  report(detail: string): void;
  /**
   * To be called right before each call that changes the world, with nothing to wait for in between. Throws when the
   * caller was told to stop, or stood still for so long that another attempt may have taken its place (S1).
   */
  mayChange(): void;
  /** To be called behind it where the world has answered that call with a no, so that it changed nothing and never will. */
  changedNothing?(): void;
}

export interface PowerRequest {
  readonly path: string;
  /** The source as it was found. Another machine under its name is neither stopped nor started: op `source-changed`. */
  readonly identity: string | undefined;
}

/** What one side must be asked for, so that it never starts beside the other (S1). */
export interface StartGuard {
  /**
   * Looks at the other side, here and now, and throws unless it is off. Awaited right before each request to start leaves,
   * behind every wait: for other people's tasks, for a machine that is between two states, for a login.
   */
  readonly otherSideOff: () => Promise<void>;
}

export type SourceStart = PowerRequest & StartGuard;

export interface SourcePreflight {
  readonly path: string;
  /** How long after a boot the guest's agent may take to report; 0: it is not asked for. */
  readonly guestAgentWithinSeconds: number;
  /** Absent: the run takes none. */
  readonly applicationPoints?: { readonly everySeconds: number; readonly keep: number };
  /** The run gives scripts to its guest. */
  readonly scripts?: boolean;
}

export interface PointRequest {
  readonly path: string;
  /** The Temporal run that asks; goes into names and tags, so that a second try finds the first one's work. */
  readonly run: string;
  readonly machine: string;
  /** The source as it was found; a machine made anew under its name is refused. */
  readonly identity: string | undefined;
  readonly number: number;
  readonly final: boolean;
  /** All disks of the machine; one that is attached and not named here is refused. */
  readonly disks: readonly SourceDisk[];
}

/** A wish for a moment with the guest's applications held still: after round `number`. */
export type ApplicationPointRequest = Omit<PointRequest, 'final'>;

export interface ReleaseRequest extends PointsOfRun {
  /** Points of this run with a smaller number go, so that a late attempt harms no newer one; `all`: every one. */
  readonly before: number | 'all';
  /** Numbers of older points that stay all the same: those of application-consistent points that are kept. */
  readonly keep?: readonly number[];
}

export interface PointsOfRun {
  readonly path: string;
  readonly run: string;
  readonly machine: string;
  /** Whether the run may have made application-consistent points; where it has not, they are not looked for. */
  readonly applicationPoints?: boolean;
}

export interface RemainsRequest extends PointsOfRun {
  readonly disks: readonly SourceDisk[];
  readonly nics: readonly SourceNic[];
}

export interface RetireRequest extends RemainsRequest {
  /** The source as it was found; a machine made anew under its name stays. */
  readonly identity: string | undefined;
  /** Taken after the source had stopped; a source that was started after it stays. */
  readonly final: RecoveryPoint;
  /** The snapshots of the final point stay, closed: an older point came home and only they hold the rest, or the policy keeps them. */
  readonly keepFinal?: boolean;
}

export interface GuestPlaceRequest {
  readonly path: string;
  readonly run: string;
  /** As the inventory calls it. */
  readonly machine: string;
  readonly shell: GuestScript['shell'];
  /** The run made the machine itself: whatever else stands at the path is not meant. */
  readonly made?: boolean;
}

export interface GuestScriptRequest extends GuestScript, GuestPlaceRequest {}

/** What a world offers of the inside of its machines: the same on both sides. */
export interface GuestAccess {
  /** Whether the agent in the guest takes scripts now. Changes nothing. */
  observeAgent(request: Omit<GuestPlaceRequest, 'shell'>, work: Work): Promise<AgentState>;
  /**
   * Runs the script once for each `key` of a run, however often it is called: a later call waits for the run that the
   * first one began, and answers its end. Transient while the agent is away; Refused when the world will not run it.
   */
  ensureScriptRun(request: GuestScriptRequest, work: Work): Promise<StepRun>;
  /** Removes what the scripts of this run left behind to be found again. Answers what could not be removed, in words. */
  releaseScripts(request: GuestPlaceRequest, work: Work): Promise<string[]>;
}

/** A machine as the run found it. */
export interface WhereaboutsRequest {
  readonly path: string;
  readonly identity: string | undefined;
  readonly disks: readonly SourceDisk[];
}

export interface Whereabouts {
  /** The machine where it is now; what stands at the path where it was not found elsewhere. */
  readonly machine: SourceState;
  /** Its path now, when it was moved. */
  readonly movedTo?: string;
  /** Those of the disks that it does not hold, but that still exist. */
  readonly detached: readonly DiskKey[];
  /** Those that do not exist any more. */
  readonly lost: readonly DiskKey[];
}

export interface SourceSite extends GuestAccess {
  readonly site: string;
  /** Waits for the end of a try that was begun and nobody heard of; undefined when it never was. Begins none. */
  observeScriptRun(request: GuestScriptRequest, work: Work): Promise<StepRun | undefined>;
  observeMachine(path: string, work: Work): Promise<SourceMachine>;
  /** Where the machine and its disks are now, also when it was moved. Hangs neither on its network nor on disks that were attached since. Changes nothing. */
  observeWhereabouts(request: WhereaboutsRequest, work: Work): Promise<Whereabouts>;
  /** Size, firmware and NICs, for a machine that is to be made like it; what this side does not tell is absent. */
  observeShape(path: string, work: Work): Promise<SourceShape>;
  /** Named checks of this side: reachability, rights, power, unsupported disks, snapshot quotas. Changes nothing. */
  preflight(request: SourcePreflight, work: Work): Promise<Check[]>;
  /** Stops the machine so that it can write no more (Azure: deallocate) and returns only after it was observed so. */
  ensureStopped(request: PowerRequest, work: Work): Promise<SourceState>;
  ensureStarted(request: SourceStart, work: Work): Promise<SourceState>;
  /**
   * Makes (or finds) the recovery point `number` of this run: one moment of each disk. Refused with op `source-changed`
   * when the machine or its disks are not those of the request, or when it was started after a final point.
   */
  ensureRecoveryPoint(request: PointRequest, work: Work): Promise<RecoveryPoint>;
  /**
   * Makes (or finds) the application-consistent point after round `number`. Refused with op `application-point` when the
   * site reached less than that, or left a disk out; the points of rounds are not touched by it.
   */
  ensureApplicationPoint(request: ApplicationPointRequest, work: Work): Promise<RecoveryPoint>;
  /** Whether these can still be read: Corrupt when one is gone, or is not the recorded one any more. Changes nothing. */
  observePoints(points: readonly DiskPoint[], work: Work): Promise<void>;
  /** Revokes grants on, and deletes, this run's older recovery points. Returns the names deleted. */
  releaseRecoveryPoints(request: ReleaseRequest, work: Work): Promise<string[]>;
  /**
   * After commit only: deletes the machine, its NICs, its disks and all our recovery points. What it deleted before it
   * failed is told by `observeRemains` alone.
   * Refused with op `source-changed` when the machine ran after the final point, or when it is gone and somebody else
   * deleted it: its disks may then hold what did not come home.
   */
  ensureRetired(request: RetireRequest, work: Work): Promise<void>;
  /** What of ours (by tag), and what of the machine itself, still exists on this side. */
  observeRemains(request: RemainsRequest, work: Work): Promise<string[]>;
}

export interface OpenRequest {
  readonly point: DiskPoint;
  readonly base?: DiskPoint;
  readonly around?: Around;
  readonly disk: DiskKey;
  /** Whose disk it is, for a fair part of what all disks of a mover share; absent: it is alone with its point. */
  readonly machine?: string;
  /** Inside a cutover: served before the others. */
  readonly urgent?: boolean;
  /**
   * While nobody serves, closing the reader waits for nothing: `keep` what it takes to read the point for the next step on
   * it by this process, or `let-go` of it behind the caller's back. Absent: it is given back, and that is
   * waited for until the work is told to stop (L7).
   */
  readonly afterwards?: 'keep' | 'let-go';
}

/** The mover's view of a source: it obtains its own grants, which never leave its process. */
export interface SourceReader {
  readonly site: string;
  /** Each place it will connect to, tried now; what does not answer is in the answer. Changes nothing. */
  observeReach(work: Work): Promise<EndpointSeen[]>;
  /**
   * Opens `point`, with the changes since `base` (whole map when absent). Throws `Corrupt` with op `lineage` when the
   * base is gone or does not fit (S9): a full transfer helps. What is wrong with the point itself has another op.
   * With `around` the changes are those between the two moments of it, read from `point`; `base` and `point` lie between them.
   */
  openPoint(request: OpenRequest, work: Work): Promise<PointReader>;
}
