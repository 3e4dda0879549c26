/**
 * One process at a time writes a disk: a lock file with the owner's pid, its start time and the boot it lives in.
 * Rule: S8, a live owner is never displaced; a dead one is (a pid alone would not do: pids are used again), also while nobody
 * has reaped it, and so is one of this process that could not remove its lock when it ended.
 * Never the only bar: the epoch in the open marker also fences owners this machine cannot see.
 */
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { fenced, transient } from '../model/failure.ts';
import { errorCode, hostCall } from './failure.ts';
import { readIfPresent } from './replace-file.ts';

interface Owner {
  readonly pid: number;
  /** Clock ticks between boot and the process's start: field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
  readonly boot: string;
  readonly token: string;
}

/** The locks this process holds or is about to take. */
const ours = new Set<string>();

/** Undefined when no such process is there. The name in parentheses may hold spaces, so count from its end. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const [state = '', ...fields] = (await statOf(pid)) ?? [];
  return hasEnded.has(state) && (await isLastThread(pid)) ? undefined : fields[18];
}

async function statOf(pid: number): Promise<string[] | undefined> {
  const stat = await readIfPresent(`/proc/${pid}/stat`, `process ${pid}`);
  const text = stat?.toString('utf8');
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** `man 5 proc`: a process that was killed and that its parent has not reaped, and one on its way out of that. */
const hasEnded: ReadonlySet<string> = new Set(['Z', 'X']);

/** Of a process that has ended: a thread that is still there may be inside a write. */
async function isLastThread(pid: number): Promise<boolean> {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    return threads.every((thread) => thread === String(pid));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true;
    throw error;
  }
}

async function selfAsOwner(): Promise<Owner> {
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  return { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '', boot, token: randomUUID() };
}

function parseOwner(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    // Linked whole or not at all, so only a power loss leaves such a file: its owner is gone.
    return undefined;
  }
}

async function isAlive(text: string, boot: string): Promise<boolean> {
  const owner = parseOwner(text);
  if (owner === undefined || owner.boot !== boot) return false;
  if ((await startTimeOf(owner.pid)) !== owner.startTime) return false;
  // Ours, but nobody holds it any more: its removal failed, and only this process could ever mend that.
  return owner.pid !== process.pid || ours.has(owner.token);
}

/** Links our file under the lock's name: appears whole, and fails when a lock is there. */
async function tryLink(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead owner's lock away. Should it be a newer one by now, it is put back, or its owner finds it gone. */
async function displace(path: string, dead: string, token: string): Promise<void> {
  const away = `${path}.${token}.dead`;
  try {
    await rename(path, away);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(away, 'utf8')) !== dead) await tryLink(away, path);
  await unlink(away);
}

/** Which file it is, and as who last wrote into it left it; undefined when it is gone. */
async function lookOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join(' ');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export class DiskLock {
  private readonly path: string;
  private readonly token: string;
  private readonly text: string;
  private readonly subject: string;
  /** Of the file when it was last read and was ours. */
  private look: string | undefined;

  private constructor(path: string, self: Owner, subject: string) {
    this.path = path;
    this.token = self.token;
    this.text = JSON.stringify(self);
    this.subject = subject;
  }

  /** Throws `Transient` while another live process holds the disk. */
  static async take(path: string, subject: string): Promise<DiskLock> {
    const taking = async (): Promise<DiskLock> => {
      const self = await selfAsOwner();
      const lock = new DiskLock(path, self, subject);
      // Before it can be seen, or another attempt of this process would take it for abandoned.
      ours.add(self.token);
      try {
        await lock.link(self.boot);
        return lock;
      } catch (error) {
        ours.delete(self.token);
        throw error;
      }
    };
    return hostCall('lock.take', subject, taking, path);
  }

  private async link(boot: string): Promise<void> {
    const { path, subject, token, text } = this;
    const own = `${path}.${token}`;
    try {
      await writeFile(own, text, { mode: 0o600 });
      for (let round = 0; round < 10; round++) {
        if (await tryLink(own, path)) return;
        const held = (await readIfPresent(path, subject))?.toString('utf8');
        if (held === undefined) continue;
        if (await isAlive(held, boot)) throw heldBy(held, subject);
        await displace(path, held, token);
      }
      throw heldBy('', subject);
    } finally {
      await rm(own, { force: true });
    }
  }

  /** S8: throws `Fenced` when the lock is no longer ours. Asked before every block. */
  async check(): Promise<void> {
    // One call instead of the four of a reading, which is done when the file is no longer the one that was read.
    const look = await hostCall('lock.check', this.subject, () => lookOf(this.path), this.path);
    if (look !== undefined && look === this.look) return;
    const held = await readIfPresent(this.path, this.subject);
    if (held?.toString('utf8') === this.text) {
      this.look = look;
      return;
    }
    throw fenced({
      op: 'lock.check',
      subject: this.subject,
      message: 'the lock of this disk was taken over by another process',
      hint: 'Nothing to do: the newer attempt goes on.',
    });
  }

  /** Throws `Refused` when the file cannot be removed; this process may take the disk again all the same. */
  async release(): Promise<void> {
    ours.delete(this.token);
    await hostCall('lock.release', this.subject, async () => {
      const held = await readIfPresent(this.path, this.subject);
      if (held?.toString('utf8') === this.text) await unlink(this.path);
    });
  }
}

function heldBy(text: string, subject: string): Error {
  const owner = parseOwner(text);
  return transient({
    op: 'lock.take',
    subject,
    message:
      owner === undefined
        ? 'others take the disk at the same moment'
        : `another mover process ${owner.pid} holds the disk`,
    hint: 'Wait for it to end, or stop that process; the lock of a dead process is taken over by itself.',
    retryAfterMs: 2000,
  });
}
