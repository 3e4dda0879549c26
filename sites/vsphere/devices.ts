/**
 * Reads a machine's device list: which disks hang where, which slots are free, what kinds we cannot bring home.
 * Rule: pure; it decides by backing types and keys, never by labels.
 */
import type { TargetDisk } from '../../model/machine.ts';
import { isA, type Vim } from './wire/shapes.ts';

export type Device = Vim<'VirtualDevice'>;

export interface AttachedDisk extends TargetDisk {
  /** The device key, needed to unplug it. */
  readonly key: number;
  readonly controllerKey: number;
  readonly unit: number;
  readonly diskMode: string;
  /** Files this disk is layered on (linked clones, snapshots), nearest first. */
  readonly parents: readonly string[];
  /** Why we cannot carry this disk; absent when we can. */
  readonly unsupported?: string;
}

export interface Slot {
  readonly controllerKey: number;
  readonly unit: number;
}

/** SCSI unit 7 is the controller itself. */
const reservedUnit = 7;
/** 0 to 15 works on every SCSI controller; some take more on newer hardware, which we do not count on. */
const unitsPerController = 16;

export const slotName = (slot: Slot): string => `${slot.controllerKey}:${slot.unit}`;

export function parseSlot(name: string): Slot | undefined {
  const match = /^(\d+):(\d+)$/.exec(name);
  return match ? { controllerKey: Number(match[1]), unit: Number(match[2]) } : undefined;
}

function parentsOf(backing: Vim<'VirtualDiskFlatVer2BackingInfo'> | undefined): string[] {
  const files: string[] = [];
  for (let at = backing?.parent; at; at = at.parent) if (at.fileName) files.push(at.fileName);
  return files;
}

function unsupportedReason(disk: Vim<'VirtualDisk'>): string | undefined {
  const { backing } = disk;
  if (!isA(backing, 'VirtualDiskFlatVer2BackingInfo'))
    return `its backing is ${backing?.$type ?? 'unknown'} (raw device mapping or another special kind)`;
  if (backing.sharing === 'sharingMultiWriter') return 'it is shared by several machines';
  if (backing.keyId) return 'it is encrypted';
  if (backing.parent) return 'it is layered on another disk (snapshot or linked clone)';
  return undefined;
}

function attachedDisk(disk: Vim<'VirtualDisk'>): AttachedDisk {
  const file = isA(disk.backing, 'VirtualDeviceFileBackingInfo') ? (disk.backing.fileName ?? '') : '';
  const flat = isA(disk.backing, 'VirtualDiskFlatVer2BackingInfo') ? disk.backing : undefined;
  const slot = { controllerKey: disk.controllerKey ?? -1, unit: disk.unitNumber ?? -1 };
  const unsupported = unsupportedReason(disk);
  return {
    ...slot,
    key: disk.key ?? -1,
    slot: slotName(slot),
    file,
    sizeBytes: disk.capacityInBytes ?? (disk.capacityInKB ?? 0) * 1024,
    uuid: flat?.uuid ?? '',
    diskMode: flat?.diskMode ?? '',
    parents: parentsOf(flat),
    ...(unsupported !== undefined && { unsupported }),
  };
}

export const bySlot = (one: Slot, other: Slot): number =>
  one.controllerKey - other.controllerKey || one.unit - other.unit;

/** The virtual disks in slot order. */
export const disksOf = (devices: readonly Device[]): AttachedDisk[] =>
  devices
    .filter((device) => isA(device, 'VirtualDisk'))
    .map(attachedDisk)
    .sort(bySlot);

/** Free places on the SCSI controllers that exist; a controller is never added to a running machine. */
export function freeSlots(devices: readonly Device[]): Slot[] {
  const taken = new Set(devices.map((device) => `${device.controllerKey}:${device.unitNumber}`));
  const free: Slot[] = [];
  for (const controller of devices) {
    if (!isA(controller, 'VirtualSCSIController') || controller.key === undefined) continue;
    // A disk on a bus that several machines share can be reached by them: not ours to use.
    if (controller.sharedBus !== undefined && controller.sharedBus !== 'noSharing') continue;
    for (let unit = 0; unit < unitsPerController; unit++)
      if (unit !== reservedUnit && !taken.has(`${controller.key}:${unit}`))
        free.push({ controllerKey: controller.key, unit });
  }
  return free.sort(bySlot);
}

/** `[ds] folder/disk.vmdk` in its parts; undefined when it is not written so. */
export function parseDatastorePath(path: string): { readonly datastore: string; readonly file: string } | undefined {
  const match = /^\[([^\]]+)\] *(.+)$/.exec(path);
  return match?.[1] && match[2] ? { datastore: match[1], file: match[2] } : undefined;
}
