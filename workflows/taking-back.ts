/**
 * How a story goes forward until it is taken back: steps that call an operator when they fail, and the undo list.
 * Rule: each step registers its undo before it acts; undos run newest first, cannot be cancelled, and one that fails calls
 * an operator and goes on when resolved (S5).
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { type Phase, phaseTable } from '../model/phase.ts';
import { type Trouble, withdrawPointChange } from '../model/transition.ts';
import type { Teller } from './teller.ts';
import { callFor, committedHint, together, troubleOf } from './trouble.ts';

/** Thrown through the story when a person took it back; carries nothing, the story knows who and why. */
export class TakenBack extends Error {
  override readonly name = 'TakenBack';
}

/** Thrown through an arrival when a person wants another point at home; carries nothing either. */
export class PointChanged extends Error {
  override readonly name = 'PointChanged';
}

interface Undo {
  readonly name: string;
  readonly act: () => Promise<void>;
}

/** What *skip* leaves out where the watch over the source called. */
const watchStep = 'the watch over the source';

/** Nothing is open at home that a hold would have to be watched for. */
export const nothingBeside = (wait: () => Promise<void>): Promise<void> => wait();

export class Course {
  private readonly teller: Teller;
  private readonly undos: Undo[] = [];
  /** What the watch over the source found, until a person has answered it. */
  private found: Trouble | undefined;
  /** Ends the step that is under way; absent while none is. */
  private interrupt: (() => void) | undefined;
  /** Whether the watch over the source is of any use still. */
  watched = true;
  /** What goes on beside a hold: nothing, until there is something open at home that has to be watched. */
  besideHold = nothingBeside;
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

  /** Before the step acts again: what was registered since it acted last is taken back behind it. */
  onceMore(name: string): void {
    this.undos.sort((one, other) => Number(one.name === name) - Number(other.name === name));
  }

  /** How many steps can be taken back now. */
  get undoable(): number {
    return this.undos.length;
  }

  /** What was registered since there were so many has been taken back already, in another way than by its undo. */
  forgetUndosAfter(count: number): void {
    this.undos.length = count;
  }

  /** One step: tried until it is done, or until a person takes the story back. `mended` sees each failure first. */
  async step<T>(act: () => Promise<T>, mended: (error: unknown) => void = () => undefined): Promise<T> {
    const unheld = async (): Promise<T> => {
      await this.whileHeld();
      while (this.pointWished) {
        await this.turnToPoint();
        await this.whileHeld();
      }
      return await act();
    };
    return await this.wait(unheld, mended);
  }

  /** The same, held or not. */
  async wait<T>(act: () => Promise<T>, mended: (error: unknown) => void = () => undefined): Promise<T> {
    for (;;) {
      try {
        return await this.ended(act);
      } catch (error) {
        if (error instanceof TakenBack) throw error;
        this.assertAhead();
        if (error instanceof PointChanged) {
          if (!this.found) throw error;
          // S1: what the watch found meanwhile is heard first. The choice stands, and is looked at anew.
          await this.answered();
          continue;
        }
        mended(error);
        await this.answered(error);
      }
    }
  }

  private async ended<T>(act: () => Promise<T>): Promise<T> {
    while (this.found) await this.answered();
    const scope = new CancellationScope();
    this.interrupt = () => scope.cancel();
    let done: T;
    try {
      done = await scope.run(act);
    } finally {
      this.interrupt = undefined;
    }
    // A cancel may have been accepted while the step still came to its good end: then nothing follows it.
    this.assertAhead();
    // S1: nor after a finding, before a person has heard of it; what is done stays done.
    if (this.found) await this.answered();
    return done;
  }

  /** Asks what to do about a failure, or only about what the watch found, and goes on from there. */
  private async answered(error?: unknown): Promise<void> {
    if ((await this.ask(error)) === 'undo') throw new TakenBack();
    this.teller.goBack();
  }

  /** Whether a person has chosen another point than the one that arrives, where it can be followed. */
  get pointWished(): boolean {
    const { phase, pointChange } = this.teller.story;
    return pointChange !== undefined && phaseTable[phase].changePoint !== undefined;
  }

