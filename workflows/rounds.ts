/**
 * The parent's side of the rounds: starts the child, passes hold, resume and finish on, enters Syncing when the seed is
 * proven, and waits at the gate *complete failover*.
 * Rule: completing during the seed is kept for the gate (C16), never lost and never early.
 */
import { condition, type SignalDefinition, setHandler, startChild } from '@temporalio/workflow';
import { controlQueue, roundsWorkflowId } from '../model/failback-input.ts';
import type { OpenDisk } from '../model/machine.ts';
import { movedDiskCheck } from '../model/opened.ts';
import { isInShape, notOurs } from '../model/own-words.ts';
import { phaseTable } from '../model/phase.ts';
import { type PointsTold, withPoints } from '../model/point.ts';
import { rereadInFull, type ScrubReport } from '../model/scrub.ts';
import { refuse } from '../model/transition.ts';
import { checkBeforeCutover } from './clearance.ts';
import { recordCopiedAgain } from './copied-again.ts';
import { type Journey, openDisks, type Way } from './departure.ts';
import { recordCopyForecast, recordTurn } from './foresight.ts';
import { copiedAnew, noRounds, type RoundsState, withOneMore, withoutRecord } from './rounds-state.ts';
import { hearTurn, servedAtFirst, sourceTurned } from './source-turns.ts';
import {
  convergenceTurned,
  diskCopiedAgain,
  finishRounds,
  holdRounds,
  leaveMover,
  pointsTold,
  scrubbed,
  seeded,
  syncRounds,
} from './sync-rounds.ts';
import type { Teller } from './teller.ts';
import { carriedState, isOf } from './trouble.ts';

/** What the rounds reached, and the disks as they hang now: on another mover, when the machine was reassigned meanwhile. */
export interface Synced {
  readonly open: readonly OpenDisk[];
  readonly rounds: RoundsState;
}

export async function runTheRounds(journey: Journey, way: Way, open: readonly OpenDisk[]): Promise<Synced> {
  const { teller } = journey;
  listenToTheChild(teller);
  if (servedAtFirst(way.found) === false) teller.find({ sourceIdle: true });
  const { synced } = await onceCurrent(journey, way, { open, rounds: noRounds }, async (disks) => {
    await checkBeforeCutover(journey, way, disks);
    return teller.story.held || teller.story.reassignment ? undefined : true;
  });
  return synced;
}

function listenToTheChild(teller: Teller): void {
  // S7: anybody can send these by hand, and a handler that throws would stop the run for good.
  const hear = <Told>(signal: SignalDefinition<[Told]>, act: (told: Told) => void): void =>
    setHandler(signal, (told: Told) => {
      if (isInShape(signal.name, told)) return act(told);
      teller.amend((story) => refuse(story, signal.name, 'unknown', new Date().toISOString(), notOurs));
    });
  hear(seeded, (seed) => {
    // A signal handler must never throw: after a cancel the seed no longer matters.
    if (teller.story.phase !== 'Seeding' || teller.story.cancellation) return;
    teller.enter('Syncing');
    teller.record('seeded', 'the first round is proven on every disk');
    if (seed?.said) recordCopyForecast(teller, 'seed', seed, seed.said);
  });
  hear(convergenceTurned, (now) => {
    teller.find({ convergence: now });
    recordTurn(teller, now);
  });
  hear(diskCopiedAgain, (told) => recordCopiedAgain(teller, told));
  hear(sourceTurned, (serves) => hearTurn(teller, serves));
  hear(pointsTold, (told) => recordPoint(teller, told));
  hear(scrubbed, (report) => recordScrub(teller, report));
}

/**
 * One step, however often it is tried and whichever movers it goes through: rounds, unless some are proven already, and then
 * `act`, until it answers something. What it finds, or a hold, may take a person hours: so one more round moves what was
 * written meanwhile before `act` is tried again, while the source serves.
 */
export async function onceCurrent<T>(
  journey: Journey,
  way: Way,
  from: Synced,
  act: (open: readonly OpenDisk[]) => Promise<T | undefined>,
): Promise<{ readonly synced: Synced; readonly answer: T }> {
  const { teller, course } = journey;
  let state = from.rounds;
  let open: readonly OpenDisk[] | undefined = from.open;
  let due = state.done === 0;
  const step = async (): Promise<{ synced: Synced; answer: T }> => {
    for (;;) {
      // While a hold lasts the machine may still go to another mover.
      await course.whileHeld();
      if (teller.story.reassignment || !open) {
        open = undefined;
        due = true;
        state = withoutRecord(state);
        open = await openDisks(journey, way);
      }
      if (due) state = await provenOrLeft(journey, way, open, state);
      const reached = state;
      due = true;
      state = withOneMore(reached);
      if (teller.story.held || teller.story.reassignment) continue;
      const answer = await act(open);
      if (answer === undefined) continue;
      teller.find({ rounds: { ...reached, now: 'finished' } });
      return { synced: { open, rounds: reached }, answer };
    }
  };
  return await course.wait(step, (error) => {
    state = withOneMore(carriedState<RoundsState>(error) ?? state);
    if (!isOf(error, movedDiskCheck)) return;
    open = undefined;
    state = copiedAnew(state);
  });
}

