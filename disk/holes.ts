/**
 * Zeros that take no room: what of a write is nothing but zeros, and the call that makes a hole of it.
 * Rule (S10): a hole is a write like any other: with leave, watched, flushed, and read back before it counts. Where a target
 * cannot have one, zeros are written; any other error is the storage's own and ends the attempt. Never reaches beyond the range
 * it is given, nor into a leaf that is not zeros as a whole.
 */
import { isAllZero } from './block-pool.ts';
import { errorCode } from './failure.ts';
import type { Range } from './geometry.ts';
import { leafBytes } from './leaves.ts';

/** The calls that a smaller hole takes more cost as much as writing through it (some 100 µs each, measured on ext4). */
const leastHoleBytes = 2 * leafBytes;

export interface Piece extends Range {
  readonly hole: boolean;
}

/** Cuts a range into what is to be written and what may be a hole, ascending; `bytes` are all of the range. */
export function* piecesOf({ start, end }: Range, bytes: Buffer): Generator<Piece, void, undefined> {
  let written = start;
  let at = Math.ceil(start / leafBytes) * leafBytes;
  while (at < end) {
    const from = at;
    while (at + leafBytes <= end && isAllZero(bytes.subarray(at - start, at - start + leafBytes))) at += leafBytes;
    if (at - from >= leastHoleBytes) {
      if (written < from) yield { start: written, end: from, hole: false };
      yield { start: from, end: at, hole: true };
      written = at;
    }
    at += leafBytes;
  }
  if (written < end) yield { start: written, end, hole: false };
}

/**
 * What a target answers that cannot have holes: its file system or driver has no such call (libuv says ENOTSUP for
 * EOPNOTSUPP), or not for this file or this alignment (EINVAL: some file systems in user space, devices of large sectors).
 */
const cannot = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/**
 * Frees a range of an open file, which reads as zeros then; of a block device, whose blocks are unmapped only where they read as
 * zeros by its guarantee. False where it cannot be done, and nothing was. Throws the system's other errors.
 */
type PunchHole = (fd: number, offset: number, length: number) => Promise<boolean>;

/** Only for who punches: it takes memory. */
async function loadPunch(): Promise<PunchHole | undefined> {
  try {
    const { default: native } = await import('fs-native-extensions');
    return async (...range) => {
      try {
        await native.trim(...range);
        return true;
      } catch (error) {
        if (cannot.has(errorCode(error))) return false;
        throw error;
      }
    };
  } catch {
    // The prebuilt part does not exist for this machine.
    return undefined;
  }
}

let loading: Promise<PunchHole | undefined> | undefined;

/**
 * The call that makes holes; undefined where this machine has none. Asked for before the leave for a hole is, so that nothing
 * lies between leave and call (S8).
 */
export function holePunch(): Promise<PunchHole | undefined> {
  loading ??= loadPunch();
  return loading;
}
