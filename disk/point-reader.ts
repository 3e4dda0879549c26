/**
 * What the copy needs from a source: the changes of one disk between two moments, and its bytes.
 * A site implements it; the disk engine knows no cloud. Offsets are bytes, half-open [offset, offset + length).
 */
import { Failure, type FailureFacts } from '../model/failure.ts';

/** Transient: the source said nothing, or too little, for so long that the memory it was to fill is of more use to others meanwhile. */
export class SourceSilent extends Failure {
  constructor({ op, subject, message, hint }: Omit<FailureFacts, 'retryAfterMs'>) {
    super('Transient', { op, subject, message, hint });
  }
}

/** `zero` ranges were cleared at the source and must become zeros on the target (S10). */
export interface Extent {
  readonly offset: number;
  readonly length: number;
  readonly kind: 'data' | 'zero';
}

export interface PointReader {
  /** The disk's size without any container footer. */
  readonly sizeBytes: number;
  /**
   * The changes since the base, or every range that may hold data when there is no base. In a full list,
   * what is not named reads as zeros. Ascending and non-overlapping is not promised: normalise.
   */
  changes(signal: AbortSignal): AsyncIterable<Extent>;
  /**
   * Fills `into` with the bytes at `offset`. Checked on arrival against what was asked (status, range, length,
   * ETag) and against the service's checksum where it gives one; throws `Failure` otherwise, a `SourceSilent` instead of
   * asking again after a silence or a trickle. `wasted` hears of bytes that were sent and are of no use, so that a limit can count them.
   * Safe to call concurrently.
   */
  read(offset: number, into: Uint8Array, signal: AbortSignal, wasted?: (bytes: number) => void): Promise<void>;
  /**
   * What a read would wait for before it is sent, as for a new grant, begun if need be; undefined, or absent: for nothing. L5:
   * it may take minutes, and is waited for without the memory to read into. Rejects with a `Failure`.
   */
  waitsFor?(): Promise<unknown> | undefined;
  /** Gives the grant back. Safe twice; never throws away bytes already read. */
  close(): Promise<void>;
}