/** Rounds to their end, or until the mover is left. */
async function provenOrLeft(
  journey: Journey,
  way: Way,
  open: readonly OpenDisk[],
  state: RoundsState,
): Promise<RoundsState> {
  const { teller } = journey;
  let reached: RoundsState;
  try {
    reached = await childRounds(journey, way, open, state);
  } catch (error) {
    // Whatever went wrong on a mover that is being left needs no person: the next one copies in full.
    if (!teller.story.reassignment || teller.story.cancellation) throw error;
    return carriedState<RoundsState>(error) ?? state;
  }
  if (teller.story.reassignment) return reached;
  const { done, copiedBytes, changedBytes, scrubs } = reached;
  teller.find({ rounds: { ...reached, now: 'finished; the way is looked at once more' } });
  teller.record('rounds', done === 1 ? '1 round is proven' : `${done} rounds are proven`, {
    ...{ rounds: done, copiedBytes, changedBytes },
    rereadInFull: scrubs
      .filter(rereadInFull)
      .map(({ disk }) => disk)
      .join(', '),
  });
  return reached;
}

/** S12: one that was taken is an effect; one that could not be is told by the status, and by no entry. */
function recordPoint(teller: Teller, told: PointsTold): void {
  teller.amend((story) => withPoints(story, told));
  const { taken } = told;
  if (!taken) return;
  const what = 'an application-consistent point of every disk was taken';
  teller.record(`application-point/${taken.after}`, what, { after: taken.after, takenAt: taken.takenAt });
}

/** A pass that ended without an answer shows nothing and is no entry; the status tells of it. */
function recordScrub(teller: Teller, { disk, last, damage, damages, problem }: ScrubReport): void {
  if (damage !== undefined) {
    const what = 'the target is not known to be what was proven any more; the disk is copied in full again';
    teller.record(`scrub/${disk}/damage-${damages}`, what, { found: damage });
  } else if (last !== undefined && problem === undefined) {
    const what = 'the whole disk was read again past the page cache and is what was proven';
    const { bytes, startedAt, endedAt } = last;
    teller.record(`scrub/${disk}/${last.pass}`, what, { bytes, startedAt, endedAt });
  }
}

/** Runs the child to its end; while it runs, holds are passed on and the gate lets it finish. */
async function childRounds({ input, run, teller }: Journey, way: Way, open: readonly OpenDisk[], state: RoundsState) {
  const id = roundsWorkflowId(input.machine);
  const served = servedAtFirst(way.found);
  let ended = false;
  const isHeld = (): boolean => teller.story.held !== undefined;
  // What the child was told last; a hold may arrive while it is being started.
  let held = isHeld();
  // Told at once, so that a gate that is open already is no rest between two rounds.
  let finishing = mayFinish(teller);
  const child = await startChild(syncRounds, {
    workflowId: id,
    taskQueue: controlQueue,
    args: [
      {
        input,
        run,
        identity: way.found.identity,
        ...(served === undefined ? {} : { served }),
        pairs: way.pairs,
        open,
        state,
        held,
        finish: finishing,
      },
    ],
    staticSummary: `Rounds of ${input.machine}`,
  });
  const isLeft = (): boolean => teller.story.reassignment !== undefined;
  const passOn = async (): Promise<void> => {
    let left = false;
    while (!ended) {
      await condition(() => ended || held !== isHeld() || (!finishing && mayFinish(teller)) || (!left && isLeft()));
      // Both may have changed back before this line: a hold and its resume can arrive together.
      if (held !== isHeld()) {
        held = isHeld();
        await child.signal(holdRounds, held);
      } else if (!finishing && mayFinish(teller)) {
        finishing = true;
        await child.signal(finishRounds);
      } else if (!left && isLeft()) {
        left = true;
        await child.signal(leaveMover);
      }
    }
  };
  teller.find({ roundsWorkflow: id });
  try {
    const reached = child.result().finally(() => {
      ended = true;
    });
    // A signal that fails because the child just ended is not the news: how the child ended is.
    const passed = passOn().catch(async (error: unknown) => {
      await reached;
      throw error;
    });
    const [result] = await Promise.all([reached, passed]);
    return result;
  } finally {
    ended = true;
    teller.find({ roundsWorkflow: undefined });
  }
}

/** The gate: a person completed the failover, the seed is proven, and nobody holds. */
const mayFinish = ({ story }: Teller): boolean =>
  story.completion !== undefined && story.held === undefined && phaseTable[story.phase].complete !== 'queued';
