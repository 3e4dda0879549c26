/**
 * What a mover says in its heartbeats, for people and for the CLI's bars. Bytes and milliseconds.
 */
export interface TransferProgress {
  readonly disk: string;
  readonly stage: 'waiting' | 'listing' | 'copying' | 'proving' | 'sealing' | 'done';
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  /** The attempt's fencing epoch (S8). */
  readonly epoch: number;
  /**
   * Partly changed blocks that were no longer what had been proven (damaged since, or half written by a killed attempt)
   * and were therefore copied whole; absent while there is none.
   */
  readonly repairedBlocks?: number;
}
