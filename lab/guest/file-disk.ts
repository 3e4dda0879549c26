/**
 * A guest's disk over a flat file: the on-prem side of the lab, and the file an Azure disk is first filled from.
 * Rule: it changes nothing but the bytes it is told to; the size of the file is the size of the disk.
 * Never opens a file for writing unless asked to.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { GuestDisk } from './guest-disk.ts';

export interface FileDisk extends GuestDisk {
  close(): Promise<void>;
}

const zeros = Buffer.alloc(1 << 20);

const writeFully = async (handle: FileHandle, offset: number, data: Uint8Array): Promise<void> => {
  for (let done = 0; done < data.byteLength; ) {
    const { bytesWritten } = await handle.write(data, done, data.byteLength - done, offset + done);
    if (bytesWritten === 0) throw new Error(`no byte could be written at ${offset + done}`);
    done += bytesWritten;
  }
};

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
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(into, done, length - done, offset + done);
        if (bytesRead === 0) throw new Error(`${path} ended at ${offset + done}`);
        done += bytesRead;
      }
      return into;
    },
    async write(offset, data) {
      inside(offset, data.byteLength);
      await writeFully(handle, offset, data);
    },
    async discard(offset, length) {
      inside(offset, length);
      for (let done = 0; done < length; done += zeros.length)
        await writeFully(handle, offset + done, zeros.subarray(0, Math.min(zeros.length, length - done)));
    },
    flush: () => handle.datasync(),
    close: () => handle.close(),
  };
}
