/**
 * Before anything moves: the checks of both sides, and the target's disks opened for the mover.
 * Rule: checks change nothing, and a refused check waits for an operator in the same run (S000-8).
 */
import { ApplicationFailure } from '@temporalio/workflow';
import type { FailureDetail } from '../activities/failure.ts';
import type { TargetRun } from '../activities/power.ts';
import type { PreflightAnswer } from '../activities/preflight.ts';
import type { TargetInput } from '../activities/target.ts';
import { takeUpReassignment } from '../model/carrying.ts';
import { adviceOf, blocking, type Check, leftByARun } from '../model/check.ts';
import { type NewMachine, wayOf } from '../model/creation.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import { saidAlone } from '../model/group.ts';
import type { DiskPair, OpenDisk, SourceMachine } from '../model/machine.ts';
import { markSourceSeen } from '../model/transition.ts';
import { askUntilNothingIsAwaited } from './awaiting.ts';
import { leaveTheMover } from './farewell.ts';
import { recordBound } from './foresight.ts';
import { watchedHold } from './home-watch.ts';
import { recordLocation, recordMade } from './new-place.ts';
import type { Course } from './taking-back.ts';
import type { Teller } from './teller.ts';
import { controlVerbs, summary } from './verbs.ts';
import { askWholeWay } from './whole-way.ts';

/** What every part of the story needs. */
export interface Journey {
  /** With the mover that carries the machine at the moment it is asked for. */
  readonly input: FailbackInput;
  readonly run: string;
  readonly teller: Teller;
  readonly course: Course;
  /** The disks as they were opened last; absent before they were. */
  open?: readonly OpenDisk[];
}

/** What preflight found: the source as it was, and which disk comes home to which. */
export interface Way {
  readonly found: SourceMachine;
  readonly pairs: readonly DiskPair[];
  /** At an alternate location: the machine to make there, as it was worked out before anything was changed. */
  readonly creation?: NewMachine;
}

/** What every verb of the target's power is told. */
export const ofPower = ({ input, run, open }: Journey): TargetRun => ({
  ...{ failback: input, run },
  ...(open ? { open } : {}),
});

/** What every verb of the target's disks is told. The mover is the one of the moment. */
export const ofTarget = (journey: Journey, { pairs, creation }: Way): TargetInput => ({
  ...{ ...ofPower(journey), pairs },
  ...(creation ? { creation } : {}),
});

export async function checkTheWay(journey: Journey): Promise<Way> {
  const { teller, course } = journey;
  return await course.step(async () => {
    const { input, answer } = await askUntilNothingIsAwaited(journey, () => askBothSides(journey));
    const looked = { source: answer.source?.power, target: answer.target?.power };
    const { creation } = answer;
    teller.find({ checks: answer.checks, pairs: answer.pairs, looked, ...(creation ? { creation } : {}) });
    const way = assertClear(answer, {
      op: 'preflight',
      subject: input.machine,
      after: 'Then resolve with retry; nothing has been changed.',
    });
    teller.record('preflight', 'both sides say the way home is clear', {
      checks: answer.checks.length,
      disks: answer.pairs.length,
      sourcePower: way.found.powerSeen,
    });
    const alone = saidAlone(input.group);
    if (alone) teller.record('group-member-alone', 'a person said that it comes home without its group', alone);
    if (input.discards !== undefined)
      teller.record(
        'earlier-run-discarded',
        'a person said that what an earlier run left staged at home may be deleted',
        {
          run: input.discards,
          seen: answer.checks.find(({ id }) => id === leftByARun)?.seen ?? 'nothing',
        },
      );
    recordLocation(teller, input, way.creation);
    recordBound(teller, way.pairs, input.measured);
    return way;
  });
}

interface Asked {
  readonly input: FailbackInput;
  readonly answer: PreflightAnswer;
  readonly checks: PreflightAnswer['checks'];
}

/** Asked again when the machine was given to another mover meanwhile: the answer is about the one that was asked for. */
async function askBothSides(journey: Journey): Promise<Asked> {
  for (;;) {
    const { input } = journey;
    const answer = await askWholeWay(input, () =>
      controlVerbs(input).observePreflight.executeWithOptions(
        summary(`Is the way home clear? ${input.source.path} → ${input.target.path}`),
        [input],
      ),
    );
    if (input.mover.name === journey.input.mover.name) return { input, answer, checks: answer.checks };
  }
}

/** What a refusal is about, and what to do `after` its remedy. */
interface Asking {
  readonly op: string;
  readonly subject: string;
  readonly after: string;
}

