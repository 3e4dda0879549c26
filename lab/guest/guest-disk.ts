/**
 * A disk as a guest operating system sees it: bytes at offsets, and a flush.
 * The Azure simulator implements it over its tracked disks, the on-prem side over flat files,
 * so that the very same guest program runs on both sides.
 * Offsets and lengths are bytes, half-open; a write is durable only after `flush`.
 */
export interface GuestDisk {
  readonly name: string;
  readonly sizeBytes: number;
  read(offset: number, length: number): Promise<Buffer>;
  write(offset: number, data: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  /** Gives a range back: it reads as zeros from now on (TRIM). A disk without it is written with zeros instead. */
  discard?(offset: number, length: number): Promise<void>;
}

/** What a reader of a disk needs: firmware, partition tables, file systems. */
export type ReadableDisk = Pick<GuestDisk, 'name' | 'sizeBytes' | 'read'>;
