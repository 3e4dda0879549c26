/**
 * Who may move bytes now: a mover takes every piece of work at once and lets only so many disks copy at a time.
 * Rule: work inside a cutover never waits behind a seed (L5); the others go in the order they came. Waiting is told in the
 * heartbeat, so a busy mover never looks like one that nobody runs.
 */
interface Waiting {
  readonly begin: () => void;
}

export class Turns {
  private readonly atOnce: number;
  private busy = 0;
  private readonly queue: Waiting[] = [];

  /** `atOnce`: how many disks copy at the same time; each holds some tens of MiB of buffers. */
  constructor(atOnce: number) {
    this.atOnce = atOnce;
  }

  /** How many work now. */
  get working(): number {
    return this.busy;
  }

  /** Runs `act` in its turn; at once when it is urgent. Rejects with the signal's reason when it fires while waiting. */
  async take<T>(urgent: boolean, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    if (!urgent && this.busy >= this.atOnce) await this.wait(signal);
    else this.busy++;
    try {
      return await act();
    } finally {
      this.busy--;
      if (this.busy < this.atOnce) this.next();
    }
  }

  /** A place that was given up goes to the longest waiting one, which then counts as busy. */
  private next(): void {
    const first = this.queue.shift();
    if (!first) return;
    this.busy++;
    first.begin();
  }

  private wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const at = this.queue.indexOf(mine);
        if (at >= 0) this.queue.splice(at, 1);
        reject(signal.reason);
      };
      const mine: Waiting = {
        begin: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
      this.queue.push(mine);
    });
  }
}
