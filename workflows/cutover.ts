/**
 * The cutover: stop the source, move the last changes, and arrive (workflows/arriving.ts).
 * Rule (S1): the final recovery point is taken only after the source was observed stopped, and the target is started only
 * after that.
 */
import { CancellationScope } from '@temporalio/workflow';
import { type OpenDisk, pointName, type RecoveryPoint } from '../model/machine.ts';
import { movedDiskCheck } from '../model/opened.ts';
import type { ApplicationPoint } from '../model/point.ts';
import { type RoundTries, sentBytes } from '../model/round.ts';
import { rereadCost, type ScrubReport, scrubsAfter } from '../model/scrub.ts';
import { type Arrival, arrive } from './arriving.ts';
import { chosenPoint, recordChosen } from './chosen-point.ts';
import { readyToCutOver } from './completion-guard.ts';
import { type CopiedAgain, recordCopiedAgain } from './copied-again.ts';
import { type Journey, openDisks, openTheTarget, registerTargetUndo, type Way } from './departure.ts';
import {
  measuredBy,
  recordCompletionForecast,
  recordCopyForecast,
  recordOutageFact,
  recordWholeForecast,
} from './foresight.ts';
import { needHomeAsOpened } from './home-look.ts';
import { watchingHome } from './home-watch.ts';
import type { Standing } from './proven.ts';
import { unlessLeft } from './reassigning.ts';
import type { Synced } from './rounds.ts';
import { copiedAnew, noRounds, withoutRecord } from './rounds-state.ts';
import { readyAndStopped } from './stopping.ts';
import { type RoundResult, syncRound } from './sync-round.ts';
import { isOf } from './trouble.ts';

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
    if (!synced && report.said) recordCopyForecast(journey.teller, 'copy', report, report.said);
    recordOutageFact(journey.teller, said, sentBytes(report), endedAt - startedAt);
  });
}

function forecastTheOutage({ input, teller }: Journey, way: Way, synced: Synced | undefined) {
  const sizes = way.pairs.map((pair) => pair.source.sizeBytes);
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  const reread = input.policy.reread ? rereadCost(sizeBytes, synced?.rounds.scrubs) : undefined;
  const { measured } = teller.findings;
  if (!synced) return recordWholeForecast(teller, sizes, { measured, reread });
  return recordCompletionForecast(teller, synced.rounds.recent, { reread, sizeBytes, measured });
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
  const inVain = (tries: RoundTries): void => {
    state = { ...state, tried: tries };
  };
  return await course.step(async () => {
    for (;;) {
      if (teller.story.reassignment || !open) {
        open = undefined;
        state = withoutRecord(state);
        open = await openDisks(journey, way);
      }
      const { input } = journey;
      const { base, anew = 0, tried } = state;
      const order = {
        ...{ input, run, number: state.number + 1, final: true, identity: way.found.identity },
        ...{ pairs: way.pairs, open, anew },
        ...(base ? { base } : {}),
        ...(chosen ? { chosen } : {}),
        ...(tried ? { tried } : {}),
        pointMade,
        inVain,
        tellCopiedAgain: (told: CopiedAgain) => recordCopiedAgain(teller, told),
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
