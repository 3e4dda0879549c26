/**
 * The mover's question: which local device or file is that open disk?
 * Rule: exactly one must match, in identity and in size, or it refuses; a mover that guesses writes into the wrong disk.
 * Never creates, grows or mounts anything.
 */
import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { type Failure, refused } from '../../model/failure.ts';
import type { MoverConfig } from '../../model/inventory.ts';
import type { OpenDisk } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import type { DeviceFinder } from '../target.ts';
import { parseDatastorePath } from './devices.ts';
import { codeOf, wordsOf } from './error-code.ts';
import { pause } from './pause.ts';

export interface DeviceFolders {
  /** Where udev names disks by identity. */
  readonly byId: string;
  /** Where the kernel lists block devices, one folder each. */
  readonly blocks: string;
  /** How long udev may take after a hot-add. */
  readonly waitMs: number;
}

const linux: DeviceFolders = { byId: '/dev/disk/by-id', blocks: '/sys/class/block', waitMs: 30_000 };
const sectorBytes = 512;
const longestDescriptor = 65_536;

const no = (disk: OpenDisk, message: string, hint: string): Failure =>
  refused({ op: 'findDevice', subject: disk.file, message, hint });

async function readStart(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(longestDescriptor), position: 0 });
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The extents of a VMDK descriptor: `RW 4096 VMFS "erp-db-flat.vmdk" 0`. */
export function readExtents(
  descriptor: string,
): { readonly sizeBytes: number; readonly kind: string; readonly file: string }[] {
  if (!descriptor.startsWith('# Disk DescriptorFile')) return [];
  return [...descriptor.matchAll(/^RW +(\d+) +(\w+) +"([^"]+)"/gm)].map(([, sectors, kind, file]) => ({
    sizeBytes: Number(sectors) * sectorBytes,
    kind: kind ?? '',
    file: file ?? '',
  }));
}

/** The flat file behind a descriptor on a mounted datastore. */
async function findFlatFile(disk: OpenDisk, mount: string, file: string): Promise<string> {
  const root = resolve(mount);
  const descriptor = resolve(root, file);
  if (!descriptor.startsWith(root + sep))
    throw no(disk, `${disk.file} points outside its datastore`, 'Correct the disk’s path in vCenter.');
  const extents = readExtents(
    await readStart(descriptor).catch((error: unknown) => Promise.reject(unreadable(disk, error))),
  );
  const [extent] = extents;
  if (
    !extent ||
    extents.length !== 1 ||
    !['VMFS', 'FLAT'].includes(extent.kind) ||
    basename(extent.file) !== extent.file
  )
    throw no(
      disk,
      'its descriptor does not name one flat extent',
      'Only plain (thin or thick) disks can be written on a mounted datastore: plug this one into the mover instead.',
    );
  const flat = join(dirname(descriptor), extent.file);
  const { size } = await stat(flat).catch((error: unknown) => Promise.reject(unreadable(disk, error)));
  if (extent.sizeBytes !== disk.sizeBytes || size !== disk.sizeBytes)
    throw no(
      disk,
      `expected ${disk.sizeBytes} bytes; descriptor says ${extent.sizeBytes}, flat file has ${size}`,
      'Check that the mount of the mover belongs to this datastore.',
    );
  return flat;
}

function unreadable(disk: OpenDisk, error: unknown): Failure {
  return no(
    disk,
    `its file cannot be read on the mover (${wordsOf(error)})`,
    'Check the “datastores” of this mover in the inventory: name of the datastore to folder of its mount.',
  );
}

const absent = (error: unknown): undefined => {
  if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(codeOf(error))) return undefined;
  throw error;
};

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').then((text) => text.trim(), absent);

/** Kernel block devices with this identity; two of them mean two disks of one UUID, of which udev would show only one. */
async function kernelNamesOf(hex: string, blocks: string): Promise<string[]> {
  const names = (await readdir(blocks).catch(absent)) ?? [];
  const matches: string[] = [];
  for (const name of names) {
    const wwid = await readIfThere(join(blocks, name, 'device', 'wwid'));
    // Partitions have no `device` folder of their own, so only whole disks are counted.
    if (wwid !== undefined && wwid.toLowerCase().replace(/^naa\./, '') === hex) matches.push(name);
  }
  return matches;
}

async function sizeOf(device: string, blocks: string): Promise<number> {
  const sectors = await readIfThere(join(blocks, basename(device), 'size'));
  return sectors === undefined ? (await stat(device)).size : Number(sectors) * sectorBytes;
}

async function namedDevices(hex: string, byId: string): Promise<string[]> {
  const found = await Promise.all(
    [`wwn-0x${hex}`, `scsi-3${hex}`].map((name) => realpath(join(byId, name)).catch(absent)),
  );
  return [...new Set(found.filter((path) => path !== undefined))];
}

async function findHotAdded(disk: OpenDisk, folders: DeviceFolders, work: Work): Promise<string> {
  const hex = disk.uuid.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(hex))
    throw no(disk, `“${disk.uuid}” is not a disk UUID`, 'Check that vCenter shows a UUID for the disk’s backing.');
  for (const until = Date.now() + folders.waitMs; ; ) {
    const [device, second] = await namedDevices(hex, folders.byId);
    const doubles = await kernelNamesOf(hex, folders.blocks);
    if (second !== undefined || doubles.length > 1)
      throw no(
        disk,
        `more than one device of this mover has the identity ${hex}`,
        'Two disks share one UUID: give one of them a new UUID while it is detached.',
      );
    if (device !== undefined) {
      const size = await sizeOf(device, folders.blocks);
      if (size === disk.sizeBytes) return device;
      if (Date.now() >= until)
        throw no(
          disk,
          `${device} has ${size} bytes, the disk ${disk.sizeBytes}`,
          'Rescan the SCSI bus of the mover; if the size stays wrong, the device is another disk.',
        );
    } else if (Date.now() >= until)
      // Waiting longer cures nothing: without disk.EnableUUID the device is there, but has no identity.
      throw no(
        disk,
        `no device of this mover has the identity ${hex} after ${folders.waitMs / 1000} s`,
        'Set disk.EnableUUID = TRUE on the mover (while it is off), and check that this worker runs on the mover the disk was plugged into; then retry.',
      );
    work.report(`waiting for the device of ${disk.file}`);
    await pause(Math.min(500, folders.waitMs), work.signal);
  }
}

/** @param folders only tests give other folders than Linux’s own. */
export function createDeviceFinder(
  mover: Pick<MoverConfig, 'site' | 'datastores'>,
  folders: DeviceFolders = linux,
): DeviceFinder {
  return {
    site: mover.site,
    findDevice(disk, work) {
      const path = parseDatastorePath(disk.file);
      const mount =
        path && Object.hasOwn(mover.datastores, path.datastore) ? mover.datastores[path.datastore] : undefined;
      return path && mount !== undefined ? findFlatFile(disk, mount, path.file) : findHotAdded(disk, folders, work);
    },
  };
}
