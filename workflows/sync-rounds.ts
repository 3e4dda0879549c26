/**
 * The rounds of one machine while the gate is open: a child of the failback, so that the parent's history stays short.
 * It continues as new when its own history grows; hold stops a running copy (its journal makes going on cheap).
 * Rule: it never decides about the gate; it ends when the parent says finish, at the end of a proven round.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { type Convergence, convergence } from '../model/convergence.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, OpenDisk, RecoveryPoint } from '../model/machine.ts';
import type { Steering } from '../model/progress.ts';
import type { ScrubReport } from '../model/scrub.ts';
import type { RoundReport, RoundsStatus } from '../model/status.ts';
import { roundsDetails } from './details.ts';
import { unlessLeft } from './reassigning.ts';
import { Scrubbing } from './scrubbing.ts';
import { listenForSteering } from './steered.ts';
import { releaseOlderPoints, syncRound } from './sync-round.ts';
import { stoppedAsAsked, troubleOf } from './trouble.ts';

export const finishRounds = defineSignal('finish');
export const holdRounds = defineSignal<[boolean]>('hold');
/** The disks go to another mover: end, and wait no longer for this one than for one that lives. */
export const leaveMover = defineSignal('leave');
export const roundsQuery = defineQuery<RoundsStatus>('rounds');
/** The child tells its parent once, when the first round is proven. */
export const seeded = defineSignal<[RoundReport?]>('seeded');
/** The child tells its parent whenever its rounds begin or cease to get anywhere (L3). */
export const convergenceTurned = defineSignal<[Convergence]>('convergence');
/** And what each pass of a scrub found. */
export const scrubbed = defineSignal<[ScrubReport]>('scrubbed');

/** What the rounds have reached; carried through continue-as-new and through failures. */
export interface RoundsState {
  readonly number: number;
  /** The newest round whose copy may have begun; beyond `number` it may stand half written on a disk. */
  readonly begun: number;
  readonly base?: RecoveryPoint;
  readonly done: number;
  readonly recent: readonly RoundReport[];
  readonly copiedBytes: number;
  readonly changedBytes: number;
  readonly convergence?: Convergence;
  readonly scrubs: readonly ScrubReport[];
}

export interface RoundsInput {
  readonly input: FailbackInput;
  readonly run: string;
  /** `SourceMachine.identity` as preflight found it. */
  readonly identity: string | undefined;
  readonly pairs: readonly DiskPair[];
  readonly open: readonly OpenDisk[];
  readonly state: RoundsState;
  readonly held: boolean;
  readonly finish?: boolean;
  readonly left?: boolean;
}

export const noRounds: RoundsState = {
  number: 0,
  begun: 0,
  done: 0,
  recent: [],
  copiedBytes: 0,
  changedBytes: 0,
  scrubs: [],
};

/** How many rounds the status remembers. */
const roundsKept = 20;

