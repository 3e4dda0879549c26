/**
 * What an attempt has in its hands while it holds a disk: target, record, memory, lock, fence.
 * Rule: S8, everything here belongs to one attempt and ends with it; taken in one order (attempt, lock, target,
 * record) and given back in the reverse one. Never hands out a disk that another live process holds.
 */
import { Failure, transient } from '../model/failure.ts';
import type { TransferProgress } from '../model/progress.ts';
import { asBackgroundAttempt, asOnlyAttempt } from './attempts.ts';
import { processPool, withSector } from './block-pool.ts';
import type { Digest } from './digest.ts';
import { DiskLock } from './disk-lock.ts';
import { DiskMemory, laneLimit } from './disk-memory.ts';
import { sharedFence } from './fence.ts';
import { type Geometry, geometryOf } from './geometry.ts';
import { IoWatch } from './io-watch.ts';
import { LeafFile } from './leaf-file.ts';
import { closeView, type Ledger, type LedgerView, viewLedger } from './ledger.ts';
import { type OpenMarker, openMarker } from './open-marker.ts';
import type { PointReader } from './point-reader.ts';
import { ProgressMeter } from './progress-meter.ts';
import { ensureStateFolder, type StateFolder, stateFolder } from './state-folder.ts';
import { TargetHandle } from './target-handle.ts';
import { Withholding } from './withhold.ts';

export interface TargetDiskOptions {
  /** A block device or a flat disk file of exactly `sizeBytes`. */
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * Answers where the disk is now; asked once `path` is open. A kernel gives the name of a device that was pulled to the next
   * one, but never that of one that is open. `signal` ends the look, with its reason.
   */
  locate?(signal: AbortSignal): Promise<string>;
  /** The disk's key within its machine: `os`, `data-0`. */
  readonly disk: string;
  readonly machine: string;
  readonly run: string;
  /** The mover's own folder; survives restarts, is not on the target. */
  readonly stateDir: string;
  /** Blocks fetched at once, 1 to 6 (L2 bounds it); default 6. */
  readonly inFlight?: number;
  /** Where the attempt stands among those of this process, as Temporal handed them over (disk/attempts.ts). */
  readonly order?: number;
  /** After so long without an answer of the target or of the state folder the attempt is given up; the default suits, a shorter one is for tests. */
  readonly ioDeadlineMs?: number;
  /** Inside a cutover: its blocks are served before those of other disks (L5). */
  readonly urgent?: boolean;
  /** How many movers had the disk before this one in this run; default 0. */
  readonly handovers?: number;
  /** How often the target had the disk in use in this run, each time after a seal; default 0. */
  readonly uses?: number;
  /** How often in this run a disk was found to be elsewhere than it was opened, so that all are copied anew; default 0. */
  readonly anew?: number;
  /** False: do not even try to go past the page cache. For file systems that accept O_DIRECT and then fail. */
  readonly direct?: boolean;
  /** Hears what an operator should know and no error says, for example that O_DIRECT is not available. */
  note?(text: string): void;
}

/** What every attempt on a disk is told, whatever it does there. */
export interface DiskTask extends TargetDiskOptions {
  readonly signal: AbortSignal;
  report(progress: TransferProgress): void;
  /**
   * Awaited before each range of `bytes` is asked of the source, so that a limit can hold it back. Rejects with the
   * signal's reason when it fires; whatever else it throws ends the attempt.
   */
  pace?(bytes: number, signal: AbortSignal): Promise<void>;
  /**
   * S8: awaited before each change of the target, and before the record is made to go on. Rejects when the attempt may have
   * been given up, so that another one, of any mover, may have the disk; with the signal's reason when that fires while it waits.
   */
  assure?(signal: AbortSignal): Promise<void>;
}

/** What brings a disk to a point, and knows which one that is. */
export interface PointWork extends DiskTask {
  readonly point: string;
}

export interface DiskWork extends PointWork {
  readonly source: PointReader;
  /** The bytes a second that changes are to be planned for; asked once, before their list is read. Undefined: as many as can. */
  limitedTo?(): number | undefined;
  /** Called once a list of changes turns out longer than most are, before it is read on; what it throws ends the attempt. */
  long?(): void;
  /** Hears, once the list of changes is read, how many bytes of memory it takes until the attempt ends. */
  listed?(bytes: number): void;
}

/** An attempt's means before it is known what the disk holds. */
export interface Grip<Task extends DiskTask = DiskWork> {
  readonly options: Task;
  readonly subject: string;
  readonly geometry: Geometry;
  readonly folder: StateFolder;
  readonly memory: DiskMemory;
  readonly target: TargetHandle;
  readonly withholding: Withholding;
  readonly lock: DiskLock;
  readonly leafFile: LeafFile;
  readonly view: LedgerView;
  readonly marker: OpenMarker | undefined;
  readonly signal: AbortSignal;
  readonly meter: ProgressMeter;
  /** S8: the attempt's leave to change anything; see `DiskTask`. */
  assure(): Promise<void>;
}

/** A disk whose record goes on: from here bytes may be written. */
export interface HeldDisk<Task extends DiskTask = DiskWork> extends Grip<Task> {
  readonly ledger: Ledger;
  readonly digest: Digest;
  /** The marker with this attempt's epoch. */
  readonly own: OpenMarker;
  /** S8: asked right before each block's write, and before each step of a seal. */
  fence(): Promise<void>;
}

