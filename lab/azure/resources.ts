/**
 * What lies in the simulated subscription: machines, disks, snapshots, network interfaces.
 * Rule: plain values; what may happen to them is decided in world.ts and the files beside it.
 */
import type { Powered } from './machine-power.ts';
import type { TrackedDisk } from './tracked-disk.ts';

export interface Machine extends Powered {
  readonly resourceGroup: string;
  readonly vmSize: string;
  readonly vmId: string;
  readonly osType: 'Linux' | 'Windows';
  /** As the agent inside tells, while it runs. */
  readonly osName: string | undefined;
  readonly osVersion: string | undefined;
  readonly tags: Record<string, string>;
  readonly osDisk: string;
  dataDisks: readonly { readonly lun: number; readonly disk: string }[];
  readonly nics: readonly string[];
  /** Disks and NICs that go when it is deleted (deleteOption Delete), `disks/<name>`, `nics/<name>`. */
  readonly goWithIt: ReadonlySet<string>;
  /** Its deletion was accepted and is under way. */
  deleting: boolean;
  /** `Standard` where absent. */
  readonly securityType?: 'TrustedLaunch' | 'ConfidentialVM';
  /** Names of its data disks that are blobs in a storage account and no resources of their own. */
  readonly unmanaged?: ReadonlySet<string>;
  /** Its OS disk lives on the host. */
  readonly ephemeral?: true;
  /** Names of its disks that are written through Write Accelerator. */
  readonly accelerated?: ReadonlySet<string>;
  /** Windows: how the service VMware Tools starts. */
  toolsStart: string;
  /** Whether the guest lets nobody change that. */
  toolsLocked: boolean;
  /** By name, in lower case. */
  readonly runCommands: Map<string, RunCommand>;
}

/** Documented for managed run commands of one machine. */
export const mostRunCommands = 25;

/** How a script ended in a guest. */
export interface ScriptEnd {
  readonly state: 'Succeeded' | 'Failed' | 'TimedOut';
  readonly exitCode: number;
  readonly output: string;
  readonly error: string;
}

export interface RunCommand {
  readonly name: string;
  readonly tags: Record<string, string>;
  readonly script: string;
  readonly asynchronous: boolean;
  readonly timeoutSeconds: number;
  provisioning: 'Updating' | 'Succeeded' | 'Failed';
  startedAt: Date | undefined;
  endedAt: Date | undefined;
  end: ScriptEnd | undefined;
}

/** Where a disk's first bytes came from. */
export interface DiskOrigin {
  readonly createOption: string;
  readonly sourceResourceId?: string;
  readonly uploadSizeBytes?: number;
}

export interface Disk {
  readonly name: string;
  readonly resourceGroup: string;
  readonly uniqueId: string;
  readonly sku: string;
  /** Undefined: Azure does not say it. */
  readonly sectorBytes: number | undefined;
  readonly hyperVGeneration: string | undefined;
  readonly osType: string | undefined;
  readonly timeCreated: string;
  /** Name of the machine that holds it. */
  readonly managedBy: string | undefined;
  readonly origin: DiskOrigin;
  readonly data: TrackedDisk;
  tags: Record<string, string>;
  /** Times of its recent snapshots, for the rate limit. */
  snapshotTimes: number[];
  state: 'Creating' | 'Succeeded' | 'Failed';
  /** When it was last attached or detached, or its machine started or deallocated; absent while it never was. */
  ownershipChangedAt: string | undefined;
  /** How many machines may use it at once. */
  readonly maxShares?: number;
  /** Encrypted inside the guest by Azure Disk Encryption. */
  readonly guestEncrypted?: true;
  /** Resource id of the disk encryption set whose key encrypts it at rest. */
  readonly encryptionSet?: string;
  /** How much of it is filled from the snapshot it was made of. */
  readonly filledPercent?: number;
  /** While it is filled by upload: the footer page, and the number of writes so far. */
  upload: { footer: Buffer; writes: number } | undefined;
}

export interface Snapshot {
  readonly name: string;
  readonly resourceGroup: string;
  readonly uniqueId: string;
  readonly source: Disk;
  readonly sourceId: string;
  readonly timeCreated: string;
  readonly sku: string;
  /** When its background copy began and how long it takes; 0 for disks whose snapshots are complete at once. */
  readonly copy: { readonly startedAt: number; readonly takesMs: number };
  tags: Record<string, string>;
  state: 'Updating' | 'Succeeded' | 'Failed';
}

/** What a VM restore point keeps of one disk. */
export interface DiskRestorePoint {
  /** `<disk>_<guid>`, as the service makes it up. */
  readonly name: string;
  readonly uniqueId: string;
  readonly disk: Disk;
  /** Absent: the OS disk. */
  readonly lun: number | undefined;
}

export interface RestorePoint {
  readonly name: string;
  timeCreated: string | undefined;
  consistencyMode: string | undefined;
  disks: readonly DiskRestorePoint[];
  state: 'Creating' | 'Succeeded' | 'Failed';
  /** Of the application inside: the highest sequence number at its moment. Azure knows nothing of it. */
  newestRecord: number | undefined;
}

export interface RestorePointCollection {
  readonly name: string;
  readonly resourceGroup: string;
  readonly collectionId: string;
  readonly source: Machine;
  readonly sourceId: string;
  tags: Record<string, string>;
  readonly points: Map<string, RestorePoint>;
}

export interface Nic {
  readonly name: string;
  readonly resourceGroup: string;
  /** Another one when it is made anew under the same name. */
  readonly resourceGuid: string;
  readonly mac: string | undefined;
  readonly privateIp: string | undefined;
  readonly subnet: string;
}

export interface EncryptionSet {
  /** Why its key's newest version cannot be taken. */
  readonly rotationError?: string;
}

export interface WantedSnapshot {
  readonly resourceGroup: string;
  readonly name: string;
  readonly source: Disk;
  readonly sourceId: string;
  readonly tags: Record<string, string>;
}

/** A resource's key in the maps of the world; Azure's names do not care about case. */
export const key = (resourceGroup: string, name: string): string => `${resourceGroup}/${name}`.toLowerCase();
