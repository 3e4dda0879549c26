/**
 * The nouns of a failback as plain values: addresses, disks, recovery points, what was proven.
 * Rule: everything here is JSON-safe, because it travels through workflow history; sizes and offsets are bytes.
 * Never a credential, a SAS or a URL that carries one.
 */

/** Where a machine lives: a site of the inventory and that site's own path to it. */
export interface MachineAddress {
  readonly site: string;
  /** Azure: `resourceGroup/vm`. vSphere: inventory path, `/DC0/vm/erp-db`. */
  readonly path: string;
}

/** Power as last observed. `absent`: no such machine is found. `changing`: on its way, look again. */
export type Power = 'running' | 'stopped' | 'changing' | 'absent';

/** Which disk of the machine: `os`, or `data-<lun>`. Outlives both incarnations. */
export type DiskKey = string;

export interface SourceDisk {
  readonly disk: DiskKey;
  /** The site's id of the disk (Azure: the ARM resource id). */
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** 512 or 4096. */
  readonly sectorBytes: number;
  /** Changes when the disk is made anew under the same name (Azure: `uniqueId`). */
  readonly identity: string;
  readonly sku: string;
}

export interface SourceNic {
  /** The site's id of the network interface (Azure: the ARM resource id). */
  readonly id: string;
  /** Changes when it is made anew under the same name (Azure: `resourceGuid`). */
  readonly identity: string;
}

export interface SourceSystem {
  readonly family: 'windows' | 'linux';
  /** With its version: `Windows Server 2022 Datacenter 10.0.20348`. */
  readonly name?: string;
}

/** How a source machine stands, as it tells by itself: neither its disks nor its network are asked. */
export interface SourceState {
  readonly address: MachineAddress;
  readonly power: Power;
  /** The site's own word for the power state, for people: `PowerState/deallocated`. */
  readonly powerSeen: string;
  /** True when its guest is off or going off though the machine still holds its hardware and so counts as running (S1). */
  readonly guestOff?: boolean;
  /** What its guest runs, as far as the site and an agent in the guest tell. */
  readonly os?: SourceSystem;
  /** It is on its way out of existence. */
  readonly beingDeleted?: true;
  /** Changes when the machine is made anew under the same name (Azure: `vmId`); absent when there is none. */
  readonly identity?: string;
}

/** What the machine is made of on the source, as far as the site says: what stands at home has to fit it. */
export interface SourceHardware {
  /** 1: boots by BIOS; 2: by UEFI. */
  readonly generation?: 1 | 2;
  readonly secureBoot?: boolean;
  /** The site's own word for its size: `Standard_D2s_v5`. */
  readonly size?: string;
  readonly cpus?: number;
  readonly memoryMiB?: number;
}

export interface SourceMachine extends SourceState {
  /** Only while stopped, and where the site can tell: a word that is another one once the machine was started again. */
  readonly stoppedSince?: string;
  readonly disks: readonly SourceDisk[];
  /** For the clean-up after commit. */
  readonly nics: readonly SourceNic[];
  readonly hardware?: SourceHardware;
}

export interface TargetDisk {
  /** The site's name of the place the disk is plugged into, opaque to everyone else (vSphere: `1000:0`). */
  readonly slot: string;
  /** Datastore path: `[ds] erp-db/erp-db.vmdk`. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly uuid: string;
}

export interface Guest {
  /** Whether the guest's agent (VMware Tools, Hyper-V heartbeat) answers. */
  readonly agent: 'running' | 'not-running' | 'not-installed';
  readonly ip?: string;
}

/** A mover: its name (its task queue is `mover-<name>`) and the inventory path of its appliance. */
export interface MoverPlace {
  readonly name: string;
  readonly path: string;
}

/** A mover that carries a machine. */
export interface Carrier extends MoverPlace {
  /** How often the open disks were taken to another mover before; absent: never. S8: a mover with a smaller one is late. */
  readonly handovers?: number;
}

export interface TargetMachine {
  readonly address: MachineAddress;
  /** What it is called by now, which the path need not say; absent when it does not exist. */
  readonly name?: string;
  readonly power: Power;
  readonly powerSeen: string;
  /** Its disks in slot order: those attached now, or the recorded originals while a run holds them detached. */
  readonly disks: readonly TargetDisk[];
  readonly snapshots: number;
  readonly guest: Guest;
  /** The run whose mark the machine carries, when its disks are (or were left) open. */
  readonly markedBy?: string;
  /** The run whose mark the machine carries, whatever that says of its disks: by it alone a run knows its own machine. */
  readonly recordOf?: string;
}

