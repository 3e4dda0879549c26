/**
 * What is known of each block of a target disk: its digest as read back, and whether this round has proven it.
 * Rule: 33 bytes a 4 MiB block, whatever the disk holds (8 MiB a TiB). Never answers for a block it does not know.
 */
import { defect } from '../model/failure.ts';
import { digestBytes } from './digest.ts';

const known = 1;
const inRound = 2;

export class DigestTable {
  readonly blocks: number;
  readonly flags: Uint8Array;
  readonly digests: Uint8Array;

  constructor(blocks: number, flags?: Uint8Array, digests?: Uint8Array) {
    this.blocks = blocks;
    this.flags = flags ?? new Uint8Array(blocks);
    this.digests = digests ?? new Uint8Array(blocks * digestBytes);
  }

  /** Records a block as read back and found right. */
  prove(block: number, digest: Uint8Array): void {
    this.digests.set(digest, block * digestBytes);
    this.flags[block] = known | inRound;
  }

  isKnown(block: number): boolean {
    return ((this.flags[block] ?? 0) & known) !== 0;
  }

  isProvenInRound(block: number): boolean {
    return ((this.flags[block] ?? 0) & inRound) !== 0;
  }

  /** A new round has proven nothing yet; what earlier rounds proved stays known. */
  beginRound(): void {
    for (let block = 0; block < this.blocks; block++) this.flags[block] = (this.flags[block] ?? 0) & known;
  }

  digestOf(block: number): Uint8Array {
    if (this.isKnown(block)) return this.digests.subarray(block * digestBytes, (block + 1) * digestBytes);
    throw defect({
      op: 'digests',
      subject: `block ${block}`,
      message: `the digest of block ${block} is not known`,
      hint: 'Copy the disk in full; a disk is sealed only when every block has been proven.',
    });
  }
}
