/**
 * One record of the lab's application and the layout of its data disk: pure values, no input and no output.
 * Rule: a record proves itself; every bit of its 512 bytes is covered by its checksum or follows from its seed.
 * Never changes the layout of a disk that carries a superblock.
 */
import { createHash } from 'node:crypto';
import { endianness } from 'node:os';

export const recordBytes = 512;
const magic = 'HWREC\x01\r\n';
const superblockMagic = 'HWLOG\x01\r\n';
const headBytes = 40;
const sumBytes = 32;

export interface RecordFacts {
  readonly seq: number;
  readonly slot: number;
  readonly seed: number;
  /** 1: written in Azure, 2: written on-prem. */
  readonly side: number;
}

export interface LogLayout {
  readonly slots: number;
  readonly strideBytes: number;
}

/** Taken once: within jest each use of a global is a slow call, and this is the lab's hottest loop. */
const { imul } = Math;

/** Pseudo-random words from a seed (splitmix32 finaliser over a counter): the payload can be checked without keeping it. */
function payload(seed: number, bytes: number): Buffer {
  const words = new Uint32Array(bytes / 4);
  for (let number = 0; number < words.length; number++) {
    let word = (seed + imul(4 * number + 1, 0x9e3779b9)) >>> 0;
    word = imul(word ^ (word >>> 16), 0x21f0aaad);
    word = imul(word ^ (word >>> 15), 0x735a2d97);
    words[number] = word ^ (word >>> 15);
  }
  const out = Buffer.from(words.buffer);
  return endianness() === 'LE' ? out : out.swap32();
}

const sumOf = (record: Buffer): Buffer =>
  createHash('sha256')
    .update(record.subarray(0, recordBytes - sumBytes))
    .digest();

/** The 512 bytes of a record, and the checksum people and files know it by. */
export function writtenRecord(facts: RecordFacts): { bytes: Buffer; sum: string } {
  const bytes = Buffer.alloc(recordBytes);
  bytes.write(magic, 0, 'latin1');
  bytes.writeBigUInt64LE(BigInt(facts.seq), 8);
  bytes.writeUInt32LE(facts.slot, 16);
  bytes.writeUInt32LE(facts.seed, 20);
  bytes.writeUInt32LE(facts.side, 24);
  payload(facts.seed, recordBytes - headBytes - sumBytes).copy(bytes, headBytes);
  const sum = sumOf(bytes);
  sum.copy(bytes, recordBytes - sumBytes);
  return { bytes, sum: shortSum(sum) };
}

const shortSum = (sum: Buffer): string => sum.toString('hex', 0, 8);

export type SlotContent =
  | { readonly kind: 'empty' }
  | { readonly kind: 'record'; readonly facts: RecordFacts; readonly sum: string }
  | { readonly kind: 'damaged'; readonly why: string };

const blank = Buffer.alloc(recordBytes);

/** What lies in a slot: nothing (zeros), a whole record, or something that is neither. */
export function readSlot(bytes: Buffer, slot: number): SlotContent {
  if (bytes.equals(blank)) return { kind: 'empty' };
  if (bytes.toString('latin1', 0, 8) !== magic) return { kind: 'damaged', why: 'neither zeros nor a record' };
  if (!sumOf(bytes).equals(bytes.subarray(recordBytes - sumBytes))) return { kind: 'damaged', why: 'checksum' };
  const seed = bytes.readUInt32LE(20);
  if (!payload(seed, recordBytes - headBytes - sumBytes).equals(bytes.subarray(headBytes, recordBytes - sumBytes)))
    return { kind: 'damaged', why: 'payload does not follow from its seed' };
  const facts = {
    seq: Number(bytes.readBigUInt64LE(8)),
    slot: bytes.readUInt32LE(16),
    seed,
    side: bytes.readUInt32LE(24),
  };
  if (facts.slot !== slot) return { kind: 'damaged', why: `belongs into slot ${facts.slot}` };
  return { kind: 'record', facts, sum: shortSum(bytes.subarray(recordBytes - sumBytes)) };
}

/** The layout for a fresh disk: at most 4,096 slots spread evenly, the first 64 KiB kept for the superblock. */
export function freshLayout(sizeBytes: number): LogLayout {
  const space = sizeBytes - 2 * slotAreaOffset;
  const slots = Math.max(1, Math.min(4096, Math.floor(space / 4096)));
  return { slots, strideBytes: Math.floor(space / slots / recordBytes) * recordBytes };
}

export const slotAreaOffset = 65_536;
export const slotOffset = (layout: LogLayout, slot: number): number => slotAreaOffset + slot * layout.strideBytes;

export function writtenSuperblock(layout: LogLayout): Buffer {
  const bytes = Buffer.alloc(recordBytes);
  bytes.write(superblockMagic, 0, 'latin1');
  bytes.writeUInt32LE(layout.slots, 8);
  bytes.writeUInt32LE(layout.strideBytes, 12);
  sumOf(bytes).copy(bytes, recordBytes - sumBytes);
  return bytes;
}

/** The layout a disk says it has, or undefined when it carries no intact superblock. */
export function readSuperblock(bytes: Buffer): LogLayout | undefined {
  if (bytes.toString('latin1', 0, 8) !== superblockMagic) return undefined;
  if (!sumOf(bytes).equals(bytes.subarray(recordBytes - sumBytes))) return undefined;
  return { slots: bytes.readUInt32LE(8), strideBytes: bytes.readUInt32LE(12) };
}
