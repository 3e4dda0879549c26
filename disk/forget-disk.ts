/**
 * Removes what the mover keeps of a disk, when its run has ended: journal, checkpoint, place of the scrub, lock.
 * Rule (S11): only the record of this very run, and only while nobody else is on the disk; a newer run's stays. The disk
 * itself is not touched: one that is left open carries its marker, and the next run's full copy needs no record of it (S2).
 */
import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, transient } from '../model/failure.ts';
import { asBackgroundAttempt } from './attempts.ts';
import { readCheckpointState } from './checkpoint.ts';
import { DiskLock } from './disk-lock.ts';
import { errorCode, hostCall } from './failure.ts';
import { IoWatch } from './io-watch.ts';
import { flushFolder } from './replace-file.ts';
import { type StateFolder, stateFolder } from './state-folder.ts';

export interface ForgetOptions {
  readonly machine: string;
  readonly disk: string;
  readonly run: string;
  readonly stateDir: string;
  readonly signal: AbortSignal;
  /** After so long without an answer of the state folder it is given up; the default suits, a shorter one is for tests. */
  readonly ioDeadlineMs?: number;
}

/**
 * Answers what stays: the folder, when its record is another run's by now; nothing otherwise, the second time too.
 * Throws Transient while somebody is on the disk: it gives way to everyone.
 */
export async function forgetDisk({
  machine,
  disk,
  run,
  stateDir,
  signal,
  ioDeadlineMs,
}: ForgetOptions): Promise<string[]> {
  const subject = `${machine}/${disk}`;
  const folder = stateFolder(stateDir, machine, disk);
  const io = new IoWatch(subject, ioDeadlineMs);
  const begin = (): Promise<string[]> => io.during(() => forget(folder, subject, run));
  const left = await asBackgroundAttempt(folder.path, subject, signal, begin, { gaveUp: io.gaveUp });
  if (left !== undefined) return left;
  throw transient({
    op: 'state.remove',
    subject,
    message: 'another attempt is on the disk, so its record on the mover stays for now',
    hint: 'Wait; it is removed when that attempt has ended.',
  });
}

async function forget(folder: StateFolder, subject: string, run: string): Promise<string[]> {
  if (!(await exists(folder.path, subject))) return [];
  const lock = await DiskLock.take(folder.lock, subject);
  try {
    const owner = await ownerOf(folder, subject);
    if (owner !== undefined && owner !== run) return [folder.path];
    await hostCall('state.remove', subject, () => removeAllBut(folder));
  } finally {
    await lock.release();
  }
  await hostCall('state.remove', subject, () => removeEmpty(folder.path));
  return [];
}

/** The run whose record it is; undefined when there is none, or a damaged one. */
async function ownerOf({ checkpoint }: StateFolder, subject: string): Promise<string | undefined> {
  try {
    return (await readCheckpointState(checkpoint, subject))?.run;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Corrupt') return undefined;
    throw error;
  }
}

/** The lock goes last: until then nobody may begin a record of his own here. */
async function removeAllBut({ path, lock }: StateFolder): Promise<void> {
  for (const name of await readdir(path)) {
    const file = join(path, name);
    if (file !== lock) await rm(file, { force: true });
  }
  await flushFolder(path);
}

/** The disk's folder, and the machine's when it was its last; one that somebody uses again by now stays. */
async function removeEmpty(path: string): Promise<void> {
  for (const each of [path, dirname(path)]) {
    try {
      await rmdir(each);
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errorCode(error))) throw error;
      return;
    }
  }
}

async function exists(path: string, subject: string): Promise<boolean> {
  return hostCall('state.look', subject, async () => {
    try {
      await readdir(path);
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    }
  });
}
