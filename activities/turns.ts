/**
 * Who may move bytes now: a mover takes every piece of work at once and lets only so many disks copy at a time as their
 * block tables have room in memory.
 * Rule: work inside a cutover never waits behind a seed (L5); the others go in the order they came, and one that is alone
 * always goes. Waiting is told in the heartbeat, so a busy mover never looks like one that nobody runs.
 */
interface Waiting {
  readonly weight: number;
  readonly begin: () => void;
}

export class Turns {
  private readonly room: number;
  private taken = 0;
  private busy = 0;
  private readonly queue: Waiting[] = [];

  /** `room`: what the weights of those that copy at the same time may add up to. */
  constructor(room: number) {
    this.room = room;
  }

  /** How many work now. */
  get working(): number {
    return this.busy;
  }

  /** Runs `act` in its turn; at once when it is urgent. Rejects with the signal's reason when it fires while waiting. */
  async take<T>(urgent: boolean, signal: AbortSignal, act: () => Promise<T>, weight = 1): Promise<T> {
    if (!urgent && (this.queue.length > 0 || !this.fits(weight))) await this.wait(signal, weight);
    else this.taken += weight;
    this.busy++;
    try {
      return await act();
    } finally {
      this.busy--;
      this.taken -= weight;
      this.next();
    }
  }

  private fits(weight: number): boolean {
    return this.taken === 0 || this.taken + weight <= this.room;
  }

  /** Room that was given up goes to those that wait longest, which then count. */
  private next(): void {
    for (let first = this.queue[0]; first !== undefined && this.fits(first.weight); first = this.queue[0]) {
      this.queue.shift();
      this.taken += first.weight;
      first.begin();
    }
  }

  private wait(signal: AbortSignal, weight: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const at = this.queue.indexOf(mine);
        if (at >= 0) this.queue.splice(at, 1);
        reject(signal.reason);
        this.next();
      };
      const mine: Waiting = {
        weight,
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
