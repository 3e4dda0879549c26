/**
 * So many at once, the others in the order they came; the number may change while they run.
 * Rule: who stops waiting loses nothing for the others. Never starves: first come, first served.
 */
export class Slots {
  private limit: number;
  private busy = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  get most(): number {
    return this.limit;
  }

  /** From now on at most `limit` at once; those inside stay. */
  set most(limit: number) {
    this.limit = limit;
    this.admit();
  }

  /** Waits for a place; returns the way out of it. Throws the signal's reason when it fires first. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.busy >= this.limit) await this.wait(signal);
    else this.busy++;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.busy--;
      this.admit();
    };
  }

  private admit(): void {
    while (this.busy < this.limit) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.busy++;
      next();
    }
  }

  private async wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      const at = this.waiting.indexOf(resolve);
      // Admitted at the same moment: the place is ours, and its owner meets the signal itself.
      if (at < 0) return;
      this.waiting.splice(at, 1);
      reject(signal.reason);
    };
    this.waiting.push(resolve);
    signal.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }
}
