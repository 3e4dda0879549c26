/**
 * Before anything moves: the checks of both sides, and the target's disks opened for the mover.
 * Rule: checks change nothing, and a refused check waits for an operator in the same run (S000-8).
 */
import { ApplicationFailure } from '@temporalio/workflow';
import type { PreflightAnswer } from '../activities/preflight.ts';
import { blocking } from '../model/check.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import type { DiskPair, OpenDisk, SourceMachine } from '../model/machine.ts';
import { leaveTheMover } from './farewell.ts';
import { recordBound } from './foresight.ts';
import type { Course } from './taking-back.ts';
import type { Teller } from './teller.ts';
import { controlVerbs, summary } from './verbs.ts';

/** What every part of the story needs. */
export interface Journey {
  readonly input: FailbackInput;
  readonly run: string;
  readonly teller: Teller;
  readonly course: Course;
}

/** What preflight found: the source as it was, and which disk comes home to which. */
export interface Way {
  readonly found: SourceMachine;
  readonly pairs: readonly DiskPair[];
}

export async function checkTheWay({ input, teller, course }: Journey): Promise<Way> {
  const control = controlVerbs(input);
  return await course.step(async () => {
    const answer = await control.observePreflight.executeWithOptions(
      summary(`Is the way home clear? ${input.source.path} → ${input.target.path}`),
      [input],
    );
    const looked = { source: answer.source?.power, target: answer.target?.power };
    teller.find({ checks: answer.checks, pairs: answer.pairs, looked });
    const way = clear(answer, input);
    teller.record('preflight', 'both sides say the way home is clear', {
      checks: answer.checks.length,
      disks: answer.pairs.length,
      sourcePower: way.found.powerSeen,
    });
    recordBound(teller, way.pairs, input.measured);
    return way;
  });
}

function clear(answer: PreflightAnswer, input: FailbackInput): Way {
  const refusals = blocking(answer.checks);
  const { source } = answer;
  if (refusals.length === 0 && source && answer.pairs.length > 0) return { found: source, pairs: answer.pairs };
  const [first] = refusals;
  const more = refusals.length > 1 ? ` (and ${refusals.length - 1} more, see the checks in the status)` : '';
  throw ApplicationFailure.create({
    type: 'Refused',
    nonRetryable: true,
    message: first ? `${first.id}: ${first.seen}${more}` : 'the machine has no disks to bring home',
    details: [
      {
        op: 'preflight',
        subject: first?.subject ?? input.machine,
        hint: `${first?.remedy ?? 'Give the machine a disk.'} Then resolve with retry; nothing has been changed.`,
      },
    ],
  });
}

/** How the target's disks and our recovery points are taken back; registered before either is touched. */
export function registerTargetUndo({ input, run, teller, course }: Journey, way: Way): void {
  const control = controlVerbs(input);
  // Registered first, so it is done last.
  course.beforehand('work on the mover', () => leaveTheMover({ input, run, teller }, way.pairs));
  course.beforehand('open target disks', async () => {
    const left = await control.ensureDisksAbandoned.executeWithOptions(summary('Undo: give up the target disks'), [
      { failback: input, run, pairs: way.pairs },
    ]);
    teller.record('disks-abandoned', 'the target disks hang on nothing of ours', { left: left.join(', ') });
  });
  course.beforehand('recovery points', async () => {
    const gone = await control.releaseRecoveryPoints.executeWithOptions(summary('Undo: release all recovery points'), [
      { failback: input, run, before: 'all' },
    ]);
    teller.record('points-released', 'our recovery points are gone', { names: gone.join(', ') });
  });
}

/** Opens the target's disks for the mover; registerTargetUndo comes first. */
export async function openTheTarget({ input, run, teller, course }: Journey, way: Way): Promise<OpenDisk[]> {
  const control = controlVerbs(input);
  const open = await course.step(() =>
    control.ensureDisksOpen.executeWithOptions(
      summary(`Open ${way.pairs.length} target disks (${input.policy.write})`),
      [{ failback: input, run, pairs: way.pairs }],
    ),
  );
  for (const disk of open)
    teller.record(`open/${disk.disk}`, `${disk.file} hangs on the mover and on nothing else`, {
      file: disk.file,
      uuid: disk.uuid,
    });
  return open;
}
