/**
 * How a story goes forward until it is taken back: steps that call an operator when they fail, and the undo list.
 * Rule: each step registers its undo before it acts; undos run newest first, cannot be cancelled, and one that fails calls
 * an operator and goes on when resolved (S5).
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Phase } from '../model/phase.ts';
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
  /** Shielded from Temporal's own cancellation: that one is a message too, and only an accepted one stops the story. */
  private readonly ahead = new CancellationScope({
    cancellable: true,
    parent: new CancellationScope({ cancellable: false }),
  });

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
        return await this.ended(act);
      } catch (error) {
        this.assertAhead();
        mended(error);
        if ((await this.ask(error)) === 'undo') throw new TakenBack();
        this.teller.goBack();
      }
    }
  }

  /** Like a step, held or not, but a person may leave it out: false then. */
  async stepOrSkip(act: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await this.ended(act);
        return true;
      } catch (error) {
        this.assertAhead();
        const answer = await this.ask(error);
        if (answer === 'undo') throw new TakenBack();
        this.teller.goBack();
        if (answer === 'skip') return false;
      }
    }
  }

  private async ended<T>(act: () => Promise<T>): Promise<T> {
    const done = await act();
    // A cancel may have been accepted while the step still came to its good end: then nothing follows it.
    this.assertAhead();
    return done;
  }

  /** Throws TakenBack once a person has taken the story back. */
  assertAhead(): void {
    if (this.teller.story.cancellation) throw new TakenBack();
  }

  /** Enters the next phase, unless the story was taken back meanwhile. */
  enter(phase: Phase): void {
    this.assertAhead();
    this.teller.enter(phase);
  }

  /** Waits while the run is held; a cancel ends the wait. */
  async whileHeld(): Promise<void> {
    await condition(() => !this.teller.story.held);
  }

  /** Takes every step back, newest first. */
  async undoAll(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      await this.beginUndo();
      for (let undo = this.undos.pop(); undo; undo = this.undos.pop()) await this.undoOne(undo);
      this.teller.enter('ReturnedToSource');
    });
  }

  /** A run never dies on its way back: what the law refuses here waits for a person instead. */
  private async beginUndo(): Promise<void> {
    for (;;) {
      try {
        return this.teller.enter('Undoing');
      } catch (error) {
        await this.ask(error);
      }
    }
  }

  private async undoOne(undo: Undo): Promise<void> {
    for (;;) {
      try {
        await undo.act();
        return this.teller.record(`undo/${undo.name}`, `took back: ${undo.name}`);
      } catch (error) {
        const answer = await this.ask(error);
        this.teller.goBack();
        // L6: what cannot be taken back any more is left to a person, by name and in the record.
        if (answer === 'skip') return this.leftOut(undo.name);
      }
    }
  }

  /**
   * A step that cannot be taken back: tried until it is done, an operator called after each failure. L6: what cannot be
   * done any more may be left out by name; `left` is answered then, and the record says so.
   */
  async insist<T>(name: string, act: () => Promise<T>, left: T): Promise<T> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        const answer = await this.ask(error);
        this.teller.goBack();
        if (answer !== 'skip') continue;
        this.leftOut(name);
        return left;
      }
    }
  }

  private leftOut(name: string): void {
    this.teller.record(`skipped/${name}`, `an operator left this out: ${name}`);
    this.teller.find({ leftOut: [...this.teller.findings.leftOut, name] });
  }

  /** Calls an operator and waits for an answer; a cancel that is accepted meanwhile answers undo. */
  private async ask(error: unknown): Promise<'retry' | 'undo' | 'skip'> {
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
