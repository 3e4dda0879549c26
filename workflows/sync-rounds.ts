/**
 * The rounds of one machine while the gate is open: a child of the failback, so that the parent's history stays short.
 * It continues as new when its own history grows; hold stops a running copy (its journal makes going on cheap).
 * Rule: it never decides about the gate; it ends when the parent says finish, at the end of a proven round.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Convergence } from '../model/convergence.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, OpenDisk, RecoveryPoint } from '../model/machine.ts';
import type { PointsTold } from '../model/point.ts';
import type { ScrubReport } from '../model/scrub.ts';
import type { RoundReport, RoundsStatus, RoundTries } from '../model/status.ts';
import { isPointDue, tryApplicationPoint } from './application-points.ts';
import type { CopiedAgain } from './copied-again.ts';
import { roundsDetails } from './details.ts';
import { lookAtHome, unseenWords } from './home-look.ts';
import { watchingHome } from './home-watch.ts';
import { unlessLeft } from './reassigning.ts';
import { advance, type RoundsState, roundsStatus } from './rounds-state.ts';
import { Scrubbing } from './scrubbing.ts';
import { Serving, sourceTurned } from './source-turns.ts';
import { listenForSteering, type Steered } from './steered.ts';
import { releaseOlderPoints, syncRound } from './sync-round.ts';
import { failedAt, stoppedAsAsked } from './trouble.ts';

export const finishRounds = defineSignal('finish');
export const holdRounds = defineSignal<[boolean]>('hold');
/** The disks go to another mover: end, and wait no longer for this one than for one that lives. */
export const leaveMover = defineSignal('leave');
export const roundsQuery = defineQuery<RoundsStatus>('rounds');
/** The child tells its parent once, when the first round is proven. */
export const seeded = defineSignal<[RoundReport | undefined]>('seeded');
/** The child tells its parent whenever its rounds begin or cease to get anywhere (L3). */
export const convergenceTurned = defineSignal<[Convergence]>('convergence');
/** And of each try of an application-consistent point. */
export const pointsTold = defineSignal<[PointsTold]>('points');
/** And of each disk that a round copies in full although there is a base. */
export const diskCopiedAgain = defineSignal<[CopiedAgain]>('copiedAgain');
/** And what each pass of a scrub found. */
export const scrubbed = defineSignal<[ScrubReport]>('scrubbed');

export interface RoundsInput {
  readonly input: FailbackInput;
  readonly run: string;
  /** `SourceMachine.identity` as preflight found it. */
  readonly identity: string | undefined;
  /** Whether the source served when preflight looked; absent when that was not certain. */
  readonly served?: boolean;
  readonly pairs: readonly DiskPair[];
  readonly open: readonly OpenDisk[];
  readonly state: RoundsState;
  readonly held: boolean;
  readonly finish?: boolean;
  readonly left?: boolean;
}

export async function syncRounds(order: RoundsInput): Promise<RoundsState> {
  const rounds = new Rounds(order);
  await rounds.tellSeeded();
  try {
    await watchingHome(order, () => rounds.untilFinished());
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    // An undo may follow, and it must not meet a mover that still reads a disk.
    await CancellationScope.nonCancellable(() => rounds.scrubbing.stop());
    throw failedAt(error, rounds.reached());
  }
  // The cutover waits for nobody: its final round and its seal take the disk from a scrub that has not heard yet.
  rounds.scrubbing.cancel();
  if (rounds.isLeft()) await unlessLeft(new CancellationScope(), () => rounds.scrubbing.stop(), rounds.isLeft);
  await condition(allHandlersFinished);
  return rounds.reached();
}

class Rounds {
  readonly scrubbing: Scrubbing;
  private readonly serving: Serving;
  private readonly order: RoundsInput;
  private readonly steered: Steered;
  private state: RoundsState;
  private held: boolean;
  private finish: boolean;
  private left: boolean;
  readonly isLeft = (): boolean => this.left;
  /** Something else is to be done than to wait for the next round. */
  private readonly isWanted = (): boolean => this.finish || this.held || this.left || this.scrubbing.damaged.length > 0;
  private now = 'starting';
  private pointTakenAt: string | undefined;
  private copying: CancellationScope | undefined;
  /** Whether the running copy was stopped for a hold; a resume may come before the copy has ended. */
  private stoppedForHold = false;
  private toldSeeded = false;
  /** Why home could not be looked at before the round that is under way. */
  private unseen: string | undefined;

  constructor(order: RoundsInput) {
    this.order = order;
    this.state = order.state;
    this.held = order.held;
    this.finish = order.finish === true;
    this.left = order.left === true;
    const known = { ...order.state, sourceServes: order.state.sourceServes ?? order.served };
    this.serving = new Serving(known, (serves) => parentOf().signal(sourceTurned, serves));
    this.scrubbing = new Scrubbing({
      ...order,
      known: order.state.scrubs,
      tell: async (report) => {
        this.say(this.now);
        await parentOf().signal(scrubbed, report);
      },
    });
    this.steered = listenForSteering(() => this.show());
    this.listen();
  }

  private listen(): void {
    const description = 'Sent by the failback: end after a proven round.';
    setHandler(
      finishRounds,
      () => {
        this.finish = true;
      },
      { description },
    );
    setHandler(
      leaveMover,
      () => {
        this.left = true;
      },
      { description: 'Sent by the failback: another mover gets the disks.' },
    );
    setHandler(roundsQuery, () => this.told(), { description: 'The rounds so far.' });
    setHandler(holdRounds, (wanted) => {
      this.held = wanted;
      if (!this.held || !this.copying) return;
      this.stoppedForHold = true;
      this.copying.cancel();
    });
  }

