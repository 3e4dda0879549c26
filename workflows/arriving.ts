/**
 * From proven disks to the commit: seal, return, start, hear the guest, wait for a person; and once more from the seal on when
 * a person chooses another point, as often as that is said.
 * Rule (S1): from the moment its start may have been sent the target counts as running, and the source is watched from the
 * first such moment on, without a break. S5: what is undone of an arrival that is given up is what stood before its seal.
 */
import { markNeverStarted, neverStarted } from '../model/commit-rules.ts';
import type { OpenDisk, RecoveryPoint, SealProof, TargetMachine } from '../model/machine.ts';
import { silentGuest } from '../model/status.ts';
import { markTargetLive, markTargetOff, markTargetSeen } from '../model/transition.ts';
import { whileAwaiting } from './awaiting.ts';
import { lookAtReopening } from './before-change.ts';
import { changeThePoint } from './changing-point.ts';
import { untilCommitted } from './commit-gate.ts';
import { type Journey, ofPower, ofTarget, type Way } from './departure.ts';
import { giveBack } from './giving-back.ts';
import { stepsAfterStart } from './guest-steps.ts';
import { hearGuest, probeAtHome } from './probing.ts';
import type { Proven, Standing } from './proven.ts';
import { proveFirst } from './proving-first.ts';
import { registerSealUndo, sealTheDisks } from './sealing.ts';
import { beginSourceWatch } from './source-watch.ts';
import { nothingBeside, PointChanged } from './taking-back.ts';
import { wasUntouched } from './trouble.ts';
import { controlVerbs, guestVerbs, summary } from './verbs.ts';
import { beginWriteCount, recordLoss } from './write-count.ts';

/** What the commit needs to know. */
export interface Arrival {
  readonly way: Way;
  /** The disks that came home, as they hung on the mover. */
  readonly open: readonly OpenDisk[];
  readonly seals: readonly SealProof[];
  readonly final: RecoveryPoint;
  /** What came home instead of it, where a person chose an older point. */
  readonly older?: RecoveryPoint;
}

/** `arrived`: hears of the first arrival when its disks were sealed, before the commit is waited for. */
export async function arrive(
  journey: Journey,
  proven: Proven,
  target: Standing,
  arrived: (sealedAt: number) => void,
): Promise<Arrival> {
  const { course } = journey;
  const { way, final } = proven;
  for (let now = proven; ; ) {
    const before = course.undoable;
    let atSeal = before;
    const uses = now.uses + 1;
    // Of the two, the one that is not at home.
    const wished = now.held === final ? (now.applied?.point ?? final) : final;
    journey.teller.lookBeforeChange = () =>
      lookAtReopening({ ...ofTarget(journey, way), final, wished, uses, halfWay: target.seenReturned !== true });
    try {
      course.enter('Sealing');
      registerSealUndo(journey, way);
      atSeal = course.undoable;
      const seals = await sealTheDisks(journey, now);
      const sealedAt = Date.now();
      course.enter('StartingTarget');
      await startTheTarget(journey, now, target);
      journey.teller.outageEnds();
      if (now.uses === 0) arrived(sealedAt);
      course.enter('AwaitingCommit');
      await untilCommitted(journey);
      return { way, open: now.open, seals, final, ...(now.held === final ? {} : { older: now.held }) };
    } catch (error) {
      if (!(error instanceof PointChanged)) throw error;
      // S5: once its disks are off it, what was started has nothing to run, and nothing on the way back waits for it.
      now = await changeThePoint(journey, now, target, () => course.forgetUndosAfter(atSeal));
      course.forgetUndosAfter(before);
    }
  }
}

async function startTheTarget(journey: Journey, { way, final, uses }: Proven, target: Standing): Promise<void> {
  const { input, teller, course } = journey;
  const control = controlVerbs(input);
  const order = { ...ofTarget(journey, way), final, uses };
  target.seenReturned = false;
  await course.step(() => {
    course.besideHold = nothingBeside;
    return control.ensureDisksReleased.executeWithOptions(summary(`Take the sealed disks off ${input.mover.name}`), [
      order,
    ]);
  });
  const { name = '' } = await course.step(() =>
    giveBack(target, () =>
      control.ensureDisksReturned.executeWithOptions(summary(`Return the disks to ${input.target.path}`), [order]),
    ),
  );
  target.seenReturned = true;
  // A new machine may have got another name than was wished for.
  teller.record('disks-returned', 'the sealed disks hang on the target machine', { target: input.target.path, name });
  await proveFirst(journey, { final, uses });
  course.beforehand('start the target', async () => {
    await recordLoss(journey);
    const stopAt = new Date().toISOString();
    const seen = await control.ensureTargetStopped.executeWithOptions(summary(`Undo: stop ${input.target.path}`), [
      { ...ofPower(journey), found: way.found, ...neverStarted(teller.story) },
    ]);
    teller.amend(markTargetOff);
    teller.outageBegins(stopAt);
    teller.record('target-stopped', 'the target was observed off', { power: seen.powerSeen });
  });
  mayRunFromNow(journey);
  if (!target.watched) beginSourceWatch(journey, final);
  target.watched = true;
  beginWriteCount(journey);
  const started = await startAtHome(journey, final);
  teller.amend(markTargetSeen);
  teller.record('target-started', 'the target was observed running', { power: started.powerSeen });
  await hearTheGuest(journey);
  await stepsAfterStart(journey);
  await probeAtHome(journey);
}

/** S1, S5: it may run from right before its start is sent. */
function mayRunFromNow(journey: Journey): void {
  journey.teller.amend((story) => markTargetLive(story, new Date().toISOString()));
}

/**
 * One step. S5: a start that is known to have started nothing counts as none, unless one before it may have; the next one counts
 * from its own sending.
 */
async function startAtHome(journey: Journey, final: RecoveryPoint): Promise<TargetMachine> {
  const { input, run, teller, course } = journey;
  let mayHaveRun = false;
  return await course.step(async () => {
    if (!teller.story.targetLive) {
      mayRunFromNow(journey);
      beginWriteCount(journey);
    }
    try {
      return await controlVerbs(input).ensureTargetStarted.executeWithOptions(
        summary(`Start the target ${input.target.path}`),
        [{ failback: input, run, final }],
      );
    } catch (error) {
      if (!mayHaveRun && wasUntouched(error)) teller.amend(markNeverStarted);
      else mayHaveRun = true;
      throw error;
    }
  });
}

async function hearTheGuest(journey: Journey): Promise<void> {
  const { input, run, teller, course } = journey;
  const what = `the guest of ${input.target.path} to answer (VMware Tools)`;
  const { guest } = await course.step(() =>
    whileAwaiting(teller, what, input.policy.guestWaitSeconds * 1000, () =>
      hearGuest(journey, () =>
        guestVerbs(input).observeGuest.executeWithOptions(summary('Wait for the guest to answer'), [
          { failback: input, run },
        ]),
      ),
    ),
  );
  const silent = guest.agent === 'not-installed';
  teller.find({ guestSilent: silent, ...(guest.ip === undefined ? {} : { targetIp: guest.ip }) });
  if (silent) teller.record('guest-silent', silentGuest, { agent: guest.agent });
  else teller.record('guest-answers', 'the guest answers', { agent: guest.agent, ip: guest.ip ?? '' });
}