export const lanesOf = (options: TargetDiskOptions): number =>
  Math.max(1, Math.min(laneLimit, Math.floor(options.inFlight ?? laneLimit)));

export function ownMarker(options: TargetDiskOptions, id: string, epoch: number): OpenMarker {
  const { machine, disk, run, handovers = 0 } = options;
  return openMarker({ id, machine, disk, run, epoch, handovers });
}

const isFenced = (error: unknown): error is Failure => error instanceof Failure && error.kind === 'Fenced';

export function hold<Task extends DiskTask>(grip: Grip<Task>, ledger: Ledger, digest: Digest): HeldDisk<Task> {
  const own = ownMarker(grip.options, ledger.state.id, ledger.state.epoch);
  grip.meter.epoch = own.epoch;
  const fence = sharedFence(async () => {
    try {
      // At once, and both to their end: the next look uses the same sector.
      const looks = await Promise.allSettled([grip.lock.check(), grip.withholding.check(own)]);
      const errors = looks.flatMap((look) => (look.status === 'rejected' ? [look.reason as unknown] : []));
      // That the disk is another's outranks what hindered the other look.
      if (errors.length > 0) throw errors.find(isFenced) ?? errors[0];
    } catch (error) {
      if (isFenced(error)) ledger.end(error);
      throw error;
    }
  });
  return { ...grip, ledger, digest, own, fence };
}

/** S3: what a proof says of how the disk was read back; `again`: this attempt has read all of it once more. */
export const readBackBy = (
  { ledger, target }: Pick<HeldDisk<DiskTask>, 'ledger' | 'target'>,
  again = false,
): { cached?: true } => (ledger.state.direct || (again && target.direct) ? {} : { cached: true });

/** Runs `work` as the only attempt on the disk, in this process and on this machine; an older one of ours is stopped. */
export async function withGrip<Task extends DiskTask, T>(
  options: Task,
  work: (grip: Grip<Task>) => Promise<T>,
): Promise<T> {
  const { path, subject, begin, gaveUp } = prepare(options, 'waiting', work);
  return asOnlyAttempt(path, subject, options.signal, begin, { gaveUp, order: options.order });
}

/** The same for work that only reads, in the background: undefined when another attempt has the disk or wants it. */
export async function withSpareGrip<Task extends DiskTask, T>(
  options: Task,
  work: (grip: Grip<Task>) => Promise<T>,
): Promise<T | undefined> {
  const { path, subject, begin, gaveUp } = prepare(options, 'scrubbing', work);
  // One scrub lives beside many rounds, so that it was handed over before them says nothing.
  return asBackgroundAttempt(path, subject, options.signal, begin, { gaveUp });
}

/** S8: what was opened by its name is the disk that was asked for, and not what was plugged in for it meanwhile. */
async function assertStillThere(
  { path, locate }: TargetDiskOptions,
  subject: string,
  signal: AbortSignal,
): Promise<void> {
  const now = (await locate?.(signal)) ?? path;
  if (now === path) return;
  const message = `the disk was found at ${path}, but by the time that was open it was at ${now}`;
  const hint = 'Nothing was written; the next attempt looks for it again.';
  throw transient({ op: 'target.open', subject, message, hint });
}

function prepare<Task extends DiskTask, T>(
  options: Task,
  stage: TransferProgress['stage'],
  work: (grip: Grip<Task>) => Promise<T>,
) {
  const subject = `${options.machine}/${options.disk}`;
  const geometry = geometryOf(options.sizeBytes, subject);
  const folder = stateFolder(options.stateDir, options.machine, options.disk);
  const meter = new ProgressMeter(options.disk, options.report.bind(options));
  meter.enter(stage, options.sizeBytes);
  const io = new IoWatch(subject, options.ioDeadlineMs);
  const attempt = async (signal: AbortSignal): Promise<T> => {
    await ensureStateFolder(folder, subject);
    const lock = await DiskLock.take(folder.lock, subject);
    try {
      return await withSector(async (sector) => {
        const { path, sizeBytes, direct = true } = options;
        const memory = new DiskMemory(processPool(), options.machine, options.urgent ?? false, sector);
        io.gaveUp.catch((reason: unknown) => memory.writeOff(reason));
        const assure = async (): Promise<void> => options.assure?.(signal);
        const target = await TargetHandle.open({ path, sizeBytes, subject, direct, sector, assure });
        const leafFile = new LeafFile(folder.leaves, (text) => options.note?.(text));
        try {
          signal.throwIfAborted();
          await assertStillThere(options, subject, signal);
          if (!target.direct) {
            options.note?.(`${path} cannot be read past the page cache: read-backs prove the kernel's word only (S3)`);
          }
          const withholding = new Withholding(target, geometry, sector, subject);
          const view = await viewLedger(folder, subject);
          try {
            const marker = await withholding.readMarker();
            signal.throwIfAborted();
            const held = { subject, geometry, folder, memory, target, withholding, lock, leafFile, view, marker };
            return await work({ options, ...held, signal, meter, assure });
          } finally {
            await closeView(view);
          }
        } finally {
          await leafFile.close();
          await target.close();
        }
      });
    } finally {
      await lock.release();
    }
  };
  const begin = (signal: AbortSignal): Promise<T> => io.during(() => attempt(signal));
  return { path: folder.path, subject, begin, gaveUp: io.gaveUp };
}
