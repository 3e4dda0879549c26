/**
 * What is known of each block of a target disk: its digest as read back, and whether this round has proven it.
 * Rule: a byte a block, and 32 more only where a block holds anything: a large disk is mostly holes, and all of them have
 * one digest. Never answers for a block it does not know.
 */
import { defect } from '../model/failure.ts';
import { digestBytes } from './digest.ts';
import { blockBytes } from './geometry.ts';

const known = 1;
const inRound = 2;
/** A whole block of zeros. */
const zeros = 4;
/** Digests are kept in pieces of so many blocks (32 KiB). */
const pieceBlocks = 1024;

/** What the table of a disk takes in memory when no block of it is zeros. */
export const tableBytes = (sizeBytes: number): number => Math.ceil(sizeBytes / blockBytes) * (1 + digestBytes);

/** The table as it lies in a checkpoint. */
export interface StoredTable {
  readonly blocks: number;
  /** Base64 of the digest of a whole block of zeros; null while there is none. */
  readonly zeroDigest: string | null;
  /** Which pieces follow the flags, each whole. */
  readonly pieces: readonly number[];
}

export class DigestTable {
  readonly blocks: number;
  private readonly flags: Uint8Array;
  private readonly pieces = new Map<number, Uint8Array>();
  private zeroDigest: Uint8Array | undefined;

  constructor(blocks: number, flags?: Uint8Array) {
    this.blocks = blocks;
    this.flags = flags ?? new Uint8Array(blocks);
  }

  /** The table `stored` speaks of, out of the bytes that follow it. */
  static from(stored: StoredTable, bytes: Uint8Array): DigestTable {
    const table = new DigestTable(stored.blocks, bytes.subarray(0, stored.blocks));
    if (stored.zeroDigest !== null) table.zeroDigest = Buffer.from(stored.zeroDigest, 'base64');
    const size = pieceBlocks * digestBytes;
    for (const [at, piece] of stored.pieces.entries()) {
      const from = stored.blocks + at * size;
      table.pieces.set(piece, bytes.subarray(from, from + size));
    }
    return table;
  }

  stored(): { readonly head: StoredTable; readonly bytes: readonly Uint8Array[] } {
    const zeroDigest = this.zeroDigest === undefined ? null : Buffer.from(this.zeroDigest).toString('base64');
    const head = { blocks: this.blocks, zeroDigest, pieces: [...this.pieces.keys()] };
    return { head, bytes: [this.flags, ...this.pieces.values()] };
  }

  /** Records a block as read back and found right. */
  prove(block: number, digest: Uint8Array): void {
    const piece = Math.floor(block / pieceBlocks);
    let digests = this.pieces.get(piece);
    if (digests === undefined) {
      digests = new Uint8Array(pieceBlocks * digestBytes);
      this.pieces.set(piece, digests);
    }
    digests.set(digest, (block % pieceBlocks) * digestBytes);
    this.flags[block] = known | inRound;
  }

  /** Records whole blocks as found to be zeros; `digest` is that of such a block. */
  proveZeros(first: number, count: number, digest: Uint8Array): void {
    this.zeroDigest = digest;
    this.flags.fill(known | inRound | zeros, first, first + count);
  }

  /** Blocks that were seen to be what is known of them count as done in this round. */
  keep(first: number, count: number): void {
    for (let block = first; block < first + count; block++) this.flags[block] = (this.flags[block] ?? 0) | inRound;
  }

  private has(block: number, flag: number): boolean {
    return ((this.flags[block] ?? 0) & flag) !== 0;
  }

  isKnown(block: number): boolean {
    return this.has(block, known);
  }

  isProvenInRound(block: number): boolean {
    return this.has(block, inRound);
  }

  /** A new round has proven nothing yet; what earlier rounds proved stays known. */
  beginRound(): void {
    for (let block = 0; block < this.blocks; block++) this.flags[block] = (this.flags[block] ?? 0) & ~inRound;
  }

  digestOf(block: number): Uint8Array {
    if (this.has(block, zeros) && this.zeroDigest !== undefined) return this.zeroDigest;
    const digests = this.pieces.get(Math.floor(block / pieceBlocks));
    const from = (block % pieceBlocks) * digestBytes;
    if (this.isKnown(block) && digests !== undefined) return digests.subarray(from, from + digestBytes);
    throw defect({
      op: 'digests',
      subject: `block ${block}`,
      message: `the digest of block ${block} is not known`,
      hint: 'Copy the disk in full; a disk is sealed only when every block has been proven.',
    });
  }
}
