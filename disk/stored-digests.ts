/**
 * The digests of blocks as they lie in a checkpoint's file, read where they lie: only the pieces that were asked for last are
 * in memory. Rule: the file was found whole before it is read from here, and whoever reads all of it again compares that with
 * what was found then: what goes bad in between never becomes part of the next checkpoint.
 */
import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { corrupt, type Failure } from '../model/failure.ts';
import { digestBytes } from './digest.ts';
import { hostCall } from './failure.ts';

/** Digests are kept in pieces of so many blocks (32 KiB). */
export const pieceBlocks = 1024;
export const pieceDigestBytes = pieceBlocks * digestBytes;
/** Blocks are asked for in ascending order, by a few lanes. */
export const piecesInMemory = 2;

export interface StoredPlace {
  readonly handle: FileHandle;
  readonly subject: string;
  /** In any order; each lies behind the one before, the first at `offset`. */
  readonly pieces: readonly number[];
  readonly offset: number;
  /** Over what lies before them; never ended. */
  readonly before: Hash;
  /** Of all up to their end. */
  readonly check: Uint8Array;
}

interface Piece {
  readonly piece: number;
  bytes: Promise<Uint8Array> | Uint8Array;
}

export class StoredDigests {
  private readonly place: StoredPlace;
  private readonly indices: ReadonlyMap<number, number>;
  /** The newest first. */
  private recent: Piece[] = [];

  constructor(place: StoredPlace) {
    this.place = place;
    this.indices = new Map(place.pieces.map((piece, index) => [piece, index]));
  }

  get pieces(): readonly number[] {
    return this.place.pieces;
  }

  /** Undefined for a block whose piece is not there. */
  digestOf(block: number): Uint8Array | Promise<Uint8Array> | undefined {
    const piece = Math.floor(block / pieceBlocks);
    const found = this.recent.find((one) => one.piece === piece)?.bytes ?? this.fetch(piece);
    if (found === undefined) return undefined;
    const from = (block % pieceBlocks) * digestBytes;
    if (found instanceof Uint8Array) return found.subarray(from, from + digestBytes);
    return found.then((bytes) => bytes.subarray(from, from + digestBytes));
  }

  private fetch(piece: number): Promise<Uint8Array> | undefined {
    const index = this.indices.get(piece);
    if (index === undefined) return undefined;
    const bytes = this.read(index);
    const one: Piece = { piece, bytes };
    this.recent = [one, ...this.recent.slice(0, piecesInMemory - 1)];
    bytes.then(
      (read) => {
        one.bytes = read;
      },
      // Whoever asked hears of it; the next one reads again.
      () => {
        this.recent = this.recent.filter((each) => each !== one);
      },
    );
    return bytes;
  }

  private async read(index: number): Promise<Uint8Array> {
    const { handle, subject, offset } = this.place;
    const bytes = new Uint8Array(pieceDigestBytes);
    const at = offset + index * pieceDigestBytes;
    const { bytesRead } = await hostCall('state.read', subject, () => handle.read(bytes, 0, bytes.byteLength, at));
    if (bytesRead < bytes.byteLength) throw damaged(subject);
    return bytes;
  }

  /** All of them in order, each the reader's own. Throws `Corrupt` behind the last when they are not what was found before. */
  async *all(): AsyncGenerator<{ readonly piece: number; readonly bytes: Uint8Array }, undefined> {
    const hash = this.place.before.copy();
    for (const [index, piece] of this.place.pieces.entries()) {
      const bytes = await this.read(index);
      hash.update(bytes);
      yield { piece, bytes };
    }
    if (!isCheck(hash, this.place.check)) throw damaged(this.place.subject);
    return undefined;
  }

  /** Reads all of them for their checksum alone. */
  async refuseDamage(): Promise<void> {
    const all = this.all();
    for (let next = await all.next(); !next.done; ) next = await all.next();
  }

  /** Safe twice; waits for reads on their way. */
  async close(): Promise<void> {
    const { handle, subject } = this.place;
    if (handle.fd >= 0) await hostCall('state.close', subject, () => handle.close());
  }
}

export const isCheck = (hash: Hash, found: Uint8Array): boolean => hash.digest().equals(found);

export const damaged = (subject: string): Failure =>
  corrupt({
    op: 'state.checkpoint',
    subject,
    message: 'the record of this disk is damaged',
    hint: 'What the target disk holds is no longer known; copy the disk in full, and look at the mover’s storage.',
  });
