/**
 * Reads and writes of a disk's file, of exactly as many bytes as asked.
 * Rule: what is short is done at once. It comes from the page cache, and a turn through the pool of threads, with the waking
 * of two of them, costs many times the call itself; a lab does thousands a minute.
 * Nothing is flushed to the medium: what was written outlives the death of any process, and a crash of the computer ends the lab.
 */
import { readSync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

const shortBytes = 65_536;

/** Reads until `into` is full or the file ends; answers how many bytes there were. */
export async function readFully(file: FileHandle, into: Uint8Array, offset: number): Promise<number> {
  for (let done = 0; done < into.byteLength; ) {
    const [left, at] = [into.byteLength - done, offset + done];
    const read =
      left <= shortBytes ? readSync(file.fd, into, done, left, at) : (await file.read(into, done, left, at)).bytesRead;
    if (read === 0) return done;
    done += read;
  }
  return into.byteLength;
}

/** Writes all of `data`, or throws. */
export async function writeFully(file: FileHandle, data: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < data.byteLength; ) {
    const [left, at] = [data.byteLength - done, offset + done];
    const written =
      left <= shortBytes
        ? writeSync(file.fd, data, done, left, at)
        : (await file.write(data, done, left, at)).bytesWritten;
    if (written === 0) throw new Error(`no byte could be written at ${at}`);
    done += written;
  }
}
