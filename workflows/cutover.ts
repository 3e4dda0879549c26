/**
 * The cutover: stop the source, move the last changes, and arrive (workflows/arriving.ts).
 * Rule (S1): the final recovery point is taken only after the source was observed stopped, and the target is started only
 * after that.
 */
import { CancellationScope } from '@temporalio/workflow';
import { type OpenDisk, pointName, type RecoveryPoint } from '../model/machine.ts';
import { movedDiskCheck } from '../model/opened.ts';
import type { ApplicationPoint } from '../model/point.ts';
import { sentBytes } from '../model/round.ts';
import { rereadCost, type ScrubReport, scrubsAfter } from '../model/scrub.ts';
import { markSourceSeen } from '../model/transition.ts';
import { type Arrival, arrive } from './arriving.ts';
import { chosenPoint, recordChosen } from './chosen-point.ts';
import { checkHomeBeforeStop } from './clearance.ts';
import { readyToCutOver } from './completion-guard.ts';
import { type Journey, ofPower, openDisks, openTheTarget, registerTargetUndo, type Way } from './departure.ts';
import { measuredBy, recordCompletionForecast, recordOutageFact } from './foresight.ts';
import { stepsBeforeStop } from './guest-steps.ts';
import { needHomeAsOpened } from './home-look.ts';
import { watchingHome } from './home-watch.ts';
import type { Standing } from './proven.ts';
import { unlessLeft } from './reassigning.ts';
import { onceCurrent, type Synced } from './rounds.ts';
import { copiedAnew, noRounds, withoutRecord } from './rounds-state.ts';
import { type RoundResult, syncRound } from './sync-round.ts';
import { isOf } from './trouble.ts';
import { controlVerbs, summary } from './verbs.ts';

/** `synced`: what the rounds reached before; absent when everything is copied in here. */
export async function cutOver(journey: Journey, way: Way, synced?: Synced): Promise<Arrival> {
  const { course } = journey;
  if (!synced) registerTargetUndo(journey, way);
  await readyToCutOver(journey, synced?.rounds);
  const chosen = await course.step(async () => chosenPoint(journey.teller.story, synced?.rounds));
  const said = forecastTheOutage(journey, way, synced);
  course.enter('StoppingSource');
  const target: Standing = { returned: false };
  const { startedAt, still } = await readyAndStopped(journey, way, target, synced);
  const stoppedAt = Date.now();
  course.enter('FinalSync');
  const opened = still?.open ?? (await openTheTarget(journey, way));
  const to = { open: opened, rounds: still?.rounds ?? noRounds };
  const { open, anew, point, held, report, scrubs } = await finalRound(journey, way, to, chosen);
  const movedAt = Date.now();
  const proven = {
    way,
    open,
    held,
    scrubs,
    final: point,
    applied: still?.rounds.points?.at(-1),
    uses: 0,
    anew,
    lookedAt: [],
  };
  return await arrive(journey, proven, target, (sealedAt) => {
    const endedAt = Date.now();
    // What reading all again took is forecast by itself.
    const sealing = journey.input.policy.reread ? {} : { sealMs: sealedAt - movedAt };
    journey.teller.find({
      measured: measuredBy({ stopMs: stoppedAt - startedAt, startMs: endedAt - sealedAt, ...sealing }, [
        ...(still?.rounds.recent ?? []),
        report,
      ]),
    });
    if (said) recordOutageFact(journey.teller, said, sentBytes(report), endedAt - startedAt);
  });
}

function forecastTheOutage({ input, teller }: Journey, way: Way, synced: Synced | undefined) {
  const sizeBytes = way.pairs.reduce((sum, pair) => sum + pair.source.sizeBytes, 0);
  return recordCompletionForecast(teller, synced?.rounds.recent ?? [], {
    reread: input.policy.reread ? rereadCost(sizeBytes, synced?.rounds.scrubs) : undefined,
    sizeBytes,
    measured: teller.findings.measured,
  });
}

/** How the source stood: whether it served at any look before it was stopped, and its power at the last one. */
interface Stood {
  served: boolean;
  powerSeen: string;
}

