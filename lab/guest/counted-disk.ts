/**
 * A guest's disk that counts what is written to it, as the host of a virtual machine does.
 * Rule: a write counts once it is done; what is given back (TRIM) is no write.
 */
import type { FileDisk } from './file-disk.ts';

export interface CountedDisk extends FileDisk {
  /** All bytes written so far. */
  writtenBytes(): number;
  /** Of them, what nobody was told of yet. */
  untold(): number;
  told(bytes: number): void;
}

export function countWrites(disk: FileDisk): CountedDisk {
  let writtenBytes = 0;
  let toldBytes = 0;
  return {
    ...disk,
    async write(offset, data) {
      await disk.write(offset, data);
      writtenBytes += data.byteLength;
    },
    writtenBytes: () => writtenBytes,
    untold: () => writtenBytes - toldBytes,
    told(bytes) {
      toldBytes += bytes;
    },
  };
}
