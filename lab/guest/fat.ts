/**
 * A small FAT16 file system: made in memory for an EFI system partition, and read the way firmware does.
 * Rule: names are 8.3 upper case; what is read is checked against the boot sector before it is followed.
 * Field offsets are those of the FAT specification (ECMA-107; "FAT: General Overview of On-Disk Format" 1.03).
 */
import { sectorBytes } from './gpt.ts';
import type { ReadableDisk } from './guest-disk.ts';

const reservedSectors = 1;
const rootEntries = 512;
const rootSectors = (rootEntries * 32) / sectorBytes;
const endOfChain = 0xffff;

export interface FatFile {
  /** Folder names and the file's name: ['EFI', 'BOOT', 'BOOTX64.EFI']. */
  readonly path: readonly string[];
  readonly data: Uint8Array;
}

const shortName = (name: string): Buffer => {
  const [stem = '', extension = ''] = name.startsWith('.') ? [name] : name.split('.');
  return Buffer.from(stem.padEnd(8).slice(0, 8) + extension.padEnd(3).slice(0, 3), 'latin1');
};

const geometry = (sizeBytes: number) => {
  const sectors = sizeBytes / sectorBytes;
  // FAT16 is told from FAT12 and FAT32 by its number of clusters alone: 4,085 to 65,524.
  let perCluster = 1;
  while (sectors / perCluster > 65_000) perCluster *= 2;
  if (sectors / perCluster < 4_300) throw new Error(`an EFI partition of ${sizeBytes} bytes is too small for FAT16`);
  const fatSectors = Math.ceil(((sectors / perCluster + 2) * 2) / sectorBytes);
  return { sectors, perCluster, fatSectors, dataSector: reservedSectors + 2 * fatSectors + rootSectors };
};

function bootSector(sizeBytes: number, label: string): Buffer {
  const { sectors, perCluster, fatSectors } = geometry(sizeBytes);
  const boot = Buffer.alloc(sectorBytes);
  boot.set([0xeb, 0x3c, 0x90]);
  boot.write('HOMEWARD', 3, 'latin1');
  boot.writeUInt16LE(sectorBytes, 11);
  boot.writeUInt8(perCluster, 13);
  boot.writeUInt16LE(reservedSectors, 14);
  boot.writeUInt8(2, 16);
  boot.writeUInt16LE(rootEntries, 17);
  if (sectors < 65_536) boot.writeUInt16LE(sectors, 19);
  else boot.writeUInt32LE(sectors, 32);
  boot.writeUInt8(0xf8, 21);
  boot.writeUInt16LE(fatSectors, 22);
  boot.writeUInt16LE(32, 24);
  boot.writeUInt16LE(64, 26);
  boot.writeUInt8(0x80, 36);
  boot.writeUInt8(0x29, 38);
  boot.writeUInt32LE(0x4857_0001, 39);
  boot.write(label.padEnd(11).slice(0, 11), 43, 'latin1');
  boot.write('FAT16   ', 54, 'latin1');
  boot.writeUInt16LE(0xaa55, 510);
  return boot;
}

const directoryEntry = (name: string, attribute: number, cluster: number, size: number): Buffer => {
  const entry = Buffer.alloc(32);
  shortName(name).copy(entry);
  entry.writeUInt8(attribute, 11);
  entry.writeUInt16LE(0x5a21, 24);
  entry.writeUInt16LE(cluster, 26);
  entry.writeUInt32LE(size, 28);
  return entry;
};

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: Map<string, Uint8Array>;
}
const emptyFolder = (): Folder => ({ folders: new Map(), files: new Map() });

function treeOf(files: readonly FatFile[]): Folder {
  const root = emptyFolder();
  for (const { path, data } of files) {
    let folder = root;
    for (const part of path.slice(0, -1)) {
      const next: Folder = folder.folders.get(part) ?? emptyFolder();
      folder.folders.set(part, next);
      folder = next;
    }
    folder.files.set(path.at(-1) ?? '', data);
  }
  return root;
}

