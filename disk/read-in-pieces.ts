/**
 * Reads a long file from its beginning, piece by piece.
 * Rule: it is never in memory as a whole, however long it is.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode, hostCall } from './failure.ts';

/** The file, open for reading, or undefined when there is no such file. */
export async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const pieceBytes = 256 * 1024;

/** All of it; each piece is the reader's own. */
export async function* piecesOf(
  handle: FileHandle,
  op: string,
  subject: string,
): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const piece = Buffer.alloc(pieceBytes);
    const { bytesRead } = await hostCall(op, subject, () => handle.read(piece, 0, pieceBytes, null));
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
  }
}
