/** O_DIRECT, which not every file system has: the one file that knows how a refusal looks. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from './failure.ts';

/** Opens past the page cache; undefined where the file system refuses just that. */
export async function openDirect(path: string, flags: number): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags | constants.O_DIRECT);
  } catch (error) {
    if (errorCode(error) === 'EINVAL' || errorCode(error) === 'ENOTSUP') return undefined;
    throw error;
  }
}
