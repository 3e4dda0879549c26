/**
 * Replaces a small file so that a crash leaves the old one or the new one, whole.
 * Rule: write aside, flush, rename, flush the folder. Never writes into the file that is being replaced.
 */
import { open, readFile, rename } from 'node:fs/promises';
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

export async function replaceFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const aside = `${path}.new`;
  const handle = await open(aside, 'w', 0o600);
  try {
    for (const part of parts) await handle.appendFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(aside, path);
  await flushFolder(dirname(path));
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