async function lookAtSource({ input }: Journey): Promise<Stood> {
  const { power, powerSeen, guestOff } = await controlVerbs(input).observeSource.executeWithOptions(
    summary(`How does ${input.source.path} stand?`),
    [input],
  );
  return { served: (power === 'running' || power === 'changing') && guestOff !== true, powerSeen };
}

/** S001-20: a source that somebody started behind the look before its scripts is not stopped without them. */
async function readyAndStopped(
  journey: Journey,
  way: Way,
  target: Standing,
  synced: Synced | undefined,
): Promise<Stopped> {
  for (let from = synced; ; ) {
    const stood = await readyToStop(journey, way);
    const sending = (): void => registerStopUndo(journey, way, target, stood);
    const { startedAt, still } = await stopTheSource(journey, way, { stood, sending }, from);
    if (startedAt !== undefined) return { startedAt, ...(still ? { still } : {}) };
    from = still;
  }
}

/** Answers how the source stood before the scripts in it, once they are done. */
async function readyToStop(journey: Journey, way: Way): Promise<Stood> {
  const stood = await journey.course.step(() => lookAtSource(journey));
  journey.teller.find({ sourceIdle: !stood.served });
  await stepsBeforeStop(journey, way, stood.served);
  return stood;
}

function registerStopUndo(journey: Journey, way: Way, target: Standing, stood: Stood): void {
  const { input, teller, course } = journey;
  const { identity } = way.found;
  course.beforehand('stop the source', async () => {
    // Either way what it was before the stop it is again.
    // A machine that was shut down inside stays so. It is deallocated now instead of merely shut down: to bring even that
    // back it would have to be started, which is what nobody wanted of it.
    if (!stood.served) return teller.outageEnds();
    const seen = await controlVerbs(input).ensureSourceStarted.executeWithOptions(
      summary(`Undo: start ${input.source.path} again`),
      [{ ...ofPower(journey), identity, disksReturned: target.returned }],
    );
    teller.amend(markSourceSeen);
    teller.record('source-started', 'the source serves again', { power: seen.powerSeen });
    teller.outageEnds();
  });
}

/** `startedAt`: when the outage began (epoch ms), right before the stop was sent that stopped it. `still`: what the final round goes on from. */
interface Stopped {
  readonly startedAt: number;
  readonly still?: Synced;
}

/**
 * S000-28: nobody looks at home while the scripts run or a person is called, so each try to stop looks first. S9: what that
 * finds, a moved disk too, costs one more round, before the stop. `sending`: called once, right before the first stop is sent;
 * S5: what never was stopped is not started on the way back. What the undo restores is the power right before the stop.
 * Without `startedAt` it was not stopped: it serves, and did not when its scripts were due.
 */
async function stopTheSource(
  journey: Journey,
  way: Way,
  { stood, sending }: { readonly stood: Stood; readonly sending: () => void },
  synced: Synced | undefined,
): Promise<Partial<Stopped>> {
  const { run, teller, course } = journey;
  const { pairs, found } = way;
  let startedAt: number | undefined;
  const stop = async (): Promise<Partial<Stopped>> => {
    const { input } = journey;
    const seen = await lookAtSource(journey);
    if (seen.served && !stood.served && startedAt === undefined) return {};
    stood.powerSeen = seen.powerSeen;
    // Off, it may have been shut down by a script, or by a stop of ours that was not heard of; somebody may have started it then.
    stood.served ||= seen.served;
    teller.find({ sourceIdle: !stood.served });
    if (startedAt === undefined) sending();
    // Behind a stop that was refused it went on serving: the outage is the one that it goes down in.
    if (startedAt === undefined || seen.served) {
      startedAt = Date.now();
      teller.find({ outage: { startedAt: new Date(startedAt).toISOString() } });
    }
    const { powerSeen: power } = await controlVerbs(input).ensureSourceStopped.executeWithOptions(
      summary(`Stop the source ${input.source.path}`),
      [{ failback: input, identity: found.identity }],
    );
    teller.record('source-stopped', 'the source was observed stopped after the stop', {
      before: stood.powerSeen,
      power,
    });
    return { startedAt };
  };
  if (!synced)
    return await course.step(async () => {
      await checkHomeBeforeStop(journey, way);
      return await stop();
    });
  const { answer, synced: still } = await onceCurrent(journey, way, synced, async (open) => {
    const { input } = journey;
    const when = `Right before ${input.source.path} stops`;
    await needHomeAsOpened({ input, run, pairs, open }, when);
    // S9: the next mover copies in full, which is done while the source serves.
    if (teller.story.reassignment) return undefined;
    return await stop();
  });
  return { ...answer, still };
}

