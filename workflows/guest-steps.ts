/**
 * Scripts of the policy in the guests: before the source is stopped, and after the machine has started at home.
 * Rule: each try has a key of its own, so that no answer that got lost runs a script again; a critical step that fails calls
 * an operator, another one is recorded as a warning and the run goes on.
 */
import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { type GuestSide, nothingArrived, type StepFact, type StepRun, timedOutCode } from '../model/arrival.ts';
import type { GuestStep } from '../model/arrival-policy.ts';
import { isEnablingTools, sourceSteps, startTypeBefore, toolsRestore, toolsStep } from '../model/tools-step.ts';
import type { Journey, Way } from './departure.ts';
import { troubleOf } from './trouble.ts';
import { controlVerbs, scriptVerbs, summary } from './verbs.ts';

/** Before the stop: what the policy has, and on Windows that VMware Tools start by themselves at home (S001-20). */
export async function stepsBeforeStop(journey: Journey, { found }: Way): Promise<void> {
  const steps = sourceSteps(journey.input.policy, found.os);
  if (steps.length === 0) return;
  journey.course.beforehand('scripts in the source', () => release(journey, 'source', steps));
  for (const step of steps) {
    if (isEnablingTools(step)) await enableTools(journey);
    else await runStep(journey, 'source', step);
  }
  await journey.course.step(() => release(journey, 'source', steps));
}

export async function stepsAfterStart(journey: Journey): Promise<void> {
  const { afterStart } = journey.input.policy;
  for (const step of afterStart) await runStep(journey, 'target', step);
  if (afterStart.length > 0) await journey.course.step(() => release(journey, 'target', afterStart));
}

/** S5: the way back sets the service as it was found, once the source runs again. */
async function enableTools(journey: Journey): Promise<void> {
  let before: string | undefined;
  journey.course.beforehand('VMware Tools in the source', async () => {
    const restore = before === undefined ? undefined : toolsRestore(before);
    if (restore) await once(journey, 'source', restore, 1);
  });
  const ended = await runStep(journey, 'source', toolsStep);
  before = ended && startTypeBefore(ended.output);
}

/** Answers the last try; undefined when it could not be run at all and need not be. */
async function runStep(journey: Journey, side: GuestSide, step: GuestStep): Promise<StepRun | undefined> {
  let tries = 0;
  const act = async (): Promise<StepRun | undefined> => {
    for (let left = step.retries; ; left--) {
      const ended = await tried(journey, side, step, ++tries);
      const done = typeof ended !== 'string' && ended.exitCode === 0;
      if (!done && left > 0) continue;
      note(journey, factOf(side, step, tries, ended));
      if (!done && step.critical) throw failed(journey, side, step, seenOf(ended));
      return typeof ended === 'string' ? undefined : ended;
    }
  };
  return await journey.course.step(act);
}

/** One try: how it ended, or, for a step that need not run, why it did not. */
async function tried(journey: Journey, side: GuestSide, step: GuestStep, number: number): Promise<StepRun | string> {
  try {
    return await once(journey, side, step, number);
  } catch (error) {
    if (step.critical || isCancellation(error)) throw error;
    journey.course.assertAhead();
    return troubleOf(error, '').message;
  }
}

async function once({ input, run }: Journey, side: GuestSide, step: GuestStep, number: number): Promise<StepRun> {
  const { name, script, shell, timeoutSeconds } = step;
  const where = side === 'source' ? input.source.path : input.target.path;
  return await scriptVerbs(input, step).ensureGuestScriptRun.executeWithOptions(
    summary(`Run ${name} in the guest of ${where}, try ${number}`),
    [{ failback: input, run, side, script: { key: `${name}-${number}`, script, shell, timeoutSeconds } }],
  );
}

function seenOf(ended: StepRun | string): string {
  if (typeof ended === 'string') return ended;
  return ended.exitCode === timedOutCode ? 'it took too long and was stopped' : `it ended with ${ended.exitCode}`;
}

function factOf(side: GuestSide, step: GuestStep, tries: number, ended: StepRun | string): StepFact {
  const ran = typeof ended === 'string' ? undefined : ended;
  const problem = ran?.outputProblem === undefined ? '' : `; ${ran.outputProblem}`;
  return {
    name: step.name,
    side,
    ended: ran === undefined ? 'not-run' : ran.exitCode === 0 ? 'done' : 'failed',
    critical: step.critical,
    tries,
    seen: `${seenOf(ended)}${problem}`,
    ...(ran?.output ? { output: ran.output } : {}),
    at: new Date().toISOString(),
  };
}

function note({ teller }: Journey, fact: StepFact): void {
  const arrival = teller.findings.arrival ?? nothingArrived;
  const others = arrival.steps.filter(({ name, side }) => name !== fact.name || side !== fact.side);
  teller.find({ arrival: { ...arrival, steps: [...others, fact] } });
  const { name, side, ended, seen, tries, output } = fact;
  const words = { done: 'ran', failed: 'failed', 'not-run': 'did not run' }[ended];
  teller.record(`step/${side}/${name}`, `the script ${name} ${words} in the guest of the ${side}`, {
    ...{ seen, tries, critical: fact.critical },
    ...(output === undefined ? {} : { output: output.slice(-400) }),
  });
}

const failed = (journey: Journey, side: GuestSide, step: GuestStep, seen: string): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'Refused',
    nonRetryable: true,
    message: `the script ${step.name} failed in the guest of the ${side}: ${seen}`,
    details: [
      {
        op: 'guest-step',
        subject: journey.input[side].path,
        hint: 'Its output is in the status. Mend the cause, then resolve with retry to run it once more.',
      },
    ],
  });

/** S11: what was left to find the scripts again goes; what cannot be removed is recorded and holds nobody up. */
async function release({ input, run, teller }: Journey, side: GuestSide, steps: readonly GuestStep[]): Promise<void> {
  const shells = [...new Set(steps.map(({ shell }) => shell))];
  const left: string[] = [];
  for (const shell of shells) {
    try {
      left.push(
        ...(await controlVerbs(input).releaseGuestScripts.executeWithOptions(
          summary(`Remove what the scripts left in the ${side}`),
          [{ failback: input, run, side, shell }],
        )),
      );
    } catch (error) {
      if (isCancellation(error)) throw error;
      left.push(troubleOf(error, '').message);
    }
  }
  if (left.length > 0)
    teller.record(`scripts-left/${side}`, 'something of our scripts stays', { left: left.join('; ') });
}
