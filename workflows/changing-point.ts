/**
 * Another point after the target was started: stop it, take its disks back to the mover that wrote them, and take them to the
 * point that a person chose. No new point is made; the source stays stopped, watched, and its final snapshots stay.
 * Rule (S1, S4): nothing is taken off a machine that was not observed off after our stop. S5: what is dropped with it is in
 * the record: since when, until when, how much and who accepted it. S9: from the very seal, or a full copy.
 */
import type { ReopenInput } from '../activities/target.ts';
import { nothingArrived } from '../model/arrival.ts';
import { neverStarted } from '../model/commit-rules.ts';
import { moverStepId } from '../model/failback-input.ts';
import { type DiskKey, type OpenDisk, pointName, type RecoveryPoint, type TransferProof } from '../model/machine.ts';
import { movedDiskCheck } from '../model/opened.ts';
import { pointOf } from '../model/point.ts';
import { scrubsAfter } from '../model/scrub.ts';
import { markTargetOff, type Story } from '../model/transition.ts';
import { recordChosen } from './chosen-point.ts';
import { copiedAgain, recordCopiedAgain } from './copied-again.ts';
import { type Journey, ofPower, ofTarget, type Way } from './departure.ts';
import { needHomeAsOpened } from './home-look.ts';
import { watchingHome } from './home-watch.ts';
import type { Proven, Standing } from './proven.ts';
import { together } from './sync-round.ts';
import { isOf, needsFullCopy } from './trouble.ts';
import { controlVerbs, moverVerbs, summary } from './verbs.ts';
import { recordLoss } from './write-count.ts';

/** Answers the same disks, proven at the other point. Called again for each change. `taken`: they are off the target. */
export async function changeThePoint(
  journey: Journey,
  proven: Proven,
  target: Standing,
  taken: () => void,
): Promise<Proven> {
  const { teller, course } = journey;
  course.enter('ChangingPoint');
  const before = teller.story;
  const to = pointWished(before, proven);
  await stopTheTarget(journey, proven.uses);
  const uses = proven.uses + 1;
  const open = await reopen(journey, proven.way, { uses, halfWay: target.seenReturned !== true });
  target.returned = false;
  taken();
  const order = { ...proven, open, uses, to };
  const { rounds } = teller.findings;
  const showNow = (now: string): void => teller.find(rounds ? { rounds: { ...rounds, now } } : {});
  showNow(`taking the disks to the ${before.pointChange?.point} point: every block is looked at`);
  const { proofs, anew } = await transferAll(journey, order);
  showNow('finished');
  recordChanged(journey, before, to, proofs);
  if (to === proven.applied?.point) recordChosen(teller, proven.applied, proven.final);
  const scrubs = scrubsAfter(proven.scrubs, proofs);
  return { ...proven, open, held: to, scrubs, uses, anew, lookedAt: lookedAtIn(proofs) };
}

function pointWished({ pointChange }: Story, { applied, final }: Proven): RecoveryPoint {
  if (pointChange?.point !== 'application-consistent') return final;
  if (applied) return applied.point;
  throw new TypeError('the law took an application-consistent point that the run does not have');
}

/** Observed off, barred from starting, and as it was before it was set up to be proven apart. */
async function stopTheTarget(journey: Journey, uses: number): Promise<void> {
  const { input, teller, course } = journey;
  const control = controlVerbs(input);
  const { path } = input.target;
  await recordLoss(journey);
  const stopAt = new Date().toISOString();
  const seen = await course.step(() =>
    control.ensureTargetStopped.executeWithOptions(summary(`Stop ${path}: another point was chosen`), [
      { ...ofPower(journey), uses, ...neverStarted(teller.story) },
    ]),
  );
  teller.amend((story) => markTargetOff(story, new Date().toISOString()));
  teller.outageBegins(stopAt);
  const { arrival = nothingArrived } = teller.findings;
  // What was seen of the machine there says nothing of the one that comes.
  teller.find({ arrival: { ...arrival, probes: [] } });
  teller.record('target-stopped', 'the target was observed off, for another point', { power: seen.powerSeen });
  if (input.policy.prove !== 'isolated') return;
  const back = await course.step(() =>
    control.ensureProofEnded.executeWithOptions(summary(`Put ${path} back`), [ofPower(journey)]),
  );
  const what = 'its NICs and the modes of its disks are as before it was set up to be proven apart';
  teller.record('proof-put-back', what, { target: path, power: back.powerSeen });
}

