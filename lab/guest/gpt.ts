/**
 * GUID partition tables: writing one for a lab disk, and reading one as strictly as firmware does.
 * Rule: what is read is checked (signature, both CRC32s, bounds) before it is believed.
 * Layout and field offsets are those of the UEFI specification 2.10, chapter 5; sectors are 512 bytes.
 */
import { crc32 } from 'node:zlib';
import type { ReadableDisk } from './guest-disk.ts';

export const sectorBytes = 512;
const entryBytes = 128;
const entryCount = 128;
const tableSectors = (entryBytes * entryCount) / sectorBytes;
/** Sectors that a GPT takes at either end: head has the protective MBR in front. */
export const headSectors = 2 + tableSectors;
export const tailSectors = 1 + tableSectors;

export const partitionTypes = {
  efiSystem: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  linux: '0fc63daf-8483-4772-8e79-3d69d8477de4',
  linuxReserved: '8da63339-0007-60c0-c436-083ac8230908',
} as const;

export interface Partition {
  readonly type: string;
  readonly guid: string;
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A GUID's 16 bytes: the first three groups little-endian, the rest as written. */
function guidBytes(guid: string): Buffer {
  const plain = Buffer.from(guid.replaceAll('-', ''), 'hex');
  plain.subarray(0, 4).reverse();
  plain.subarray(4, 6).reverse();
  plain.subarray(6, 8).reverse();
  return plain;
}

function guidText(bytes: Buffer): string {
  const copy = Buffer.from(bytes);
  copy.subarray(0, 4).reverse();
  copy.subarray(4, 6).reverse();
  copy.subarray(6, 8).reverse();
  return copy.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function protectiveMbr(totalSectors: number): Buffer {
  const mbr = Buffer.alloc(sectorBytes);
  mbr.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 446);
  mbr.writeUInt32LE(1, 454);
  mbr.writeUInt32LE(Math.min(totalSectors - 1, 0xffff_ffff), 458);
  mbr.writeUInt16LE(0xaa55, 510);
  return mbr;
}

function entryTable(partitions: readonly Partition[]): Buffer {
  const table = Buffer.alloc(entryBytes * entryCount);
  for (const [index, partition] of partitions.entries()) {
    const entry = table.subarray(index * entryBytes, (index + 1) * entryBytes);
    guidBytes(partition.type).copy(entry, 0);
    guidBytes(partition.guid).copy(entry, 16);
    entry.writeBigUInt64LE(BigInt(partition.offset / sectorBytes), 32);
    entry.writeBigUInt64LE(BigInt((partition.offset + partition.sizeBytes) / sectorBytes - 1), 40);
    entry.write(partition.name.slice(0, 35), 56, 'utf16le');
  }
  return table;
}

function header(sectors: number, at: 'primary' | 'backup', diskGuid: string, table: Buffer): Buffer {
  const last = sectors - 1;
  const bytes = Buffer.alloc(sectorBytes);
  bytes.write('EFI PART', 0, 'latin1');
  bytes.writeUInt32LE(0x0001_0000, 8);
  bytes.writeUInt32LE(92, 12);
  bytes.writeBigUInt64LE(BigInt(at === 'primary' ? 1 : last), 24);
  bytes.writeBigUInt64LE(BigInt(at === 'primary' ? last : 1), 32);
  bytes.writeBigUInt64LE(BigInt(headSectors), 40);
  bytes.writeBigUInt64LE(BigInt(last - tailSectors), 48);
  guidBytes(diskGuid).copy(bytes, 56);
  bytes.writeBigUInt64LE(BigInt(at === 'primary' ? 2 : last - tableSectors), 72);
  bytes.writeUInt32LE(entryCount, 80);
  bytes.writeUInt32LE(entryBytes, 84);
  bytes.writeUInt32LE(crc32(table), 88);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 92)), 16);
  return bytes;
}