/** The whole file system as bytes, `sizeBytes` long. Throws when the files do not fit. */
export function writtenFat(sizeBytes: number, label: string, files: readonly FatFile[]): Buffer {
  const { perCluster, fatSectors, dataSector } = geometry(sizeBytes);
  const image = Buffer.alloc(sizeBytes);
  const clusterBytes = perCluster * sectorBytes;
  const fat = Buffer.alloc(fatSectors * sectorBytes);
  fat.writeUInt16LE(0xfff8, 0);
  fat.writeUInt16LE(endOfChain, 2);
  let next = 2;
  const reserve = (bytes: number): number => {
    const first = next;
    const clusters = Math.max(1, Math.ceil(bytes / clusterBytes));
    if ((first - 2 + clusters) * clusterBytes + dataSector * sectorBytes > sizeBytes)
      throw new Error('the files do not fit into the EFI partition');
    for (let index = 0; index < clusters; index++)
      fat.writeUInt16LE(index === clusters - 1 ? endOfChain : first + index + 1, (first + index) * 2);
    next += clusters;
    return first;
  };
  const fill = (cluster: number, data: Uint8Array): void =>
    image.set(data, dataSector * sectorBytes + (cluster - 2) * clusterBytes);
  const placeFile = (data: Uint8Array): number => {
    const first = reserve(data.byteLength);
    fill(first, data);
    return first;
  };
  const entriesOf = (folder: Folder, cluster: number): Buffer[] => [
    ...[...folder.folders].map(([name, inner]) => directoryEntry(name, 0x10, placeFolder(inner, cluster), 0)),
    ...[...folder.files].map(([name, data]) => directoryEntry(name, 0x20, placeFile(data), data.byteLength)),
  ];
  const placeFolder = (folder: Folder, parent: number): number => {
    const own = reserve((2 + folder.folders.size + folder.files.size) * 32);
    const dots = [directoryEntry('.', 0x10, own, 0), directoryEntry('..', 0x10, parent, 0)];
    fill(own, Buffer.concat([...dots, ...entriesOf(folder, own)]));
    return own;
  };
  // `..` of a folder in the root is cluster 0 by definition.
  const root = Buffer.concat([directoryEntry(label, 0x08, 0, 0), ...entriesOf(treeOf(files), 0)]);
  bootSector(sizeBytes, label).copy(image);
  fat.copy(image, reservedSectors * sectorBytes);
  fat.copy(image, (reservedSectors + fatSectors) * sectorBytes);
  root.copy(image, (reservedSectors + 2 * fatSectors) * sectorBytes);
  return image;
}

/** Finds a file in the FAT16 at `offset` of a disk; answers its size, or in words why it cannot be found. */
export async function findFatFile(
  disk: ReadableDisk,
  offset: number,
  path: readonly string[],
): Promise<{ sizeBytes: number } | { reason: string }> {
  const boot = await disk.read(offset, sectorBytes);
  if (boot.readUInt16LE(510) !== 0xaa55) return { reason: 'the EFI partition has no boot sector signature' };
  const perCluster = boot.readUInt8(13);
  const fatSectors = boot.readUInt16LE(22);
  if (boot.readUInt16LE(11) !== sectorBytes || perCluster === 0 || fatSectors === 0)
    return { reason: 'the EFI partition is not FAT16 with 512-byte sectors' };
  const fatOffset = offset + boot.readUInt16LE(14) * sectorBytes;
  const rootOffset = fatOffset + boot.readUInt8(16) * fatSectors * sectorBytes;
  const rootBytes = boot.readUInt16LE(17) * 32;
  const clusterBytes = perCluster * sectorBytes;
  let folder = await disk.read(rootOffset, rootBytes);
  for (const [depth, name] of path.entries()) {
    const entry = entryNamed(folder, name);
    if (entry === undefined) return { reason: `${path.slice(0, depth + 1).join('\\')} is missing` };
    if (depth === path.length - 1) return { sizeBytes: entry.readUInt32LE(28) };
    // Folders of a boot partition are short: their first cluster holds every entry we look for.
    folder = await disk.read(rootOffset + rootBytes + (entry.readUInt16LE(26) - 2) * clusterBytes, clusterBytes);
  }
  return { reason: 'an empty path names no file' };
}

function entryNamed(folder: Buffer, name: string): Buffer | undefined {
  const wanted = shortName(name);
  for (let at = 0; at + 32 <= folder.length; at += 32) {
    const entry = folder.subarray(at, at + 32);
    if (entry[0] === 0) return undefined;
    if (wanted.equals(entry.subarray(0, 11)) && ((entry[11] ?? 0) & 0x08) === 0) return entry;
  }
  return undefined;
}