export async function syncRounds(order: RoundsInput): Promise<RoundsState> {
  let { state, held } = order;
  let finish = order.finish === true;
  let left = order.left === true;
  const isLeft = (): boolean => left;
  let now = 'starting';
  let copying: CancellationScope | undefined;
  // Whether the running copy was stopped for a hold; a resume may come before the copy has ended.
  let stoppedForHold = false;
  const scrubbing = new Scrubbing({
    ...order,
    known: state.scrubs,
    async tell(report) {
      say(now);
      await parentOf().signal(scrubbed, report);
    },
  });
  const reached = (): RoundsState => ({ ...state, scrubs: scrubbing.reports });
  const say = (text: string): void => {
    now = text;
    show();
  };
  const steered = listenForSteering(() => show());
  const told = (): RoundsStatus => status(reached(), now, steered.paused());
  const show = (): void => setCurrentDetails(roundsDetails(order.input, order.pairs, told()));
  const description = 'Sent by the failback: end after a proven round.';
  setHandler(
    finishRounds,
    () => {
      finish = true;
    },
    { description },
  );
  setHandler(
    leaveMover,
    () => {
      left = true;
    },
    { description: 'Sent by the failback: another mover gets the disks.' },
  );
  setHandler(roundsQuery, told, { description: 'The rounds so far.' });
  setHandler(holdRounds, (wanted) => {
    held = wanted;
    if (!held || !copying) return;
    stoppedForHold = true;
    copying.cancel();
  });

  const oneRound = async (): Promise<void> => {
    say(state.number === 0 ? 'seed: copying' : `round ${state.number + 1}: copying`);
    copying = new CancellationScope();
    stoppedForHold = false;
    const base = state.base ? { base: state.base } : {};
    state = { ...state, begun: state.number + 1 };
    const round = { ...order, number: state.begun, final: false, damaged: scrubbing.damaged, ...base };
    const result = await unlessLeft(copying, () => syncRound(round), isLeft);
    copying = undefined;
    if (!result) return;
    const before = state.convergence;
    state = advance(state, result.point, result.report);
    scrubbing.afterRound(result.proofs);
    await tellSeeded();
    await tellTurn(before, state.convergence);
    await releaseOlderPoints(round);
  };
  // The parent ignores what it knows; telling again after a failure or a continue-as-new is what makes it certain.
  let toldSeeded = false;
  const tellSeeded = async (): Promise<void> => {
    if (toldSeeded || state.done === 0) return;
    await parentOf().signal(
      seeded,
      state.recent.find((round) => round.number === 1),
    );
    toldSeeded = true;
  };
  await tellSeeded();

  const roundAfterRound = async (): Promise<void> => {
    // S3: with damage on a disk the cutover would have to copy it in full inside the outage, so that is done first.
    // A round that a hold or a failure stopped half way is ended first too: a disk in the middle of it takes no other delta
    // (S9), and the final round would have to copy it whole while nobody serves.
    while (!left && (!finish || state.done === 0 || state.begun > state.number || scrubbing.damaged.length > 0)) {
      if (held) {
        say('held');
        await scrubbing.stop();
        await condition(() => !held || left);
        if (left) return;
      }
      // Without a base the mover has yet to prove the disks.
      if (state.base) scrubbing.begin();
      try {
        await oneRound();
      } catch (error) {
        const forHold = stoppedForHold && !CancellationScope.current().consideredCancelled;
        if (!forHold || !stoppedAsAsked(error)) throw failed(error, reached());
        continue;
      } finally {
        copying = undefined;
        steered.forget();
      }
      if (!finish && !held && !left) {
        scrubbing.begin();
        say(`round ${state.number} proven; next in ${order.input.policy.roundEverySeconds} s`);
        const early = () => finish || held || left || scrubbing.damaged.length > 0;
        await condition(early, order.input.policy.roundEverySeconds * 1000);
      }
      if (workflowInfo().continueAsNewSuggested) {
        await scrubbing.stop();
        await condition(allHandlersFinished);
        await continueAsNew<typeof syncRounds>({ ...order, state: reached(), held, finish, left });
      }
    }
  };
  try {
    await roundAfterRound();
  } catch (error) {
    // An undo may follow, and it must not meet a mover that still reads a disk.
    await CancellationScope.nonCancellable(() => scrubbing.stop());
    throw error;
  }
  // The cutover waits for nobody: its final round and its seal take the disk from a scrub that has not heard yet.
  scrubbing.cancel();
  if (left) await unlessLeft(new CancellationScope(), () => scrubbing.stop(), isLeft);
  await condition(allHandlersFinished);
  return reached();
}

function advance(state: RoundsState, base: RecoveryPoint, report: RoundReport): RoundsState {
  const recent = [...state.recent, report].slice(-roundsKept);
  const judged = convergence(recent, state.convergence);
  return {
    ...state,
    number: state.number + 1,
    begun: state.number + 1,
    base,
    done: state.done + 1,
    recent,
    copiedBytes: state.copiedBytes + report.copiedBytes,
    changedBytes: state.changedBytes + report.changedBytes,
    ...(judged ? { convergence: judged } : {}),
  };
}

function status(state: RoundsState, now: string, paused: readonly Steering[]): RoundsStatus {
  const { done, recent, copiedBytes, changedBytes, scrubs } = state;
  const judged = state.convergence ? { convergence: state.convergence } : {};
  return { done, recent, copiedBytes, changedBytes, scrubs, now, ...judged, ...(paused.length > 0 ? { paused } : {}) };
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

/** A failure carries what was reached, so that a retry goes on from the last proven round. */
function failed(error: unknown, state: RoundsState): unknown {
  if (isCancellation(error)) return error;
  const { kind, op, subject, message, hint } = troubleOf(error, new Date().toISOString());
  return ApplicationFailure.create({
    type: kind,
    message,
    nonRetryable: true,
    details: [{ op, subject, hint }, state],
  });
}
