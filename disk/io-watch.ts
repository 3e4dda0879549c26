/**
 * One attempt's eye on its I/O, on the target and on the mover's own record of it: calls that no longer return (a dead path, a
 * hung NFS) end the waiting. `hostCall` (disk/failure.ts) takes every call to it, so that none is forgotten.
 * Rule: a call that hangs in the kernel cannot be taken back and may still land, so nothing here ends it. What it may touch
 * stays with the attempt: its buffers, its lock, its place among the attempts on the disk (S8). Only whoever waits for the
 * attempt is told.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Failure, transient } from '../model/failure.ts';

/**
 * So long may all calls of a disk be silent. Linux gives a SCSI command 30 s and several tries, an NFS mount a minute before
 * it says that the server does not answer; a datastore in trouble comes back within that or not soon.
 */
export const ioDeadlineMs = 120_000;
/** A timer that is late by more than this says that this process stood still, not the disk. */
const lateMs = 5_000;

/** The watch of the attempt that runs here. */
const current = new AsyncLocalStorage<IoWatch>();

/** Runs one call of the attempt's under its watch; outside of an attempt just runs it. */
export function watched<T>(op: string, act: () => Promise<T>): Promise<T> {
  const watch = current.getStore();
  return watch === undefined ? act() : watch.run(op, act);
}

export class IoWatch {
  private readonly subject: string;
  private readonly limitMs: number;
  private readonly end = Promise.withResolvers<never>();
  private readonly calls = new Map<symbol, string>();
  private timer: NodeJS.Timeout | undefined;
  private dueAt = 0;

  constructor(subject: string, limitMs = ioDeadlineMs) {
    this.subject = subject;
    this.limitMs = limitMs;
    // Whoever waits for the attempt hears it; nobody need be waiting.
    this.end.promise.catch(() => undefined);
  }

  /** Rejects with Transient once no call has returned for so long although there are some. */
  get gaveUp(): Promise<never> {
    return this.end.promise;
  }

  /** Runs an attempt: all its calls are watched. */
  during<T>(attempt: () => Promise<T>): Promise<T> {
    return current.run(this, attempt);
  }

  /** Runs one call. It is awaited to its end, however long that takes. */
  async run<T>(op: string, act: () => Promise<T>): Promise<T> {
    const call = Symbol(op);
    this.calls.set(call, op);
    if (this.calls.size === 1) this.arm();
    try {
      return await act();
    } finally {
      this.calls.delete(call);
      this.arm();
    }
  }

  /** The time begins anew with every call that returns. */
  private arm(): void {
    clearTimeout(this.timer);
    if (this.calls.size === 0) return;
    this.dueAt = performance.now() + this.limitMs;
    // A call on its way keeps the process alive by itself.
    this.timer = setTimeout(() => this.look(), this.limitMs).unref();
  }

  private look(): void {
    // On waking, timers may run before calls that have returned meanwhile are heard.
    if (performance.now() - this.dueAt > lateMs) this.arm();
    else this.end.reject(this.silent());
  }

  private silent(): Failure {
    const [op = 'target.io'] = this.calls.values();
    const [what, look] = op.startsWith('target.')
      ? [`the target disk of ${this.subject}`, 'the path to the datastore']
      : [`the mover's own record of ${this.subject}`, 'the storage of the mover’s state folder'];
    return transient({
      op,
      subject: this.subject,
      message: `${what} has answered no call for ${Math.round(this.limitMs / 1000)} s (${this.calls.size} on their way, ${op} first)`,
      hint: `Look at ${look}. The copy goes on by itself once the calls return; if the storage is gone for good, end this mover process first.`,
    });
  }
}
