/**
 * What is known of each block of a target disk: its digest as read back, and whether this round has proven it.
 * Rule: in memory a byte a block, and the digests since the last checkpoint; the others stay in the checkpoint's file
 * (disk/stored-digests.ts), so that a disk of 32 TiB takes 9 MiB and not 277. All holes have one digest. Never answers for a
 * block it does not know.
 */
import { defect } from '../model/failure.ts';
import { digestBytes } from './digest.ts';
import { FreshDigests } from './fresh-digests.ts';
import { blockBytes } from './geometry.ts';
import { pieceBlocks, pieceDigestBytes, piecesInMemory, type StoredDigests } from './stored-digests.ts';

const known = 1;
const inRound = 2;
/** A whole block of zeros. */
const zeros = 4;

/** With so many fresh digests, of 16 GiB, a checkpoint is due. */
export const mostFresh = 4096;
/** A fresh one lies in room for two, and has a place in a map. */
const freshBytes = 2 * digestBytes + 32;

/** What the table of a disk takes in memory at most: a byte a block, the fresh digests, and the pieces that were read last. */
export function tableBytes(sizeBytes: number): number {
  const blocks = Math.ceil(sizeBytes / blockBytes);
  return blocks + Math.min(blocks, mostFresh) * freshBytes + piecesInMemory * pieceDigestBytes;
}

/** The table as it lies in a checkpoint. */
export interface StoredTable {
  readonly blocks: number;
  /** Base64 of the digest of a whole block of zeros; null while there is none. */
  readonly zeroDigest: string | null;
  /** Which pieces follow the flags, each whole, in the order they lie there: that of their first proofs. */
  readonly pieces: readonly number[];
}

export class DigestTable {
  readonly blocks: number;
  private flags: Uint8Array;
  private readonly fresh = new FreshDigests();
  private stored: StoredDigests | undefined;
  private zeroDigest: Uint8Array | undefined;

  constructor(blocks: number, flags?: Uint8Array) {
    this.blocks = blocks;
    this.flags = flags ?? new Uint8Array(blocks);
  }

  /** The table that a checkpoint holds; `flags` is the table's from now on, and `stored` is closed with it. */
  static from({ blocks, zeroDigest }: StoredTable, flags: Uint8Array, stored: StoredDigests): DigestTable {
    const table = new DigestTable(blocks, flags);
    if (zeroDigest !== null) table.zeroDigest = Buffer.from(zeroDigest, 'base64');
    table.stored = stored;
    return table;
  }

  /** How the table begins in a checkpoint that holds all that is known now; `pieces` gives what follows the flags, in order. */
  toStore(): { readonly head: StoredTable; readonly flags: Uint8Array; pieces(): AsyncGenerator<Uint8Array> } {
    const { stored, fresh } = this;
    const zeroDigest = this.zeroDigest === undefined ? null : Buffer.from(this.zeroDigest).toString('base64');
    const changed = fresh.byPiece();
    const before = new Set(stored?.pieces);
    const added = [...changed.keys()].filter((piece) => !before.has(piece));
    const withFresh = (piece: number, bytes: Uint8Array): Uint8Array => {
      for (const block of changed.get(piece) ?? [])
        bytes.set(fresh.get(block) ?? [], (block % pieceBlocks) * digestBytes);
      return bytes;
    };
    async function* pieces(): AsyncGenerator<Uint8Array> {
      if (stored !== undefined) for await (const { piece, bytes } of stored.all()) yield withFresh(piece, bytes);
      for (const piece of added) yield withFresh(piece, new Uint8Array(pieceDigestBytes));
    }
    const head = { blocks: this.blocks, zeroDigest, pieces: [...before, ...added] };
    return { head, flags: this.flags, pieces };
  }

  /** A checkpoint with all of it is durable: the fresh digests are there from now on. */
  async isStored(stored: StoredDigests): Promise<void> {
    const before = this.stored;
    this.stored = stored;
    this.fresh.clear();
    await before?.close();
  }

  /** Whether there are so many fresh digests that they should go into a checkpoint. */
  get isFull(): boolean {
    return this.fresh.count >= mostFresh;
  }

  /** Records a block as read back and found right. */
  prove(block: number, digest: Uint8Array): void {
    this.fresh.set(block, digest);
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

  /** At once where it is in memory; whoever asks for many does not wait for each. */
  digestOf(block: number): Uint8Array | Promise<Uint8Array> {
    if (this.has(block, zeros) && this.zeroDigest !== undefined) return this.zeroDigest;
    const found = this.isKnown(block) ? (this.fresh.get(block) ?? this.stored?.digestOf(block)) : undefined;
    if (found !== undefined) return found;
    throw defect({
      op: 'digests',
      subject: `block ${block}`,
      message: `the digest of block ${block} is not known`,
      hint: 'Copy the disk in full; a disk is sealed only when every block has been proven.',
    });
  }

  /** S3: throws `Corrupt` when what lies in the checkpoint is no longer what was found there: asked once all of it was used. */
  async refuseDamage(): Promise<void> {
    await this.stored?.refuseDamage();
  }

  /** Forgets all that it knew, because whoever had it may be there for long. Safe twice. */
  async close(): Promise<void> {
    this.flags = new Uint8Array();
    this.fresh.clear();
    await this.stored?.close();
  }
}
