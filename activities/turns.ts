/**
 * Who may move bytes now: a mover takes every piece of work at once and lets only so many disks copy at a time as their
 * block tables have room in memory.
 * Rule: work inside a cutover never waits behind a seed (L5); the others go in the order they came, light and heavy ones
 * apart, so that a heavy one that waits stops no light one, and one that is alone always goes. No light one that came later
 * takes what a heavy one waits for. Waiting is told in the heartbeat, so a busy mover never looks like one that nobody runs.
 */
/** What is light, by its weight, and which part of the room no heavy one takes. */
export interface LightOnes {
  readonly upTo: number;
  readonly room: number;
}

interface Waiting {
  readonly weight: number;
  readonly begin: () => void;
}

export class Turns {
  private readonly room: number;
  private readonly light: LightOnes;
  private readonly taken = { light: 0, heavy: 0 };
  private busy = 0;
  private readonly queue: Waiting[] = [];

  /** `room`: what the weights of those that copy at the same time may add up to. Without `light` all are alike. */
  constructor(room: number, light: LightOnes = { upTo: 0, room: 0 }) {
    this.room = room;
    this.light = light;
  }

  /** How many work now. */
  get working(): number {
    return this.busy;
  }

  /**
   * Runs `act` in its turn; at once when it is urgent. Rejects with the signal's reason when it fires while waiting. What
   * `act` turns out to weigh besides, it says by `grow`: whoever works goes on, and those that wait find less room.
   */
  async take<T>(
    urgent: boolean,
    signal: AbortSignal,
    act: (grow: (more: number) => void) => Promise<T>,
    weight = 1,
  ): Promise<T> {
    const kind = this.kindOf(weight);
    if (urgent) this.taken[kind] += weight;
    else await this.wait(signal, weight);
    this.busy++;
    let whole = weight;
    const grow = (more: number): void => {
      whole += more;
      this.taken[kind] += more;
    };
    try {
      return await act(grow);
    } finally {
      this.busy--;
      this.taken[kind] -= whole;
      this.next();
    }
  }

  private kindOf(weight: number): 'light' | 'heavy' {
    return weight <= this.light.upTo ? 'light' : 'heavy';
  }

  /** Room that is free goes to those that wait longest, which then count. */
  private next(): void {
    const waits = { light: false, heavy: false };
    for (const one of [...this.queue]) {
      const kind = this.kindOf(one.weight);
      if (waits[kind]) continue;
      if (kind === 'light' ? this.fitsLight(one.weight, waits.heavy) : this.fitsHeavy(one.weight)) {
        this.queue.splice(this.queue.indexOf(one), 1);
        this.taken[kind] += one.weight;
        one.begin();
      } else waits[kind] = true;
    }
  }

  private fits(weight: number): boolean {
    return this.taken.light + this.taken.heavy + weight <= this.room;
  }

  private fitsLight(weight: number, heavyWaits: boolean): boolean {
    if (this.taken.light + weight <= this.light.room) return true;
    return !heavyWaits && this.fits(weight);
  }

  private fitsHeavy(weight: number): boolean {
    if (this.taken.heavy === 0 && this.taken.light <= this.light.room) return true;
    return this.taken.heavy + weight <= this.room - this.light.room && this.fits(weight);
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
      this.next();
    });
  }
}
