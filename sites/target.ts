/**
 * The port to the side the machine comes home to. A world (vSphere today) implements it.
 * Rule: every `ensure…` is safe twice; a target disk that is open hangs on the mover and on nothing else (S4).
 * Never destroys a machine that holds a disk or was not made by the run, never deletes a disk without our mark.
 */
import type { Check } from '../model/check.ts';
import type { NewMachine } from '../model/creation.ts';
import type { DiskPair, OpenDisk, SourceHardware, TargetMachine, WriteWay } from '../model/machine.ts';
import type { Platform } from '../model/origin.ts';
import type { WriteSample } from '../model/written.ts';
import type { GuestAccess, GuestScriptRequest, StartGuard, Work } from './source.ts';

export interface TargetRequest {
  readonly path: string;
  readonly run: string;
  readonly machine: string;
  readonly write: WriteWay;
  readonly pairs: readonly DiskPair[];
  /** Path of the mover appliance on the same site. */
  readonly mover: string;
  /** With the way `created` only: the machine that the run makes at the path. */
  readonly machineToMake?: NewMachine;
  /** The disks as they were opened last; absent before they were. By their UUIDs they are known where somebody moved them. */
  readonly open?: readonly OpenDisk[];
  /** The earlier run whose staged disks may be deleted: a person said it. What any other run staged stays (S5). */
  readonly discards?: string;
}

export interface ReopenRequest extends TargetRequest {
  /** How often the target had the disks in use in this run, this time included. */
  readonly uses: number;
  /** The return of before was never seen done, and nothing was started: the disks may hang on nothing. */
  readonly halfWay?: boolean;
}

/** Of one arrival: what comes after the disks were taken off for the next one is Fenced (S8). */
export interface ReturnRequest extends TargetRequest {
  /** How often the target had the disks in use in this run before this return; absent: never. */
  readonly uses?: number;
}

export interface TargetPower {
  readonly path: string;
  readonly run: string;
  /** The run makes the machine itself: whatever else stands at the path is not meant. */
  readonly made?: boolean;
  /** The disks that were returned to it: whoever holds them may be what runs, whatever stands at the path or carries the record. */
  readonly open?: readonly OpenDisk[];
  /** Where the mover stands that has them while they are open: it alone holds them and does not run with them. */
  readonly mover?: string;
}

export interface TargetStop extends TargetPower {
  /** How often the target had had the disks in use when this stop was wanted: a later arrival is not its to stop (S8). */
  readonly uses?: number;
  /** S5: no start of the run has started it. One that runs all the same was started by somebody else, and is refused. */
  readonly neverStarted?: true;
}

export type TargetStart = TargetPower & StartGuard;

export interface WritesRequest extends TargetPower {
  /** Only what was written later, ISO 8601 by the site's clock; absent: since the machine was switched on. */
  readonly after?: string;
}

export interface Writes {
  /** When the machine was switched on last, ISO 8601 by the site's clock; absent where the site does not say. */
  readonly startedAt?: string;
  /** Of all its disks together, as far back as the site keeps them. */
  readonly samples: readonly WriteSample[];
}

/** What only some policies want at home. */
export interface ArrivalWish {
  /** The run gives scripts to the guest at home. */
  readonly scripts?: boolean;
  /** The machine boots apart from everybody first. */
  readonly prove?: boolean;
}

export interface TargetPreflight extends ArrivalWish {
  readonly path: string;
  readonly mover: string;
  readonly write: WriteWay;
  readonly diskSizesBytes: readonly number[];
  /** The run that asks again while it is under way: what it has made itself is not in its own way. */
  readonly run?: string;
  /** As of `TargetRequest`. */
  readonly discards?: string;
  /** It is not the run itself that asks: what it has started at home already runs rightly. */
  readonly beside?: boolean;
  /** What comes home, as far as the source said; absent while the source cannot be seen. */
  readonly source?: SourceHardware & { readonly nics: number };
}

export interface OpenedRequest extends TargetRequest {
  /** The disks as they were opened. */
  readonly open: readonly OpenDisk[];
}

/** An alternate location, before anything is made there. */
export interface NewPlacePreflight extends ArrivalWish {
  readonly path: string;
  /** Of a run that is under way: what it has made is its own, and takes nothing from it. */
  readonly run?: string | undefined;
  readonly mover: string;
  readonly pairs: readonly DiskPair[];
  readonly machine: NewMachine;
}

/** A mover that is to carry disks which are there already. */
export interface MoverPreflight {
  readonly mover: string;
  readonly datastores: readonly string[];
  readonly diskSizesBytes: readonly number[];
  /** The machine that the run has made and that these disks are for, and what is wanted of it. */
  readonly made?: ArrivalWish & { readonly path: string; readonly run: string };
}

