/**
 * From the operating system's error codes to our six kinds, for the target disk and for the state folder.
 * Rule: a literal table; a code that is not in it is `Refused`, because repeating what we do not understand
 * can only do harm. Never hides the original error: it stays as the cause.
 */
import { dirname } from 'node:path';
import { Failure, type FailureKind } from '../model/failure.ts';
import { watched } from './io-watch.ts';

/**
 * EIO is `Refused`, not `Transient`: a medium that fails once may take the next write and lose it, and after a failed
 * flush the kernel may drop dirty pages and call the next flush good. A person looks at the storage first.
 */
const codes: Readonly<Record<string, readonly [FailureKind, string]>> = {
  ENOSPC: ['Refused', 'Free space on the file system or datastore, then retry; what was proven is kept.'],
  EDQUOT: ['Refused', 'Raise the quota of the mover, then retry; what was proven is kept.'],
  EFBIG: ['Refused', 'The file system or a limit of the process forbids files this large; use another datastore.'],
  EROFS: ['Refused', 'The file system turned read-only; look at its storage, then retry.'],
  EACCES: ['Refused', 'Give the mover read and write access to the path, then retry.'],
  EPERM: ['Refused', 'Give the mover read and write access to the path, then retry.'],
  ENOENT: ['Refused', 'The path does not exist; see whether the disk is plugged into the mover.'],
  ENOTDIR: ['Refused', 'A part of the path is no folder; correct the path.'],
  EISDIR: ['Refused', 'The path is a folder; it must be a disk or a flat disk file.'],
  EBUSY: ['Refused', 'The device is in use on the mover (mounted, or part of a volume group); release it, then retry.'],
  EIO: ['Refused', 'The storage reported an I/O error; look at the datastore and its logs before you retry.'],
  ENXIO: ['Refused', 'The device is gone; see whether the disk is still plugged into the mover.'],
  ENODEV: ['Refused', 'The device is gone; see whether the disk is still plugged into the mover.'],
  EAGAIN: ['Transient', 'Wait; the mover is short of resources for a moment.'],
  EINTR: ['Transient', 'Wait; the call was interrupted.'],
  EMFILE: ['Transient', 'Wait, or raise the limit of open files of the mover.'],
  ENFILE: ['Transient', 'Wait, or raise the limit of open files of the machine.'],
  ENOMEM: ['Transient', 'Wait, or give the mover more memory.'],
};

/** The error's code (`ENOSPC`), or an empty string. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

const full = new Set(['ENOSPC', 'EDQUOT']);

/** What is written to the state folder, and not to the target's disk. */
const ofState = /^(state|journal)\./;

/** A full state folder lies on the mover, and not where people look first: the datastore. */
const makeRoom = (path: string): string =>
  `Free space on the mover, which status names, in the file system of its state folder${path === '' ? '' : ` (${dirname(path)})`}, or raise its quota there; then retry. What was proven is kept.`;

/** Makes a `Failure` of whatever was thrown; a `Failure` stays what it is. `path`: told where the error does not name it. */
export function hostFailure(error: unknown, op: string, subject: string, path = ''): Failure {
  if (error instanceof Failure) return error;
  const code = errorCode(error);
  const [kind, known] = codes[code] ?? ['Refused', 'Read the cause; this error is not one we know.'];
  const hint = full.has(code) && ofState.test(op) ? makeRoom(path) : known;
  const said = error instanceof Error ? error.message : String(error);
  const message = said.includes(path) ? said : `${said} (${path})`;
  return new Failure(kind, { op, subject, hint, message, cause: error });
}

/** One call on the host, on `path`: what it throws becomes a `Failure`, and one that never returns is noticed (disk/io-watch.ts). */
export async function hostCall<T>(op: string, subject: string, work: () => Promise<T>, path?: string): Promise<T> {
  try {
    return await watched(op, work);
  } catch (error) {
    throw hostFailure(error, op, subject, path);
  }
}
