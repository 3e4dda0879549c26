/**
 * Digests of blocks that were proven since the last checkpoint, packed: 32 bytes and a place for each.
 * Rule: it grows with what is put in and knows no bound; who fills it clears it.
 */
import { digestBytes } from './digest.ts';
import { pieceBlocks } from './stored-digests.ts';

export class FreshDigests {
  private readonly places = new Map<number, number>();
  private digests = new Uint8Array(64 * digestBytes);

  get count(): number {
    return this.places.size;
  }

  set(block: number, digest: Uint8Array): void {
    const place = this.places.get(block) ?? this.places.size * digestBytes;
    if (place + digestBytes > this.digests.byteLength) {
      const larger = new Uint8Array(2 * this.digests.byteLength);
      larger.set(this.digests);
      this.digests = larger;
    }
    this.digests.set(digest, place);
    this.places.set(block, place);
  }

  get(block: number): Uint8Array | undefined {
    const place = this.places.get(block);
    return place === undefined ? undefined : this.digests.slice(place, place + digestBytes);
  }

  /** Its blocks by the piece of the table that they lie in. */
  byPiece(): Map<number, number[]> {
    const pieces = new Map<number, number[]>();
    for (const block of this.places.keys()) {
      const piece = Math.floor(block / pieceBlocks);
      const blocks = pieces.get(piece);
      if (blocks === undefined) pieces.set(piece, [block]);
      else blocks.push(block);
    }
    return pieces;
  }

  clear(): void {
    this.places.clear();
    this.digests = new Uint8Array(64 * digestBytes);
  }
}