/** The way when nothing refuses; else throws the first refusal. */
export function assertClear(answer: PreflightAnswer, asking: Asking): Way {
  const { creation, pairs, checks, source } = answer;
  assertNothingRefuses(checks, asking);
  if (source && pairs.length > 0) return { found: source, pairs, ...(creation ? { creation } : {}) };
  const { op, subject, after } = asking;
  const hint = `Give the machine a disk. ${after}`;
  throw asRefusal('the machine has no disks to bring home', { op, subject, hint });
}

/** Throws the first refusal. */
export function assertNothingRefuses(checks: readonly Check[], { op, after }: Asking): void {
  const [first, ...others] = blocking(checks);
  if (!first) return;
  const more = others.length > 0 ? ` (and ${others.length} more, see the checks in the status)` : '';
  throw asRefusal(`${first.id}: ${first.seen}${more}`, { op, subject: first.subject, hint: adviceOf(first, after) });
}

const asRefusal = (message: string, detail: FailureDetail): ApplicationFailure =>
  ApplicationFailure.create({ type: 'Refused', nonRetryable: true, message, details: [detail] });

/**
 * How the target's disks and our recovery points are taken back; registered before either is touched. S5: both may be the
 * last copy of a machine, so neither is deleted unless the source is there; left out with skip they stay, by name.
 */
export function registerTargetUndo(journey: Journey, way: Way): void {
  const { run, teller, course } = journey;
  const { found } = way;
  const control = controlVerbs(journey.input);
  // Registered first, so it is done last.
  course.beforehand('work on the mover', () => leaveTheMover(journey, way.pairs));
  course.beforehand('open target disks', async () => {
    const left = await control.ensureDisksAbandoned.executeWithOptions(summary('Undo: give up the target disks'), [
      { ...ofTarget(journey, way), found, sealed: teller.findings.sealing === true },
    ]);
    const what = way.creation
      ? 'the machine that was made at the alternate location is gone, with its disks'
      : 'no machine that can be seen holds the target disks any more';
    teller.record('disks-abandoned', what, { left: left.join(', ') });
  });
  course.beforehand('recovery points', async () => {
    const gone = await control.releaseRecoveryPoints.executeWithOptions(summary('Undo: release all recovery points'), [
      { failback: journey.input, run, before: 'all', found },
    ]);
    teller.amend(markSourceSeen);
    teller.record('points-released', 'our recovery points are gone', { names: gone.join(', ') });
  });
}

/** Opens the target's disks for the mover; registerTargetUndo comes first. */
export async function openTheTarget(journey: Journey, way: Way): Promise<OpenDisk[]> {
  return await journey.course.step(() => openDisks(journey, way));
}

/** The same as a part of a step. S8: a mover that the machine is taken from has none of its disks before another gets one. */
export async function openDisks(journey: Journey, way: Way): Promise<OpenDisk[]> {
  const { teller, course, run } = journey;
  await leaveFormerMover(journey, way);
  const { input } = journey;
  const open = await controlVerbs(input).ensureDisksOpen.executeWithOptions(
    summary(`Open ${way.pairs.length} target disks (${wayOf(input)})`),
    [ofTarget(journey, way)],
  );
  journey.open = open;
  course.besideHold = watchedHold(teller, { input, run, pairs: way.pairs, open });
  if (way.creation) recordMade(teller, input, way, open);
  for (const disk of open)
    teller.record(`open/${disk.disk}`, `${disk.file} hangs on the mover and on nothing else`, {
      file: disk.file,
      uuid: disk.uuid,
      mover: input.mover.name,
    });
  return open;
}

async function leaveFormerMover(journey: Journey, way: Way): Promise<void> {
  const { input, teller } = journey;
  if (!teller.story.reassignment) return;
  await controlVerbs(input).ensureMoverLeft.executeWithOptions(
    summary(`Take the disks of ${input.machine} off ${input.mover.name}`),
    [ofTarget(journey, way)],
  );
  const { reassignment } = teller.story;
  if (!reassignment) return;
  teller.amend(takeUpReassignment);
  teller.recordReassigned(input.mover, reassignment.by);
  // S11: a mover that is dead cannot remove it, and nobody waits for one that lives.
  const what = `what mover ${input.mover.name} kept of ${input.machine} stays in its state folder; delete the folder of the machine there`;
  teller.record('mover-leftover', what, {
    mover: input.mover.name,
    disks: way.pairs.map(({ disk }) => disk).join(', '),
    because: `${input.machine} went to another mover`,
  });
}