export interface TargetSite extends GuestAccess {
  readonly site: string;
  /** What this world can do, declared so that nobody has to ask which world it is. */
  readonly capabilities: { readonly write: readonly WriteWay[]; readonly platform: Platform };
  /**
   * With `run`: the machine that carries this run's mark, wherever it stands, before the one at the path. `made`: only that
   * one, because the run makes it itself. `absent`: it is not found, which says nothing of its power once it was given disks.
   */
  observeMachine(path: string, work: Work, run?: string, made?: boolean): Promise<TargetMachine>;
  /**
   * The machine that the disks were returned to, for its power: the one with the run's record, else whoever holds the disks.
   * Refused when it is not found: it may run where this account does not see it (S1).
   */
  observeReturnedPower(request: TargetPower, work: Work): Promise<TargetMachine>;
  /** Named checks of this side: reachability, rights, power, snapshots, sizes, space, the mover. Changes nothing. */
  preflight(request: TargetPreflight, work: Work): Promise<Check[]>;
  /** The same for an alternate location: place, networks, datastore, names, ids, rights to make the machine there. */
  preflightNewPlace(request: NewPlacePreflight, work: Work): Promise<Check[]>;
  /** Only the mover's part of it. */
  preflightMover(request: MoverPreflight, work: Work): Promise<Check[]>;
  /**
   * In place: records the originals on the target machine, takes them off it, plugs them into the mover.
   * Staged: makes new disks of the same sizes beside the originals and plugs those into the mover.
   * Created: makes the machine, without a disk, and new disks in its folder, and plugs those into the mover.
   * Refuses when the machine is not stopped or when it, or the mover, has a snapshot.
   */
  ensureDisksOpen(request: TargetRequest, work: Work): Promise<OpenDisk[]>;
  /**
   * Named checks whether all still stands as it was opened: the machine off, without snapshots, with its record; each
   * open disk on the mover, as the file it was. Changes nothing.
   */
  observeOpened(request: OpenedRequest, work: Work): Promise<Check[]>;
  /**
   * S5: from here on the disks may be the last copy of the machine, and its record says so (`sealed`), whatever comes of the
   * next steps. Changes nothing where the record is not open, is another run's or of a newer use than `uses`, or went with
   * the new disks. Refused when no machine carries one while the disks are the originals.
   */
  ensureSealedRecorded(request: ReturnRequest, work: Work): Promise<void>;
  /**
   * After the seal: unplugs the disks from the mover, if it is still there. They then hang on nothing, or, when an earlier
   * try got further than it could tell, on the target that carries this run's mark.
   */
  ensureDisksReleased(request: ReturnRequest, work: Work): Promise<void>;
  /**
   * Before another mover gets the disks: none of this run's hangs on this mover any more, which is what really keeps a
   * late attempt on it from writing (S8). Safe before they were opened, and when the mover itself is gone. Refused before
   * anything is unplugged when one of `open` is another file by now.
   */
  ensureMoverLeft(request: TargetRequest, work: Work): Promise<void>;
  /** Plugs the sealed disks into the target machine in the originals' slots (staged: the originals are unplugged, kept). */
  ensureDisksReturned(request: ReturnRequest, work: Work): Promise<TargetMachine>;
  /**
   * Before the source is deleted: the run's machine, with its power. Refused when it is gone, is not `returned`, or does not
   * hold every disk in `open`.
   */
  observeReturned(request: OpenedRequest, work: Work): Promise<TargetMachine>;
  /** Whether the next could be done if the machine were off: Refused or Fenced with the reason if not. Changes nothing. */
  observeReopening(request: ReopenRequest, work: Work): Promise<void>;
  /**
   * After the machine was observed off: takes the sealed disks off it and plugs them into the mover again. Refused when it
   * runs, has a snapshot, or holds other disks instead; Fenced when `uses` is a number of before.
   */
  ensureDisksReopened(request: ReopenRequest, work: Work): Promise<OpenDisk[]>;
  /**
   * The undo of all of the above. Staged: staged disks unplugged everywhere and deleted, originals back in their slots.
   * Created: the new disks are deleted, and then the machine, which has to hold no other disk.
   * In place: the disks hang on nothing, the machine keeps the record of them (a later run repairs them).
   * A disk that somebody moved is known by its UUID: in place it goes like the others, and the record says where it lies; a
   * new one is Refused before anything is changed, because no file is deleted under a name that the run did not give (S2).
   * Answers what stays, and a sentence when the machine is gone or carries another run's record; no disk of this run
   * hangs on the mover then either. Fenced while the mover holds these disks for another run.
   */
  ensureDisksAbandoned(request: TargetRequest, work: Work): Promise<string[]>;
  /** Starts the machine that carries this run's mark; another one that stands at its path is refused. */
  ensureStarted(request: TargetStart, work: Work): Promise<TargetMachine>;
  /**
   * Starts it apart from everybody: on the site's isolated network, with disks that forget what is written. Refused when
   * the machine runs already, or cannot be put back as it is afterwards.
   */
  ensureProofStarted(request: TargetStart, work: Work): Promise<TargetMachine>;
  /** Ends that: powered off, connected and writing as before. Fine when it never began; Refused when it is not found. */
  ensureProofEnded(request: TargetPower, work: Work): Promise<TargetMachine>;
  /**
   * The undo of the start. Bars the machine of this run from being started any more (S4), so that a late attempt to start
   * it fails, and then stops it. A machine that does not carry this run's mark is refused and left as it is. So is one that
   * is not found: it may run where this account does not see it (S1).
   */
  ensureStopped(request: TargetStop, work: Work): Promise<TargetMachine>;
  /** What the run's machine has written to its disks, by the site's own counter. Refused where the site has none. */
  observeWrites(request: WritesRequest, work: Work): Promise<Writes>;
  /** Runs a script anew and answers its exit code; of it nothing is kept. Transient while the agent is away. */
  runLook(request: Omit<GuestScriptRequest, 'key'>, work: Work): Promise<number>;
  /** After commit: removes our marks from the machine. Returns what stays on purpose (staged: the originals' files). */
  ensureFinished(request: TargetRequest, work: Work): Promise<string[]>;
}

/** The mover's view of a target: which local device is that disk? Exactly one must match, or it refuses. */
export interface DeviceFinder {
  readonly site: string;
  findDevice(disk: OpenDisk, work: Work): Promise<string>;
}
