/**
 * Long walks over lists, a turn at a time.
 * Rule: L5, a mover has one thread: while it walks no disk copies, no answer is taken and no pause is heard. So whoever walks
 * counts what it looks at, and lets all others have theirs after a hundred thousand.
 */
import { setImmediate as theirTurn } from 'node:timers/promises';

const looksATurn = 100_000;

export class Turn {
  private left = looksATurn;

  /** Counts `looks`; whether this turn is over. */
  isOver(looks = 1): boolean {
    this.left -= looks;
    return this.left <= 0;
  }

  /** Lets others have their turn. */
  async next(): Promise<void> {
    await theirTurn();
    this.left = looksATurn;
  }
}
