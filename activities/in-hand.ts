/**
 * How many pieces of work a mover has in hand at once: each holds one of its slots at Temporal, also while it only waits.
 * Rule (L5): each kind has places of its own, and together they leave slots for the short steps, so that rounds and scrubs that
 * wait, however many, never keep a cutover, a limit or a question from being taken. Who finds no place comes again:
 * Temporal keeps it meanwhile, and it is no try in vain (activities/vain.ts).
 */
import { Failure, noPlaceOp } from '../model/failure.ts';

/** Nothing was tried: there was no place for it. */
export class NoPlace extends Failure {
  constructor(subject: string, count: number, retryAfterMs: number) {
    const message = `the mover has ${count} disks like this one in hand, so this one comes again in ${retryAfterMs / 1000} s`;
    const hint = 'Nothing to do: its turn comes when others have ended.';
    super('Transient', { op: noPlaceOp, subject, message, hint, retryAfterMs });
  }
}

export class InHand {
  private readonly places: number;
  private readonly comeAgainMs: number;
  private count = 0;

  constructor(places: number, comeAgainMs: number) {
    this.places = places;
    this.comeAgainMs = comeAgainMs;
  }

  /** Runs `act` in a place of its own; throws NoPlace when all are taken. */
  async hold<T>(subject: string, act: () => Promise<T>): Promise<T> {
    if (this.count >= this.places) throw new NoPlace(subject, this.count, this.comeAgainMs);
    this.count++;
    try {
      return await act();
    } finally {
      this.count--;
    }
  }
}

/**
 * More than ever copy at once (activities/table-room.ts), so that none of these stands idle while others come again. Each takes
 * some 50 KiB of memory while it waits, most of it Temporal's: bench/busy-mover.ts fills them all.
 */
const rounds = 310;
/** All disks of some hundred machines at once. */
const cutovers = 400;
/** One reads; so many others wait for it in order. */
const scrubs = 20;
/** Of each kind, so many at once. */
export const moverPlaces = { rounds, cutovers, scrubs } as const;
/** For steps that never wait here: limits, questions, what is removed at a run's end. */
const short = 180;

/** So many slots a mover takes work for. */
export const moverSlots = rounds + cutovers + scrubs + short;

export interface MoverHands {
  readonly rounds: InHand;
  /** What lies inside a cutover. */
  readonly urgent: InHand;
  readonly scrubs: InHand;
}

export const openHands = (): MoverHands => ({
  rounds: new InHand(rounds, 60_000),
  urgent: new InHand(cutovers, 5_000),
  scrubs: new InHand(scrubs, 300_000),
});
