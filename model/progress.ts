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
}
