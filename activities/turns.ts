/**
 * Who may move bytes now: a mover takes work at once (activities/in-hand.ts) and lets only so many disks copy at a time as
 * their block tables have room for in memory.
 * Rule: work inside a cutover never waits behind a seed (L5): it goes before all others and has room that they cannot take,
 * and waits for nothing but other cutovers. All else goes in the order it came, light and heavy ones
 * apart, so that a heavy one that waits stops no light one, and one that is alone always goes. No light one that came later
 * takes what a heavy one waits for. What runs in spare room holds nobody up and leaves when it is needed. Waiting is told in the heartbeat, so a busy mover never looks like one that nobody runs.
 */
import { Failure } from '../model/failure.ts';

/** What is light, by its weight, and which part of the room no heavy one takes. */
export interface LightOnes {
  readonly upTo: number;
  readonly room: number;
}

/** Work that leaves when others need its room. */
interface Spare {
  readonly weight: number;
  readonly leave: () => void;
}

interface Waiting {
  readonly urgent: boolean;
  readonly weight: number;
  /** Asked when its turn has come: where it cannot use it now, the turn is another's. */
  readonly ready: () => boolean;
  readonly begin: () => void;
}

const always = (): boolean => true;

/** What somebody who works turns out to weigh: whoever works goes on, and those that wait find more room or less. */
export type Reweigh = (weight: number) => void;

/** What those that work weigh. */
interface Taken {
  light: number;
  heavy: number;
}

const sum = ({ light, heavy }: Taken): number => light + heavy;

export class Turns {
  private readonly room: number;
  private readonly light: LightOnes;
  private readonly urgentRoom: number;
  private readonly urgent: Taken = { light: 0, heavy: 0 };
  private readonly others: Taken = { light: 0, heavy: 0 };
  private busy = 0;
  private readonly queue: Waiting[] = [];
  private readonly spares = new Set<Spare>();
  /** Told whenever somebody's room became free. */
  private readonly looking = new Set<() => void>();

  /**
   * `room`: what the weights of those that copy at the same time may add up to; `urgentRoom`: what the urgent have besides,
   * whatever the others hold. Without `light` all are alike.
   */
  constructor(room: number, light: LightOnes = { upTo: 0, room: 0 }, urgentRoom = 0) {
    this.room = room;
    this.light = light;
    this.urgentRoom = urgentRoom;
  }

  /** How many work now. */
  get working(): number {
    return this.busy;
  }

  /**
   * Runs `act` in its turn. Rejects with the signal's reason when it fires while waiting. What `act` turns out to weigh
   * instead of `weight`, it says by `reweigh`. `ready` is asked when the turn has come, and takes what else `act` needs: as long
   * as that is not there it answers no, and the turn goes to the next.
   */
  async take<T>(
    urgent: boolean,
    signal: AbortSignal,
    act: (reweigh: Reweigh) => Promise<T>,
    weight = 1,
    ready = always,
  ): Promise<T> {
    await this.wait(signal, { urgent, weight, ready });
    this.busy++;
    const reweigh = this.reweighing(urgent, weight);
    try {
      return await act(reweigh);
    } finally {
      this.busy--;
      reweigh(0);
    }
  }

  /** So much room, where a turn for it is there at once and not only after a wait. It is held until it is said to weigh nothing. */
  takeNow(urgent: boolean, weight: number): Reweigh | undefined {
    let begun = false;
    const mine: Waiting = {
      urgent,
      weight,
      ready: always,
      begin: () => {
        begun = true;
      },
    };
    this.queue.push(mine);
    this.next();
    if (begun) return this.reweighing(urgent, weight);
    this.queue.splice(this.queue.indexOf(mine), 1);
    return undefined;
  }

  /** What one who waits was not ready for may be there now. */
  look(): void {
    this.next();
  }

