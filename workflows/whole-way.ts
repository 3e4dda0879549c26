/**
 * Both sides and the mover's worker, asked beside each other: the whole answer of a preflight.
 * Rule: a mover that does not answer is a check that refuses, never an error; the sides' answer is not kept waiting for it
 * longer than a mover that lives may take.
 */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { PreflightAnswer } from '../activities/preflight.ts';
import type { Awaited, Check } from '../model/check.ts';
import type { FailbackInput } from '../model/failback-input.ts';
import { awaitedMover, type MoverAnswer, type MoverQuestion, moverChecks } from '../model/mover-seen.ts';
import { moverQuestionVerbs, summary } from './verbs.ts';

/** Since when a mover has taken no question, epoch ms, by its name. */
export type Silences = Map<string, number>;

/**
 * `askSides`: the question to the control worker, which may be another one at the start than before the cutover.
 * `silences`: kept from question to question where a mover that is restarted is waited for; absent: it refuses at once.
 */
export async function askWholeWay(
  input: FailbackInput,
  askSides: () => Promise<PreflightAnswer>,
  silences?: Silences,
): Promise<PreflightAnswer> {
  const [answer, heard] = await Promise.all([askSides(), askMover(input)]);
  const awaited = silences && awaitedBack(silences, input.mover.name, heard);
  const checks = judgeMover(input, heard, {
    version: answer.version,
    os: answer.source?.os,
    awaited,
    sizesBytes: sizesOf(answer),
  });
  return { ...answer, checks: [...answer.checks, ...checks] };
}

/** Of the disks that come home; of all the source has where they could not be paired. */
const sizesOf = ({ pairs, source }: PreflightAnswer): number[] =>
  (pairs.length > 0 ? pairs.map((pair) => pair.source) : (source?.disks ?? [])).map(({ sizeBytes }) => sizeBytes);

/** The checks on what a mover's worker answered, by the law of whoever asked. */
export const judgeMover = (
  { mover, policy }: FailbackInput,
  { answer, askedAt, answeredAt }: MoverHeard,
  by: Pick<MoverQuestion, 'version' | 'os' | 'awaited' | 'sizesBytes'>,
): Check[] =>
  moverChecks(answer, {
    ...{ mover: mover.name, sameSystem: policy.moverSystem === 'same' },
    ...{ ...by, askedAt, answeredAt },
  });

function awaitedBack(silences: Silences, mover: string, { answer, askedAt }: MoverHeard): Awaited | undefined {
  const since = silences.get(mover) ?? askedAt;
  if ('seen' in answer) silences.delete(mover);
  else silences.set(mover, since);
  return awaitedMover(mover, since, Date.now());
}

/** How a mover's worker answered, and when by our clock, epoch ms. */
export interface MoverHeard {
  readonly answer: MoverAnswer;
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** Asks the worker of the input's mover; that it says nothing is an answer too. */
export async function askMover(input: FailbackInput): Promise<MoverHeard> {
  const { name } = input.mover;
  const askedAt = Date.now();
  try {
    const seen = await moverQuestionVerbs(input).observeMoverWorker.executeWithOptions(
      summary(`Is mover ${name} there, and what does it reach?`),
      [{ sourceSite: input.source.site, machine: input.machine }],
    );
    return { answer: { seen }, askedAt, answeredAt: Date.now() };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { answer: { silent: whySilent(error) }, askedAt, answeredAt: Date.now() };
  }
}

/** The SDK's word for an activity that a worker does not have. */
const unknownActivity = 'NotFoundError';

function whySilent(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const last = cause instanceof TimeoutFailure && cause.cause ? cause.cause : cause;
  if (last instanceof ApplicationFailure && last.type === unknownActivity) return 'too-old';
  if (last instanceof TimeoutFailure && last.timeoutType === 'SCHEDULE_TO_START') return 'not-taken';
  return last instanceof Error ? last.message : 'it did not say why';
}
