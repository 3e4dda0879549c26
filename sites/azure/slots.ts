/**
 * So many at once; the number may change while they run. Of those who wait the urgent come first, then whose machine has
 * fewest inside, then who came first.
 * Rule: who stops waiting loses nothing for the others. L5: a disk that was not answered last may be silent for long, so such
 * disks have a part of the places, the urgent of them one of their own, and who is answered always finds the rest.
 */
import type { Share } from '../../disk/block-pool.ts';

/** Of the places for disks that were not answered last, urgent and other each; one at least. */
const trialPart = 3 / 8;

interface Waiter {
  readonly share: Share | undefined;
  readonly begin: () => void;
}

interface Place {
  readonly share: Share | undefined;
  readonly onTrial: boolean;
}

/** Whoever brings no share has been answered, and is of one machine with the others who bring none. */
const onTrial = (share: Share | undefined): boolean => share !== undefined && !share.answers;
const isUrgent = (share: Share | undefined): boolean => share?.urgent === true;

export class Slots {
  private limit: number;
  private readonly inside = new Set<Place>();
  private readonly waiting: Waiter[] = [];

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
  async enter(signal: AbortSignal, share?: Share): Promise<() => void> {
    signal.throwIfAborted();
    const place = this.mayEnter(share) ? this.take(share) : await this.wait(signal, share);
    return () => {
      if (this.inside.delete(place)) this.admit();
    };
  }

  private mayEnter(share: Share | undefined): boolean {
    if (this.inside.size >= this.limit) return false;
    if (!onTrial(share)) return true;
    const alike = [...this.inside].filter((one) => one.onTrial && isUrgent(one.share) === isUrgent(share));
    return alike.length < Math.max(1, Math.floor(this.limit * trialPart));
  }

  private take(share: Share | undefined): Place {
    const place = { share, onTrial: onTrial(share) };
    this.inside.add(place);
    return place;
  }

  private admit(): void {
    for (let next = this.next(); next !== undefined; next = this.next()) {
      this.waiting.splice(this.waiting.indexOf(next), 1);
      next.begin();
    }
  }

  private next(): Waiter | undefined {
    if (this.inside.size >= this.limit || this.waiting.length === 0) return undefined;
    const held = new Map<string | undefined, number>();
    for (const { share } of this.inside) held.set(share?.machine, (held.get(share?.machine) ?? 0) + 1);
    const ofMachine = ({ share }: Waiter): number => held.get(share?.machine) ?? 0;
    const goesBefore = (one: Waiter, other: Waiter): boolean => {
      if (isUrgent(one.share) !== isUrgent(other.share)) return isUrgent(one.share);
      return ofMachine(one) < ofMachine(other);
    };
    const [first, ...others] = this.waiting.filter(({ share }) => this.mayEnter(share));
    return others.reduce((best, one) => (best !== undefined && goesBefore(one, best) ? one : best), first);
  }

  private async wait(signal: AbortSignal, share: Share | undefined): Promise<Place> {
    const { promise, resolve, reject } = Promise.withResolvers<Place>();
    const mine: Waiter = { share, begin: () => resolve(this.take(share)) };
    const leave = (): void => {
      const at = this.waiting.indexOf(mine);
      // Admitted at the same moment: the place is ours, and its owner meets the signal itself.
      if (at < 0) return;
      this.waiting.splice(at, 1);
      reject(signal.reason);
    };
    this.waiting.push(mine);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }
}