async function reopen(journey: Journey, way: Way, asked: Pick<ReopenInput, 'uses' | 'halfWay'>): Promise<OpenDisk[]> {
  const { input, teller, course } = journey;
  const open = await course.step(() =>
    controlVerbs(input).ensureDisksReopened.executeWithOptions(
      summary(`Take ${way.pairs.length} disks back to ${input.mover.name}`),
      [{ ...ofTarget(journey, way), ...asked }],
    ),
  );
  for (const disk of open)
    teller.record(`open/${disk.disk}`, `${disk.file} hangs on the mover again and on nothing else`, {
      file: disk.file,
      uuid: disk.uuid,
      mover: input.mover.name,
    });
  return open;
}

interface ChangeOrder extends Proven {
  readonly to: RecoveryPoint;
}

/** One step, however often it is tried. S9: once a disk was another file than it was reopened as, all are copied in full. */
async function transferAll(journey: Journey, order: ChangeOrder): Promise<{ proofs: TransferProof[]; anew: number }> {
  const { input, run, course } = journey;
  const { open, way } = order;
  let { anew } = order;
  const transfers = (): Promise<TransferProof[]> =>
    together(open.map((disk) => () => transferOne(journey, { ...order, anew }, disk, anew > order.anew)));
  const opened = { input, run, pairs: way.pairs, open };
  return await course.step(
    async () => {
      const proofs = await watchingHome(opened, transfers);
      await needHomeAsOpened(opened, 'Right before the seal');
      return { proofs, anew };
    },
    (error) => {
      if (isOf(error, movedDiskCheck)) anew += 1;
    },
  );
}

async function transferOne(
  { input, run, teller }: Journey,
  order: ChangeOrder,
  disk: OpenDisk,
  moved: boolean,
): Promise<TransferProof> {
  const { to, held, final, applied, uses, anew } = order;
  const key = disk.disk;
  const work = {
    ...{ machine: input.machine, run, sourceSite: input.source.site, disk, point: pointOf(to, key), urgent: true },
    ...{ handovers: input.mover.handovers ?? 0, uses, anew },
  };
  const say = (what: string) => ({
    ...summary(`Another point: ${key}, ${what}`),
    activityId: moverStepId('transfer', key, input.mover),
    priority: { priorityKey: 1 },
  });
  const mover = moverVerbs(input);
  const whole = (why: string): Promise<TransferProof> =>
    mover.transferDisk.executeWithOptions(say(`whole disk, ${why}`), [work]);
  if (moved) return await whole('it was moved');
  const around = applied && { since: pointOf(applied.since, key), until: pointOf(final, key) };
  try {
    return await mover.transferDisk.executeWithOptions(say('what was written and what differs'), [
      { ...work, base: pointOf(held, key), ...(around ? { around } : {}) },
    ]);
  } catch (error) {
    if (!needsFullCopy(error)) throw error;
    recordCopiedAgain(teller, copiedAgain(key, error));
    return await whole('lineage broken');
  }
}

/** Every block of these was read again and compared (disk/used-disk.ts). */
const lookedAtIn = (proofs: readonly TransferProof[]): DiskKey[] =>
  proofs.filter(({ mode }) => mode === 'delta').map(({ disk }) => disk);

function recordChanged(
  { teller }: Journey,
  { pointChange, liveSince }: Story,
  to: RecoveryPoint,
  proofs: readonly TransferProof[],
): void {
  for (const { disk, mode, changedBytes, copiedBytes, usedBytes } of proofs)
    teller.record(`another-point/${disk}`, 'the disk was taken to the other point, read back and equal', {
      ...{ mode, changedBytes, copiedBytes },
      ...(usedBytes === undefined ? {} : { usedBytes }),
    });
  const counted = proofs.flatMap(({ usedBytes }) => usedBytes ?? []);
  const until = teller.story.lostUntil;
  teller.record(
    'point-changed',
    `${pointChange?.by} had another point taken home; what was written at home is dropped`,
    {
      ...{ from: pointChange?.from ?? '', to: pointChange?.point ?? '', by: pointChange?.by ?? '' },
      points: to.disks.map(pointName).join(', '),
      ...(liveSince === undefined
        ? { lost: 'nothing: it never went live' }
        : { lostSince: liveSince, lostUntil: until ?? '' }),
      // In leaves of 64 KiB; a disk that was copied in full was not counted.
      lostBytes: counted.length === proofs.length ? counted.reduce((sum, bytes) => sum + bytes, 0) : 'not counted',
    },
  );
}
