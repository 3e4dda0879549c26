/**
 * Replaces a small file so that a crash leaves the old one or the new one, whole.
 * Rule: write aside, flush, rename, flush the folder. Never writes into the file that is being replaced.
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, hostCall } from './failure.ts';

/** Makes what was renamed or made in the folder survive a power loss. */
export async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces it and leaves it open, for reading; the caller closes it. */
export async function replaceAndKeep(
  path: string,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<FileHandle> {
  const aside = `${path}.new`;
  const handle = await open(aside, 'w+', 0o600);
  try {
    for await (const part of parts) await handle.appendFile(part);
    await handle.sync();
    await rename(aside, path);
    await flushFolder(dirname(path));
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export async function replaceFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const handle = await replaceAndKeep(path, parts);
  await handle.close();
}

/** The second is what a process's own file in /proc answers when that process goes between the opening and the reading. */
const absent: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH']);

/** The file's bytes, or undefined when there is no such file. */
export async function readIfPresent(path: string, subject: string): Promise<Buffer | undefined> {
  return hostCall('state.read', subject, async () => {
    try {
      return await readFile(path);
    } catch (error) {
      if (absent.has(errorCode(error))) return undefined;
      throw error;
    }
  });
}
