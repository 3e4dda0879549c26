/**
 * What the witness sees of the two worlds at one moment, in words of its own, and the effects it is told of.
 * Rule: plain values, so that a test can write a world down by hand.
 * Never holds a grant's address, a password or a token.
 */

export type AzurePower = 'starting' | 'running' | 'stopping' | 'stopped' | 'deallocating' | 'deallocated';

export interface AzureVm {
  readonly name: string;
  readonly power: AzurePower;
  /** Names of its disks: the OS disk first, then the data disks by LUN. */
  readonly disks: readonly string[];
}

export interface RestorePointCollectionView {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly points: readonly {
    readonly name: string;
    /** Of the application inside: the highest sequence number at its moment. */
    readonly newestRecord?: number | undefined;
    readonly disks: readonly { readonly name: string; readonly source: string }[];
  }[];
}

export interface AzureView {
  readonly vms: readonly AzureVm[];
  readonly disks: readonly string[];
  readonly nics: readonly string[];
  readonly snapshots: readonly { readonly name: string; readonly tags: Readonly<Record<string, string>> }[];
  /** Oldest point first. */
  readonly restorePointCollections?: readonly RestorePointCollectionView[];
  /** Names of the disks, snapshots and disk restore points on which a grant (SAS) is active. */
  readonly grants: readonly string[];
}

export interface VsphereDisk {
  /** `[lab-ds] erp-db/erp-db.vmdk` */
  readonly file: string;
  /** The flat file on this machine. */
  readonly path: string;
  readonly sizeBytes: number;
}

export interface VsphereVm {
  readonly name: string;
  readonly power: 'on' | 'off' | 'suspended';
  /** In slot order. */
  readonly disks: readonly VsphereDisk[];
  readonly tools: string;
  readonly snapshots: number;
}

export interface WorldView {
  readonly azure: AzureView;
  readonly vsphere: { readonly vms: readonly VsphereVm[] };
}

/** One completed change in the outside world, as a simulator tells it. */
export interface Effect {
  readonly world: 'azure' | 'vsphere';
  readonly op: string;
  /** vSphere: the machine it was done to. */
  readonly vm?: string | undefined;
  /** vSphere: the disk file, as a datastore path. */
  readonly file?: string | undefined;
  /** Azure: the resource, `disks/erp-db-os`. */
  readonly resource?: string | undefined;
  readonly at?: string | undefined;
}

/** A machine the witness watches: which source and target belong together. */
export interface WatchedMachine {
  readonly name: string;
  /** Names in Azure. */
  readonly source: { readonly vm: string; readonly disks: readonly string[]; readonly nics: readonly string[] };
  /** Name of the vSphere VM it comes home to, and of the movers, one of which carries it. */
  readonly target: string;
  readonly movers: readonly string[];
}

export interface Violation {
  /** The promise that was broken: S1 … S14. */
  readonly invariant: string;
  readonly machine: string;
  /** The effect after which it was seen, in words; `end` for the final check. */
  readonly effect: string;
  /** What was seen. */
  readonly seen: string;
}

export const effectWords = (effect: Effect): string =>
  [effect.world, effect.op, effect.vm, effect.file, effect.resource].filter((word) => word !== undefined).join(' ');

export const sourceVm = (view: WorldView, machine: WatchedMachine): AzureVm | undefined =>
  view.azure.vms.find((vm) => vm.name === machine.source.vm);

export const targetVm = (view: WorldView, machine: WatchedMachine): VsphereVm | undefined =>
  view.vsphere.vms.find((vm) => vm.name === machine.target);

/** Whether the source may be writing: anything but deallocated, stopped or gone. */
export const mayRun = (vm: AzureVm | undefined): boolean =>
  vm !== undefined && vm.power !== 'deallocated' && vm.power !== 'stopped';

export const deallocated = (vm: AzureVm | undefined): boolean => vm?.power === 'deallocated';
