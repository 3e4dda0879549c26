/**
 * One at a time: of two set-ups of one folder, or two builds of one program, the later waits and finds it done.
 * Rule: the lock is a link that names its owner, made whole or not at all; it is taken over once that process is gone, and
 * where nothing tells whether it is, once its owner has not touched it for long. Never removes the lock of one that lives.
 */
import { createHash } from 'node:crypto';
import { lstatSync, lutimesSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { processSeen } from './parents.mjs';

const lookAgainMs = 200;
/** While the work goes on its lock is touched so often, however long it takes. */
const touchEveryMs = 60_000;
/** Longer than any computer stands still whose work is still to end well. */
const longestMs = 60 * 60_000;
const myStart = processSeen(process.pid)?.started ?? '';
let turns = 0;
/** Those of this process, whose number and start are the same for all of them. */
const mine = new Set();

/** Runs `work` while nobody else does who names the same lock; `meanwhile` is given the waiting for another, if any. */
export async function inTurn(lock, work, meanwhile = (waiting) => waiting()) {
  const me = `${hostname()}:${process.pid}:${myStart}:${++turns}`;
  mine.add(me);
  const release = () => ownerOf(lock) === me && rmSync(lock, { force: true });
  const touching = setInterval(() => touch(lock, me), touchEveryMs).unref();
  process.once('exit', release);
  try {
    if (!taken(lock, me)) {
      await meanwhile(async () => {
        while (!taken(lock, me)) await pause(lookAgainMs);
      });
    }
    return await work();
  } finally {
    clearInterval(touching);
    process.off('exit', release);
    release();
    mine.delete(me);
  }
}

function touch(lock, me) {
  if (ownerOf(lock) !== me) return;
  try {
    lutimesSync(lock, new Date(), new Date());
  } catch {
    // A file system whose links keep their first time: then another computer counts the hour from the lock's beginning.
  }
}

/** True once the lock is ours. */
function taken(lock, me) {
  try {
    symlinkSync(me, lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const owner = ownerOf(lock) ?? '';
  if (!isAbandoned(lock, owner)) return false;
  // Of all that find this owner gone one alone may take its place, however late it acts: who has the claim that is named
  // after it. A claim is taken like a lock, also from one that died with it.
  const claim = `${lock}.${createHash('sha256').update(owner).digest('hex').slice(0, 12)}`;
  if (!taken(claim, me)) return false;
  if ((ownerOf(lock) ?? '') === owner) renameSync(claim, lock);
  else rmSync(claim);
  return ownerOf(lock) === me;
}

function ownerOf(lock) {
  try {
    return readlinkSync(lock);
  } catch {
    return undefined;
  }
}

/**
 * Its process is gone, or has ended and only nobody reaps it, or another has its number; or it is older than this computer's
 * start, or has long been silent and is of a computer, or a process, that nothing is known of.
 */
function isAbandoned(lock, owner) {
  const [host, pid, started] = owner.split(':');
  try {
    const ageMs = Date.now() - lstatSync(lock).mtimeMs;
    if (host !== hostname()) return ageMs > longestMs;
    if (ageMs > (uptime() + 1) * 1000) return true;
    // Of one before us that had our number, as in a container that was started again.
    if (Number(pid) === process.pid) return !mine.has(owner);
    process.kill(Number(pid), 0);
    const seen = processSeen(pid);
    if (seen === undefined || !started) return ageMs > longestMs;
    return seen.ended || seen.started !== started;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