  /**
   * A part of a step: throws PointChanged, or returns when that point cannot be taken; the choice is withdrawn then. Returns
   * too when a person held the run meanwhile; the choice stands then, and is looked at anew after the hold.
   */
  async turnToPoint(): Promise<void> {
    const { teller } = this;
    const reason = await teller.lookBeforeChange();
    if (reason === undefined && teller.story.held) return;
    if (reason === undefined) throw new PointChanged();
    const by = teller.story.pointChange?.by ?? '';
    teller.record('point-not-changed', `another point could not be taken: ${reason}`, { by });
    teller.amend((story) => withdrawPointChange(story, new Date().toISOString(), reason));
  }

  get alarmed(): boolean {
    return this.found !== undefined;
  }

  /**
   * S1: the watch over the source found something. Whatever the story waits for, an operator is called now: a step ends, a
   * call for another reason is said anew with both reasons. What comes between two steps is heard by the next one.
   */
  alarm(error: unknown): void {
    const { teller } = this;
    const { commitment, phase, resolution, trouble } = teller.story;
    const seen: Trouble = { ...troubleOf(error, new Date().toISOString()), watch: true, step: watchStep };
    this.found = commitment ? { ...seen, hint: committedHint } : seen;
    if (seen.op === 'observe-power') teller.find({ sourceIdle: false });
    const asking = phase === 'NeedsOperator' && resolution === undefined;
    if (asking) teller.callOperator(trouble ? together(this.found, trouble) : this.found);
    else if (this.interrupt) teller.callOperator(this.found);
    this.interrupt?.();
  }

  /** The source is retired, or left as it stands: there is nothing to be found any more. */
  endWatch(): void {
    this.watched = false;
    this.found = undefined;
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

  /** Waits while the run is held; a cancel ends the wait, and so does what is found beside it. */
  async whileHeld(): Promise<void> {
    const isHeld = (): boolean => this.teller.story.held !== undefined;
    if (isHeld()) await this.besideHold(() => condition(() => !isHeld()));
  }

  /** Takes every step back, newest first. */
  async undoAll(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      this.endWatch();
      await this.beginUndo();
      const { story } = this.teller;
      if (story.untouched) this.teller.record('nothing-touched', `who serves: ${this.teller.status().serves}`);
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
        const answer = await this.ask(error, `undo: ${undo.name}`);
        const because = this.teller.story.trouble?.message;
        this.teller.goBack();
        // L6: what cannot be taken back any more is left to a person, by name and in the record.
        if (answer === 'skip') return this.leftOut(undo.name, because);
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
        const answer = await this.ask(error, name);
        const because = this.teller.story.trouble?.message;
        this.teller.goBack();
        if (answer !== 'skip') continue;
        this.leftOut(name, because);
        return left;
      }
    }
  }

  /** S11: why, as the operator was told, names what stays. */
  private leftOut(name: string, because = ''): void {
    this.teller.record(`skipped/${name}`, `an operator left this out: ${name}`, { because });
    this.teller.find({ leftOut: [...this.teller.findings.leftOut, name] });
  }

  /**
   * Calls an operator and waits for an answer; a cancel that is accepted meanwhile answers undo. `step`: what may be left
   * out, by name.
   */
  private async ask(error?: unknown, step?: string): Promise<'retry' | 'undo' | 'skip'> {
    return await CancellationScope.nonCancellable(async () => {
      const { teller } = this;
      const cancelledBefore = teller.story.cancellation !== undefined;
      this.call(error, step);
      await condition(
        () => teller.story.resolution !== undefined || (!cancelledBefore && teller.story.cancellation !== undefined),
      );
      const answer = teller.story.resolution?.action ?? 'undo';
      if (this.found && answer === 'skip') {
        this.watched = false;
        teller.record('source-unwatched', 'an operator left the source as it stands; it is watched no more');
      }
      this.found = undefined;
      return answer;
    });
  }

  private call(error: unknown, step?: string): void {
    const { teller, found } = this;
    const trouble = callFor(teller.story, { found, error, step }, new Date().toISOString());
    if (trouble) teller.callOperator(trouble);
  }
}
