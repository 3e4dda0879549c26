/**
 * A guest's disk over a flat file: the on-prem side of the lab, and the file an Azure disk is first filled from.
 * Rule: it changes nothing but the bytes it is told to; the size of the file is the size of the disk.
 * Never opens a file for writing unless asked to.
 */
import { open } from 'node:fs/promises';
import { readFully, writeFully } from './file-io.ts';
import type { GuestDisk } from './guest-disk.ts';

export interface FileDisk extends GuestDisk {
  close(): Promise<void>;
}

const zeros = Buffer.alloc(1 << 20);

/** Opens `path` as a disk. Reads past the end throw, as a real disk would. */
export async function openFileDisk(path: string, mode: 'r' | 'r+' = 'r+'): Promise<FileDisk> {
  const handle = await open(path, mode);
  const { size } = await handle.stat();
  const inside = (offset: number, length: number): void => {
    if (offset < 0 || length < 0 || offset + length > size)
      throw new RangeError(`${path}: [${offset}, ${offset + length}) is outside of ${size} bytes`);
  };
  return {
    name: path,
    sizeBytes: size,
    async read(offset, length) {
      inside(offset, length);
      const into = Buffer.alloc(length);
      const found = await readFully(handle, into, offset);
      if (found < length) throw new Error(`${path} ended at ${offset + found}`);
      return into;
    },
    async write(offset, data) {
      inside(offset, data.byteLength);
      await writeFully(handle, data, offset);
    },
    async discard(offset, length) {
      inside(offset, length);
      for (let done = 0; done < length; done += zeros.length)
        await writeFully(handle, zeros.subarray(0, Math.min(zeros.length, length - done)), offset + done);
    },
    flush: async () => undefined,
    close: () => handle.close(),
  };
}
