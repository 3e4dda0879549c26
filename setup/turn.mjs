/**
 * One at a time: of two set-ups of one folder, or two builds of one program, the later waits and finds it done.
 * Rule: the lock is a link that names its owner, made whole or not at all; it is taken over once that process is gone.
 * Never removes the lock of one that lives.
 */
import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

const lookAgainMs = 200;
/** Longer than any build or install; so old, a lock of a computer that we cannot ask is given up as well. */
const longestMs = 60 * 60_000;
const me = `${hostname()}:${process.pid}`;

/** Runs `work` while nobody else does who names the same lock; `meanwhile` is given the waiting for another, if any. */
export async function inTurn(lock, work, meanwhile = (waiting) => waiting()) {
  if (!(await taken(lock))) {
    await meanwhile(async () => {
      while (!(await taken(lock))) await pause(lookAgainMs);
    });
  }
  const release = () => ownerOf(lock) === me && rmSync(lock, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** True once the lock is ours. */
async function taken(lock) {
  try {
    symlinkSync(me, lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!isAbandoned(lock)) return false;
  const own = `${lock}.${process.pid}`;
  rmSync(own, { force: true });
  symlinkSync(me, own);
  renameSync(own, lock);
  // Another that saw the same dead owner may be renaming too; after a moment the last one is known.
  await pause(lookAgainMs);
  return ownerOf(lock) === me;
}

function ownerOf(lock) {
  try {
    return readlinkSync(lock);
  } catch {
    return undefined;
  }
}

/** Its process is gone, or it is older than any work, or than this computer's start. */
function isAbandoned(lock) {
  const [host, pid] = (ownerOf(lock) ?? '').split(':');
  // Of one before us that had our number, as in a container that was started again: whoever asks holds it not.
  if (ownerOf(lock) === me) return true;
  try {
    const ageMs = Date.now() - lstatSync(lock).mtimeMs;
    if (ageMs > longestMs) return true;
    if (host !== hostname()) return false;
    if (ageMs > (uptime() + 1) * 1000) return true;
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