/** A source disk and the target disk it comes home to. */
export interface DiskPair {
  readonly disk: DiskKey;
  readonly source: SourceDisk;
  readonly target: TargetDisk;
}

/** One moment of one disk on the source (Azure: the ARM id of an incremental snapshot or of a disk restore point). */
export interface DiskPoint {
  readonly disk: DiskKey;
  readonly id: string;
  /** Changes when the point is made anew under the same id (Azure: a snapshot's `uniqueId`, a restore point's moment). */
  readonly identity: string;
  readonly sizeBytes: number;
}

/** What journals and proofs call a point: no other moment ever has this name. */
export const pointName = ({ id, identity }: DiskPoint): string => `${id}@${identity}`;

/** One moment of all of a machine's disks on the source. */
export interface RecoveryPoint {
  readonly number: number;
  /** ISO 8601, the source's clock. */
  readonly takenAt: string;
  /** S001-18: what rounds and the latest point are, and what a site reached by holding the applications still. */
  readonly consistency: 'crash' | 'application';
  /** True when it was taken after the source was observed stopped, so that nothing newer can exist. */
  readonly final: boolean;
  /** Of a final one: the source's `stoppedSince`. While the source still says so, it has not run since. */
  readonly sourceStoppedSince?: string;
  /** Of any other: whether the source was seen to serve; absent while it was between two states. */
  readonly sourceServed?: boolean;
  readonly disks: readonly DiskPoint[];
}

/**
 * How the target disks are written: the originals themselves, new disks beside them, or new disks of a machine that the
 * run makes at an alternate location.
 */
export type WriteWay = 'in-place' | 'staged' | 'created';

/** A target disk while it is being written: plugged into the mover and into nothing else. */
export interface OpenDisk {
  readonly disk: DiskKey;
  readonly slot: string;
  readonly file: string;
  readonly sizeBytes: number;
  /** SCSI page 83 identity as the platform shows it, `6000C29x-…`; the mover finds its device by it. */
  readonly uuid: string;
}

/** What one transfer did to one disk, each figure counted by the mover. */
export interface TransferProof {
  readonly disk: DiskKey;
  readonly point: string;
  readonly base?: string;
  readonly mode: 'full' | 'delta';
  /** Bytes the source named as changed. */
  readonly changedBytes: number;
  /** Bytes read from the source in all attempts that ended well, repeats after a kill included. */
  readonly copiedBytes: number;
  readonly zeroedBytes: number;
  /** Bytes read back through a fresh handle and found equal. */
  readonly provenBytes: number;
  /**
   * Only of a disk that was in use since its seal: bytes of leaves of 64 KiB that were no longer what was sealed, so what the
   * machine wrote; what a killed attempt left half written may count too.
   */
  readonly usedBytes?: number;
  /** S3: some of it was read back through the mover's page cache, because the file system refuses O_DIRECT; absent: none. */
  readonly cached?: true;
  /** Bytes an earlier attempt had already proven, not sent again. */
  readonly resumedBytes: number;
  /** By the mover's clock, with what it waited for there; of the attempt that ended well. */
  readonly durationMs: number;
  /** Attempts before the last had begun it, so that `durationMs` is not all that it took. */
  readonly retried?: true;
  /** What all its attempts took together by their movers' clocks, and not what lay between them; absent without others, and where it is not known. */
  readonly workedMs?: number;
  /** The lowest limit it was under when it was done. */
  readonly limit?: { readonly bytesPerSecond: number; readonly by: string; readonly cutover?: 'exempt' };
  /** What was forecast for the whole copy soon after its list was read. */
  readonly forecast?: CopySaid;
}

/** A forecast as it was said, in seconds from the beginning of the attempt. */
export interface CopySaid {
  /** What was to be fetched by the list. */
  readonly listedBytes: number;
  readonly saidAfterSeconds: number;
  readonly seconds: number;
  readonly lowSeconds: number;
  readonly highSeconds: number;
}

/** A sealed disk's proof: the root over all its block digests. */
export interface SealProof {
  readonly disk: DiskKey;
  readonly point: string;
  readonly sizeBytes: number;
  /** A block's digest is that of the digests of its 64 leaves of 64 KiB. */
  readonly algorithm: 'blake3-64k' | 'sha256-64k';
  /** SHA-256 over the ordered (offset, length, digest) list, hex. */
  readonly root: string;
  readonly provenBytes: number;
  /** As in `TransferProof`, of all that it was proven by. */
  readonly cached?: true;
}

/** How a run syncs and writes, as its policy said at the start. */
export interface SyncFacts {
  /** `before`: rounds while the source runs. `during`: one full copy inside the cutover. */
  readonly sync: 'before' | 'during';
  readonly write: WriteWay;
}