  reached(): RoundsState {
    return { ...this.state, scrubs: this.scrubbing.reports, ...this.serving.known() };
  }

  private told(): RoundsStatus {
    return roundsStatus(this.reached(), this.now, this.steered.paused(), this.pointTakenAt);
  }

  private say(text: string): void {
    this.now = text;
    this.show();
  }

  private show(): void {
    setCurrentDetails(roundsDetails(this.order.input, this.order.pairs, this.told()));
  }

  /** Round after round, until the parent says finish and all that was begun is proven. */
  async untilFinished(): Promise<void> {
    while (!this.left && (!this.finish || this.unfinished())) {
      await this.whileHeld();
      if (this.left) return;
      await this.lookAtHome();
      if (this.held || this.left) continue;
      // Without a base the mover has yet to prove the disks.
      if (this.state.base) this.scrubbing.begin();
      if (!(await this.roundOrHold())) continue;
      await this.applicationPoint();
      if (!this.finish && !this.held && !this.left) await this.restBetweenRounds();
      if (workflowInfo().continueAsNewSuggested) await this.goOnAsNew();
    }
  }

  /**
   * S3: with damage on a disk the cutover would have to copy it in full inside the outage, so that is done first. A round
   * that a hold or a failure stopped half way is ended first too: a disk in the middle of it takes no other delta (S9), and
   * the final round would have to copy it whole while nobody serves.
   */
  private unfinished(): boolean {
    const { done, begun, number } = this.state;
    return done === 0 || begun > number || this.scrubbing.damaged.length > 0;
  }

  private async whileHeld(): Promise<void> {
    if (!this.held) return;
    this.say('held');
    await this.scrubbing.stop();
    await condition(() => !this.held || this.left);
  }

  private async lookAtHome(): Promise<void> {
    const { number } = this.state;
    // What the seed writes on was opened just now, and the watch beside it looks at once.
    this.unseen = number === 0 ? undefined : await lookAtHome(this.order, number);
  }

  /** One round; false when a hold stopped it. */
  private async roundOrHold(): Promise<boolean> {
    try {
      await this.oneRound();
      return true;
    } catch (error) {
      const forHold = this.stoppedForHold && !CancellationScope.current().consideredCancelled;
      if (!forHold || !stoppedAsAsked(error)) throw error;
      return false;
    } finally {
      this.copying = undefined;
      this.steered.forget();
    }
  }

  private async oneRound(): Promise<void> {
    const { state, order } = this;
    this.say(state.number === 0 ? 'seed: copying' : `round ${state.number + 1}: copying${unseenWords(this.unseen)}`);
    const copying = new CancellationScope();
    this.copying = copying;
    this.stoppedForHold = false;
    const { base, tried } = state;
    const from = { anew: state.anew ?? 0, ...(base ? { base } : {}), ...(tried ? { tried } : {}) };
    this.state = { ...state, begun: state.number + 1 };
    const round = {
      ...{ ...order, number: state.number + 1, final: false, damaged: this.scrubbing.damaged, ...from },
      pointMade: (point: RecoveryPoint) => {
        this.pointTakenAt = point.takenAt;
        return this.serving.see(point);
      },
      tellCopiedAgain: (told: CopiedAgain) => parentOf().signal(diskCopiedAgain, told),
      inVain: (tries: RoundTries) => {
        this.state = { ...this.state, tried: tries };
      },
    };
    const result = await unlessLeft(copying, () => syncRound(round), this.isLeft);
    this.copying = undefined;
    if (!result) return;
    this.state = advance(this.state, result.point, result.report);
    this.pointTakenAt = undefined;
    this.scrubbing.afterRound(result.proofs);
    await this.tellSeeded();
    await tellTurn(state.convergence, this.state.convergence);
    await releaseOlderPoints(round, this.state.points ?? []);
    this.serving.assertServes(order.input.source.path, this.finish);
  }

  /** S001-13: never in the way of anything that people or the rounds want. */
  private async applicationPoint(): Promise<void> {
    if (this.isWanted() || !isPointDue(this.order.input, this.state)) return;
    this.say(`round ${this.state.number} proven; taking an application-consistent point`);
    const tried = await tryApplicationPoint(this.order, this.state, this.isWanted);
    if (!tried) return;
    this.state = tried.state;
    await parentOf().signal(pointsTold, tried.told);
  }

  private async restBetweenRounds(): Promise<void> {
    this.scrubbing.begin();
    const { roundEverySeconds } = this.order.input.policy;
    this.say(`round ${this.state.number} proven; next in ${roundEverySeconds} s`);
    await condition(this.isWanted, roundEverySeconds * 1000);
  }

  private async goOnAsNew(): Promise<void> {
    await this.scrubbing.stop();
    await condition(allHandlersFinished);
    const { held, finish, left } = this;
    await continueAsNew<typeof syncRounds>({ ...this.order, state: this.reached(), held, finish, left });
  }

  /** The parent ignores what it knows; telling again after a failure or a continue-as-new is what makes it certain. */
  async tellSeeded(): Promise<void> {
    if (this.toldSeeded || this.state.done === 0) return;
    const seed = this.state.recent.find((round) => round.number === 1);
    await parentOf().signal(seeded, seed);
    this.toldSeeded = true;
  }
}

/** L3: only a turn is news; the rounds go on either way, because each of them protects what it can. */
async function tellTurn(before: Convergence | undefined, now: Convergence | undefined): Promise<void> {
  if (now && now.converges !== (before?.converges ?? true)) await parentOf().signal(convergenceTurned, now);
}

function parentOf() {
  const parent = workflowInfo().parent;
  if (!parent) throw ApplicationFailure.nonRetryable('rounds run only as the child of a failback', 'Defect');
  return getExternalWorkflowHandle(parent.workflowId, parent.runId);
}