  /**
   * Runs `act` in room that is left, if there is so much: nobody waits for it, and once others need the room its signal fires.
   * Undefined when there was no room, or no longer.
   */
  async spare<T>(
    weight: number,
    signal: AbortSignal,
    act: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    if (!this.leaves(weight)) return undefined;
    const end = new AbortController();
    const mine: Spare = { weight, leave: () => end.abort() };
    this.spares.add(mine);
    try {
      return await act(AbortSignal.any([signal, end.signal]));
    } catch (error) {
      // What it found counts, also when it was to leave.
      if (!end.signal.aborted || signal.aborted || error instanceof Failure) throw error;
      return undefined;
    } finally {
      this.spares.delete(mine);
      this.weigh();
    }
  }

  /** Answers once there is so much room left. Rejects with the signal's reason when it fires before. */
  async untilSpare(weight: number, signal: AbortSignal): Promise<void> {
    while (!this.leaves(weight)) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = (): void => reject(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
      this.looking.add(resolve);
      await promise.finally(() => {
        signal.removeEventListener('abort', stop);
        this.looking.delete(resolve);
      });
    }
  }

  /** Whether others leave so much: beside them it keeps to the room; beside light ones alone it goes whatever it weighs. */
  private leaves(weight: number, but?: Spare): boolean {
    const spare = [...this.spares].reduce((all, one) => all + (one === but ? 0 : one.weight), 0);
    const light = this.urgent.light + this.others.light;
    const heavy = this.urgent.heavy + this.others.heavy + spare;
    return (heavy === 0 && light <= this.light.room) || light + heavy + weight <= this.room;
  }

  private weigh(): void {
    for (const one of this.spares) if (!this.leaves(one.weight, one)) one.leave();
    for (const look of this.looking) look();
  }

  private reweighing(urgent: boolean, weight: number): Reweigh {
    const [taken, kind] = [this.takenBy(urgent), this.kindOf(weight)];
    let now = weight;
    return (next) => {
      taken[kind] += next - now;
      now = next;
      this.next();
    };
  }

  private takenBy(urgent: boolean): Taken {
    return urgent ? this.urgent : this.others;
  }

  private kindOf(weight: number): keyof Taken {
    return weight <= this.light.upTo ? 'light' : 'heavy';
  }

  /** Room that is free goes to those that wait longest, the urgent first, which then count. */
  private next(): void {
    this.begin(false, this.begin(true, false));
    this.weigh();
  }

  /** `behind`: others wait that go before all of these. Answers whether any of these waits on. */
  private begin(urgent: boolean, behind: boolean): boolean {
    const waits = { light: false, heavy: false };
    const taken = this.takenBy(urgent);
    for (const one of this.queue.filter((each) => each.urgent === urgent)) {
      const kind = this.kindOf(one.weight);
      if (waits[kind]) continue;
      if (kind === 'light' ? this.fitsLight(one, behind || waits.heavy) : !behind && this.fitsHeavy(one)) {
        if (!one.ready()) continue;
        this.queue.splice(this.queue.indexOf(one), 1);
        taken[kind] += one.weight;
        one.begin();
      } else waits[kind] = true;
    }
    return waits.light || waits.heavy;
  }

  /** What the urgent, or the others, may have in all. */
  private roomOf(urgent: boolean): number {
    if (!urgent) return this.room - sum(this.urgent);
    return this.urgentRoom + Math.max(0, this.room - sum(this.others));
  }

  private fits({ urgent, weight }: Waiting): boolean {
    return sum(this.takenBy(urgent)) + weight <= this.roomOf(urgent);
  }

  private fitsLight(one: Waiting, behind: boolean): boolean {
    if (this.takenBy(one.urgent).light + one.weight <= this.light.room) return true;
    return !behind && this.fits(one);
  }

  private fitsHeavy(one: Waiting): boolean {
    const { light, heavy } = this.takenBy(one.urgent);
    const alone = heavy === 0 && (one.urgent || this.urgent.heavy === 0);
    if (alone && light <= this.light.room) return true;
    return heavy + one.weight <= this.roomOf(one.urgent) - this.light.room && this.fits(one);
  }

  private wait(signal: AbortSignal, wish: Omit<Waiting, 'begin'>): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const at = this.queue.indexOf(mine);
        if (at >= 0) this.queue.splice(at, 1);
        reject(signal.reason);
        this.next();
      };
      const mine: Waiting = {
        ...wish,
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
