/**
 * The activities as the stories call them: their queues, time-outs and retry rules, in one place.
 * Rule: retries live here and nowhere else; nothing has a cap on attempts, but a row of them in vain asks a person
 * (activities/vain.ts). Transfers always wait for a cancelled attempt to end, so that an undo never meets a writer (S8).
 */
import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { ControlActivities } from '../activities/control.ts';
import type { MoverActivities } from '../activities/transfer.ts';
import type { GuestStep, Probe } from '../model/arrival-policy.ts';
import { controlQueue, type FailbackInput, moverQueue } from '../model/failback-input.ts';
import { questionMs, questionTryMs, takenWithinSeconds } from '../model/mover-seen.ts';
import {
  applicationPointStep,
  briefStep,
  countStep,
  farewellStep,
  guestStep,
  lightStep,
  pointStep,
  probeStep,
  type StepTimes,
  scriptStep,
  tidyStep,
  watchStep,
} from './step-times.ts';

/** Temporal refuses summaries over 400 bytes; the UI clips at about 120 characters. */
const summaryLimit = 120;

export const summary = (text: string): { summary: string } => ({ summary: text.slice(0, summaryLimit) });

const shared = (input: FailbackInput): ActivityOptions => ({
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  heartbeatTimeout: input.policy.heartbeatSeconds * 1000,
});

/** The steps that wait for something outside for longer than the others. */
type LongSteps =
  | 'observeGuest'
  | 'ensureRecoveryPoint'
  | 'ensureApplicationPoint'
  | 'ensureGuestScriptRun'
  | 'observeSourceScript'
  | 'observeProbes'
  | 'observeProbesHold'
  | 'observeWritten';

const light = (input: FailbackInput, { attemptMs, allMs }: StepTimes): ActivityOptions => ({
  ...shared(input),
  taskQueue: controlQueue,
  startToCloseTimeout: attemptMs,
  scheduleToCloseTimeout: allMs,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** Light verbs: some patience with a world that is busy, then a person is asked. */
export const controlVerbs = (input: FailbackInput) =>
  proxyActivities<Omit<ControlActivities, LongSteps>>(light(input, lightStep));

/** The same with little patience. */
export const briefVerbs = (input: FailbackInput) =>
  proxyActivities<Pick<ControlActivities, 'ensureMoverLeft' | 'observeSource'>>(light(input, briefStep));

/** The same for what is only tidied up. */
export const tidyVerbs = (input: FailbackInput) =>
  proxyActivities<Pick<ControlActivities, 'releaseGuestScripts'>>(light(input, tidyStep));

/** Waits for the guest of the target. */
export const guestVerbs = (input: FailbackInput) =>
  proxyActivities<Pick<ControlActivities, 'observeGuest'>>(light(input, guestStep(input.policy)));

/** Makes a recovery point. */
export const pointVerbs = (input: FailbackInput) =>
  proxyActivities<Pick<ControlActivities, 'ensureRecoveryPoint'>>(light(input, pointStep));

/** Runs one try of a script in a guest, or hears how one ended. */
export const scriptVerbs = (input: FailbackInput, step: Pick<GuestStep, 'timeoutSeconds'>) =>
  proxyActivities<Pick<ControlActivities, 'ensureGuestScriptRun' | 'observeSourceScript'>>(
    light(input, scriptStep(input.policy, step)),
  );

/** Looks whether the machine at home does what it is there for. */
export const probeVerbs = (input: FailbackInput, probes: readonly Probe[]) =>
  proxyActivities<Pick<ControlActivities, 'observeProbes'>>(light(input, probeStep(probes)));

/** Makes an application-consistent point; left at once when the rounds are wanted for something else. */
export const applicationPointVerbs = (input: FailbackInput) =>
  proxyActivities<Pick<ControlActivities, 'ensureApplicationPoint'>>({
    ...light(input, applicationPointStep),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });

/** A watch that changes nothing: as long as it takes, tried again for as long as the other side is away, left at once. */
export const watchingVerbs = (input: FailbackInput) =>
  proxyActivities<ControlActivities>({
    ...shared(input),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    taskQueue: controlQueue,
    startToCloseTimeout: watchStep.attemptMs,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
  });

/** Counts what the target writes, beside the story; left at once. */
export const countVerbs = (input: FailbackInput) =>
  proxyActivities<Pick<ControlActivities, 'observeWritten'>>({
    ...light(input, countStep),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });

/** The same on the way back, which hardly waits for it. `first`: of nothing counted yet, worth the wait for vCenter's first sample. */
export const lastCountVerbs = (input: FailbackInput, first: boolean) =>
  proxyActivities<Pick<ControlActivities, 'observeWritten'>>({
    ...light(input, briefStep),
    retry: first ? { initialInterval: '2 seconds', backoffCoefficient: 1 } : { maximumAttempts: 1 },
  });

/** One question to the mover before anything moves: whoever lives takes it at once, and does not think long. */
export const moverQuestionVerbs = (input: FailbackInput) =>
  proxyActivities<Pick<MoverActivities, 'observeMoverWorker'>>({
    ...shared(input),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    taskQueue: moverQueue(input.mover.name),
    scheduleToStartTimeout: takenWithinSeconds * 1000,
    startToCloseTimeout: questionTryMs,
    scheduleToCloseTimeout: questionMs,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
  });

/** The mover's last step: worth a short wait, and no run stays open for a mover that is gone. */
export const farewellVerbs = (input: FailbackInput) => {
  const { attemptMs, allMs } = farewellStep(input.policy);
  return proxyActivities<Pick<MoverActivities, 'releaseDiskRecords'>>({
    ...shared(input),
    taskQueue: moverQueue(input.mover.name),
    startToCloseTimeout: attemptMs,
    scheduleToCloseTimeout: allMs,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
  });
};

/** The mover's verbs: as long as the bytes take; a mover that nobody runs is reported after ten minutes. */
export const moverVerbs = (input: FailbackInput) =>
  proxyActivities<Omit<MoverActivities, 'releaseDiskRecords' | 'observeMoverWorker'>>({
    ...shared(input),
    taskQueue: moverQueue(input.mover.name),
    startToCloseTimeout: '7 days',
    scheduleToStartTimeout: '10 minutes',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
  });