/** The bytes of a GPT: `head` belongs at offset 0, `tail` at the very end of a disk of `sizeBytes`. */
export function writtenGpt(
  sizeBytes: number,
  diskGuid: string,
  partitions: readonly Partition[],
): { head: Buffer; tail: Buffer } {
  const sectors = sizeBytes / sectorBytes;
  const table = entryTable(partitions);
  return {
    head: Buffer.concat([protectiveMbr(sectors), header(sectors, 'primary', diskGuid, table), table]),
    tail: Buffer.concat([table, header(sectors, 'backup', diskGuid, table)]),
  };
}

export type GptReading =
  | { readonly from: 'primary' | 'backup'; readonly partitions: readonly Partition[] }
  | { readonly reason: string };

async function readHeader(disk: ReadableDisk, lba: number): Promise<Partition[] | string> {
  const bytes = await disk.read(lba * sectorBytes, sectorBytes);
  if (bytes.toString('latin1', 0, 8) !== 'EFI PART') return 'no signature';
  const size = bytes.readUInt32LE(12);
  if (size < 92 || size > sectorBytes) return 'header size out of range';
  const seen = bytes.readUInt32LE(16);
  const blank = Buffer.from(bytes.subarray(0, size));
  blank.writeUInt32LE(0, 16);
  if (crc32(blank) !== seen) return 'header CRC does not match';
  if (bytes.readBigUInt64LE(24) !== BigInt(lba)) return 'header stands at another sector than it says';
  const tableOffset = Number(bytes.readBigUInt64LE(72)) * sectorBytes;
  const tableBytes = bytes.readUInt32LE(80) * bytes.readUInt32LE(84);
  if (tableBytes > 1 << 20 || tableOffset + tableBytes > disk.sizeBytes) return 'partition table out of bounds';
  const table = await disk.read(tableOffset, tableBytes);
  if (crc32(table) !== bytes.readUInt32LE(88)) return 'partition table CRC does not match';
  return entriesOf(table, bytes.readUInt32LE(84));
}

function entriesOf(table: Buffer, size: number): Partition[] {
  const found: Partition[] = [];
  for (let at = 0; at + size <= table.length; at += size) {
    const entry = table.subarray(at, at + size);
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue;
    const offset = Number(entry.readBigUInt64LE(32)) * sectorBytes;
    found.push({
      type: guidText(entry.subarray(0, 16)),
      guid: guidText(entry.subarray(16, 32)),
      name: entry.toString('utf16le', 56, 128).replace(/\0.*$/s, ''),
      offset,
      sizeBytes: (Number(entry.readBigUInt64LE(40)) + 1) * sectorBytes - offset,
    });
  }
  return found;
}

/** Reads the partition table the way UEFI firmware does: protective MBR, primary header, else the backup at the end. */
export async function readGpt(disk: ReadableDisk): Promise<GptReading> {
  const mbr = await disk.read(0, sectorBytes);
  if (mbr.readUInt16LE(510) !== 0xaa55) return { reason: 'no boot record signature (55 AA) in sector 0' };
  if (mbr[450] !== 0xee) return { reason: 'no protective boot record (type EE) in sector 0' };
  const primary = await readHeader(disk, 1);
  if (typeof primary !== 'string') return { from: 'primary', partitions: primary };
  const backup = await readHeader(disk, disk.sizeBytes / sectorBytes - 1);
  if (typeof backup !== 'string') return { from: 'backup', partitions: backup };
  return { reason: `no valid partition table (primary: ${primary}; backup: ${backup})` };
}

/** Which boot signatures a disk carries at its ends. An open disk carries none (S4). */
export async function bootSignatures(disk: ReadableDisk): Promise<string[]> {
  const head = await disk.read(0, 2 * sectorBytes);
  const tail = await disk.read(disk.sizeBytes - sectorBytes, sectorBytes);
  const found: string[] = [];
  if (head.readUInt16LE(510) === 0xaa55) found.push('boot record (55 AA)');
  if (head.toString('latin1', 512, 520) === 'EFI PART') found.push('primary partition header');
  if (tail.toString('latin1', 0, 8) === 'EFI PART') found.push('backup partition header');
  return found;
}