async function finalRound(
  journey: Journey,
  way: Way,
  synced: Synced,
  chosen: ApplicationPoint | undefined,
): Promise<Omit<RoundResult, 'proofs'> & Omit<Moved, 'result'> & { readonly scrubs: readonly ScrubReport[] }> {
  const { teller } = journey;
  const { rounds } = synced;
  const { open, anew, result } = await movedAndProven(journey, way, synced, chosen);
  const { point, held, proofs, report } = result;
  const scrubs = scrubsAfter(rounds.scrubs, proofs);
  teller.find({
    rounds: {
      scrubs,
      done: rounds.done + 1,
      recent: [...rounds.recent, report],
      copiedBytes: rounds.copiedBytes + report.copiedBytes,
      changedBytes: rounds.changedBytes + report.changedBytes,
      now: 'finished',
    },
  });
  for (const proof of proofs)
    teller.record(`final/${proof.disk}`, chosen ? takenBack : 'the last changes are written, read back and equal', {
      point: proof.point,
      mode: proof.mode,
      changedBytes: proof.changedBytes,
      copiedBytes: proof.copiedBytes,
      provenBytes: proof.provenBytes,
    });
  if (chosen) recordChosen(teller, chosen, point);
  return { open, anew, point, held, report, scrubs };
}

const takenBack = 'the disk was taken to the older point by what changed around it, read back and equal';

interface Moved {
  readonly open: readonly OpenDisk[];
  /** How often a disk was found to be elsewhere than it was opened. */
  readonly anew: number;
  readonly result: RoundResult;
}

/** One step, however often it is tried. S9: another mover has no record of the disks, so it copies them in full. */
async function movedAndProven(
  journey: Journey,
  way: Way,
  { open: opened, rounds }: Synced,
  chosen: ApplicationPoint | undefined,
): Promise<Moved> {
  const { run, teller, course } = journey;
  let open: readonly OpenDisk[] | undefined = opened;
  let state = rounds;
  // S9: a disk that is another file than it was opened as is copied in full.
  const moved = (error: unknown): void => {
    if (!isOf(error, movedDiskCheck)) return;
    open = undefined;
    state = copiedAnew(state);
  };
  const pointMade = ({ disks, takenAt }: RecoveryPoint): void =>
    teller.record('final-point', 'the final recovery point was taken', {
      takenAt,
      points: disks.map(pointName).join(', '),
    });
  return await course.step(async () => {
    for (;;) {
      if (teller.story.reassignment || !open) {
        open = undefined;
        state = withoutRecord(state);
        open = await openDisks(journey, way);
      }
      const { input } = journey;
      const { base, anew = 0 } = state;
      const order = {
        ...{ input, run, number: state.number + 1, final: true, identity: way.found.identity },
        ...{ pairs: way.pairs, open, anew },
        ...(base ? { base } : {}),
        ...(chosen ? { chosen } : {}),
        pointMade,
      };
      const isLeft = (): boolean => teller.story.reassignment !== undefined;
      const copy = async (): Promise<RoundResult> => {
        const result = await watchingHome(order, () => syncRound(order));
        // S9: the watch looks now and then; what was moved since its last look is found before it is sealed.
        await needHomeAsOpened(order, 'Right before the seal');
        return result;
      };
      const result = await unlessLeft(new CancellationScope(), copy, isLeft);
      if (result) return { open, anew, result };
    }
  }, moved);
}
