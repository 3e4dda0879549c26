/**
 * What one round did, as the run remembers it. Bytes, milliseconds, ISO 8601.
 */
import type { CopySaid, DiskKey } from './machine.ts';

export interface RoundReport {
  readonly number: number;
  readonly mode: 'full' | 'delta';
  readonly takenAt: string;
  readonly endedAt: string;
  readonly changedBytes: number;
  readonly copiedBytes: number;
  /**
   * From the wish for a recovery point to the last disk's proof; of a round that a hold or a failure stopped, all its tries
   * together, because its bytes are those of all of them. What it waited between them, for a person, is no part.
   */
  readonly durationMs: number;
  /** Of it, until the recovery point was there. */
  readonly pointMs?: number;
  /** What the slowest of its disks took by its movers' clocks, all attempts together; absent where that is not known, and in rounds of older releases. */
  readonly moverMs?: number;
  /** A disk took more than one attempt, between which it may have stood still: of the time it took only `moverMs` says how fast it is. */
  readonly stood?: true;
  /** The lowest limit of its disks when they were done. */
  readonly limit?: RoundLimit;
  /** What was forecast soon after the lists were read: the sum of the bytes, the longest of the times. */
  readonly said?: CopySaid;
  /** Disks that were read back through the mover's page cache (model/read-back.ts); absent: none. */
  readonly cached?: readonly DiskKey[];
}

/** Tries of a round that did not come to its end; what lay between them does not count. */
export interface RoundTries {
  readonly ms: number;
  /** Of it, until the recovery point was there. */
  readonly pointMs: number;
}

/**
 * What a round's changes cost on the wire, which is what bars, limits and forecasts count: more than changed is sent where
 * small changes lie close together, because what lies between them goes along; zeros change without being sent.
 */
export const sentBytes = ({ changedBytes, copiedBytes }: RoundReport): number => Math.max(changedBytes, copiedBytes);

export interface RoundLimit {
  readonly bytesPerSecond: number;
  readonly by: string;
  /** Present where a cutover does not wait for it. */
  readonly cutover?: 'exempt';
}
