/**
 * What a mover says in its heartbeats, for people and for the CLI's bars. Bytes and milliseconds.
 */
/** The lowest limit a copy is under. */
export interface ProgressLimit {
  /** This mover's share. */
  readonly bytesPerSecond: number;
  /** What it is put on: `mover mover-1`, `site vcenter-home`, `link wan`. */
  readonly by: string;
  /** Whether the copy waited for it in the last seconds; else something else is slower. */
  readonly holdsBack: boolean;
}

export interface TransferProgress {
  readonly disk: string;
  readonly stage: 'waiting' | 'listing' | 'copying' | 'proving' | 'sealing' | 'scrubbing' | 'done';
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  /** Bytes the source's list names; absent until it is read. Less than `totalBytes` where zeros are written. */
  readonly listedBytes?: number;
  /** The attempt's fencing epoch (S8). */
  readonly epoch: number;
  /**
   * Partly changed blocks that were no longer what had been proven (damaged since, or half written by a killed attempt)
   * and were therefore copied whole; absent while there is none.
   */
  readonly repairedBlocks?: number;
  /** Absent while no limit holds. */
  readonly limit?: ProgressLimit;
}
