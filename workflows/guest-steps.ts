/**
 * Scripts of the policy in the guests: before the source is stopped, and after the machine has started at home.
 * Rule: each try has a key of its own, so that no answer that got lost runs a script again; a critical step that fails calls
 * an operator, another one is recorded as a warning and the run goes on.
 */
import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { type GuestSide, nothingArrived, type StepFact, type StepRun, timedOutCode } from '../model/arrival.ts';
import type { GuestStep } from '../model/arrival-policy.ts';
import { isEnablingTools, sourceSteps, startTypeBefore, toolsRestore, toolsStep } from '../model/tools-step.ts';
import { whileAwaiting } from './awaiting.ts';
import type { Journey, Way } from './departure.ts';
import { troubleOf } from './trouble.ts';
import { controlVerbs, scriptVerbs, summary, tidyVerbs } from './verbs.ts';

/**
 * Before the stop: what the policy has, and on Windows that VMware Tools start by themselves at home (S001-20). A source
 * that is off comes home as it is: nothing can run in it, and nobody wants it started for that.
 */
export async function stepsBeforeStop(journey: Journey, { found }: Way, served: boolean): Promise<void> {
  const steps = sourceSteps(journey.input.policy, found.os);
  if (steps.length === 0) return;
  if (!served) {
    for (const step of steps) note(journey, factOf('source', step, 0, 'the source is off'));
    return;
  }
  journey.course.beforehand('scripts in the source', () => release(journey, 'source', steps, controlVerbs));
  let heard = true;
  for (const step of steps) {
    if (isEnablingTools(step)) heard = await enableTools(journey);
    else await runStep(journey, 'source', step);
  }
  // What the way back still has to ask for stays in the machine until then, or goes with it.
  if (heard) await journey.course.step(() => release(journey, 'source', steps, tidyVerbs));
}

export async function stepsAfterStart(journey: Journey): Promise<void> {
  const { afterStart } = journey.input.policy;
  for (const step of afterStart) await runStep(journey, 'target', step);
  if (afterStart.length > 0) await journey.course.step(() => release(journey, 'target', afterStart, tidyVerbs));
}

/**
 * S5: the way back sets the service as it was found, once the source runs again. A try that was begun and not heard of may
 * have changed it, so it is asked for then. Answers whether every try was heard of.
 */
async function enableTools(journey: Journey): Promise<boolean> {
  const outputs = new Map<number, string | undefined>();
  let restores = 0;
  journey.course.beforehand('VMware Tools in the source', async () => {
    for (const [number, output] of outputs)
      if (output === undefined) outputs.set(number, await askFor(journey, number));
    const before = startTypeBefore([...outputs.values()].map((output) => output ?? ''));
    if (before === undefined) return;
    const restore = toolsRestore(before);
    const ended = await once(journey, 'source', restore, ++restores);
    note(journey, factOf('source', restore, restores, ended));
    if (ended.exitCode !== 0) throw failed(journey, 'source', restore, seenOf(ended));
  });
  await runStep(journey, 'source', toolsStep, (number, ended) => outputs.set(number, ended?.output));
  return ![...outputs.values()].includes(undefined);
}

/** What a try of enabling VMware Tools wrote; empty when it did nothing. */
async function askFor({ input, run }: Journey, number: number): Promise<string> {
  const { ended } = await scriptVerbs(input, toolsStep).observeSourceScript.executeWithOptions(
    summary(`What became of ${toolsStep.name}, try ${number}?`),
    [{ failback: input, run, side: 'source', script: scriptOf(toolsStep, number) }],
  );
  return ended?.output ?? '';
}

/** `heard`: of each try, when it is begun and when it has ended. */
async function runStep(
  journey: Journey,
  side: GuestSide,
  step: GuestStep,
  heard: (number: number, ended?: StepRun) => void = () => undefined,
): Promise<void> {
  let tries = 0;
  const act = async (): Promise<void> => {
    for (let left = step.retries; ; left--) {
      heard(++tries);
      const ended = await tried(journey, side, step, tries);
      if (typeof ended !== 'string') heard(tries, ended);
      const done = typeof ended !== 'string' && ended.exitCode === 0;
      if (!done && left > 0) continue;
      note(journey, factOf(side, step, tries, ended));
      if (!done && step.critical) throw failed(journey, side, step, seenOf(ended));
      return;
    }
  };
  await journey.course.step(act);
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

const scriptOf = ({ name, script, shell, timeoutSeconds }: GuestStep, number: number) => ({
  key: `${name}-${number}`,
  script,
  shell,
  timeoutSeconds,
});

/** S000-22, S001-22: the agent may take its time first, so the status tells until when both may take. */
async function once(journey: Journey, side: GuestSide, step: GuestStep, number: number): Promise<StepRun> {
  const { input, run, teller } = journey;
  const { path } = input[side];
  const { agentWaitSeconds } = input.policy;
  const what = `the agent in the guest of ${path} (up to ${agentWaitSeconds} s), then its script ${step.name}`;
  return await whileAwaiting(teller, what, (agentWaitSeconds + step.timeoutSeconds) * 1000, () =>
    scriptVerbs(input, step).ensureGuestScriptRun.executeWithOptions(
      summary(`Run ${step.name} in the guest of ${path}, try ${number}`),
      [{ failback: input, run, side, script: scriptOf(step, number) }],
    ),
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
async function release(
  { input, run, teller }: Journey,
  side: GuestSide,
  steps: readonly GuestStep[],
  verbs: typeof tidyVerbs,
): Promise<void> {
  const shells = [...new Set(steps.map(({ shell }) => shell))];
  const left: string[] = [];
  for (const shell of shells) {
    try {
      left.push(
        ...(await verbs(input).releaseGuestScripts.executeWithOptions(
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
