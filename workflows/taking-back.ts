/**
 * How a story goes forward until it is taken back: steps that call an operator when they fail, and the undo list.
 * Rule: each step registers its undo before it acts; undos run newest first, cannot be cancelled, and one that fails calls
 * an operator and goes on when resolved (S5).
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Teller } from './teller.ts';
import { troubleOf } from './trouble.ts';

/** Thrown through the story when a person took it back; carries nothing, the story knows who and why. */
export class TakenBack extends Error {
  override readonly name = 'TakenBack';
}

interface Undo {
  readonly name: string;
  readonly act: () => Promise<void>;
}

export class Course {
  private readonly teller: Teller;
  private readonly undos: Undo[] = [];
  private readonly ahead = new CancellationScope();

  constructor(teller: Teller) {
    this.teller = teller;
    teller.onAccepted = (name) => {
      if (name === 'cancel') this.ahead.cancel();
    };
  }

  /** Tells the story; answers undefined when it was taken back. */
  async forward<T>(tell: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.ahead.run(tell);
    } catch (error) {
      if (error instanceof TakenBack || (isCancellation(error) && this.teller.story.cancellation)) return undefined;
      // A fault of ours outside any step cannot be tried again: the only way on is back.
      while ((await this.ask(error)) !== 'undo') this.teller.goBack();
      return undefined;
    }
  }

  /** Registers how a step is taken back, before the step acts. */
  beforehand(name: string, act: () => Promise<void>): void {
    this.undos.push({ name, act });
  }

  /** One step: tried until it is done, or until a person takes the story back. `mended` sees each failure first. */
  async step<T>(act: () => Promise<T>, mended: (error: unknown) => void = () => undefined): Promise<T> {
    for (;;) {
      try {
        await this.whileHeld();
        return await act();
      } catch (error) {
        if (this.teller.story.cancellation) throw new TakenBack();
        mended(error);
        if ((await this.ask(error)) === 'undo') throw new TakenBack();
        this.teller.goBack();
      }
    }
  }

  /** Waits while the run is held; a cancel ends the wait. */
  async whileHeld(): Promise<void> {
    await condition(() => !this.teller.story.held);
  }

  /** Takes every step back, newest first. */
  async undoAll(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      this.teller.enter('Undoing');
      for (let undo = this.undos.pop(); undo; undo = this.undos.pop()) await this.undoOne(undo);
      this.teller.enter('ReturnedToSource');
    });
  }

  private async undoOne(undo: Undo): Promise<void> {
    await this.insist(undo.act);
    this.teller.record(`undo/${undo.name}`, `took back: ${undo.name}`);
  }

  /** A step that cannot be taken back: tried until it is done, an operator called after each failure. */
  async insist<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        await this.ask(error);
        this.teller.goBack();
      }
    }
  }

  /** Calls an operator and waits for an answer; a cancel that is accepted meanwhile answers undo. */
  private async ask(error: unknown): Promise<'retry' | 'undo'> {
    return await CancellationScope.nonCancellable(async () => {
      const { teller } = this;
      const cancelledBefore = teller.story.cancellation !== undefined;
      teller.callOperator(troubleOf(error, new Date().toISOString()));
      await condition(
        () => teller.story.resolution !== undefined || (!cancelledBefore && teller.story.cancellation !== undefined),
      );
      return teller.story.resolution?.action ?? 'undo';
    });
  }
}
