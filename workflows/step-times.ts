/**
 * How long each kind of light step may take. Pure, so that it can be held against what the steps have to wait for.
 * Rule (L1): a step that waits for something outside has more time than that may take by its own rule, so that it ends by
 * its own word and not by a clock that knows nothing; and each has an end, after which a person is asked.
 */
import type { GuestStep, Probe } from '../model/arrival-policy.ts';
import type { Policy } from '../model/inventory.ts';

/** Milliseconds. `attemptMs`: of one attempt. `allMs`: of all attempts and the pauses between them. */
export interface StepTimes {
  readonly attemptMs: number;
  readonly allMs: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Two hours of patience with a world that is busy. */
export const lightStep: StepTimes = { attemptMs: hourMs, allMs: 2 * hourMs };

/** What is worth a short wait during an outage, and is done later where it cannot be done at once. */
export const briefStep: StepTimes = { attemptMs: 20_000, allMs: 20_000 };

/** What is tidied up while the run has better to do: what takes longer stays, and is recorded. */
export const tidyStep: StepTimes = { attemptMs: minuteMs, allMs: minuteMs };

/** A guest that boots: as long as the policy lets it, and ten minutes for a vCenter that is slow to be asked. */
export function guestStep({ guestWaitSeconds }: Pick<Policy, 'guestWaitSeconds'>): StepTimes {
  const ms = guestWaitSeconds * 1000 + 10 * minuteMs;
  return { attemptMs: ms, allMs: ms };
}

/**
 * A recovery point: Azure copies the snapshot of an Ultra or Premium SSD v2 disk in the background before it can be read,
 * which grows with the disk and may well outlast a night. The heartbeat tells what is waited for.
 */
export const pointStep: StepTimes = { attemptMs: 2 * dayMs, allMs: 2 * dayMs + 2 * hourMs };

/**
 * An application-consistent point: Azure waits minutes for the guest's agent, and the rounds wait for the point. One that
 * takes longer is given up, and the next is tried when it is due.
 */
export const applicationPointStep: StepTimes = { attemptMs: 15 * minuteMs, allMs: 15 * minuteMs };

/** What the mover removes at the end of a run: ten missed heartbeats long, so that a mover that is restarted is in time. */
export function farewellStep({ heartbeatSeconds }: Pick<Policy, 'heartbeatSeconds'>): StepTimes {
  const ms = 10 * heartbeatSeconds * 1000;
  return { attemptMs: ms, allMs: ms };
}

/** A watch beside the story; it ends by itself well before, to be begun anew. */
export const watchStep = { attemptMs: 25 * hourMs } as const;

/** A count beside the story: a vCenter that is away is asked again until the next count is due. */
export const countStep: StepTimes = { attemptMs: minuteMs, allMs: 20 * minuteMs };

/** A script in a guest: its agent may have to be waited for first, and the end of one that is stopped takes a while. */
export function scriptStep(
  { agentWaitSeconds }: Pick<Policy, 'agentWaitSeconds'>,
  { timeoutSeconds }: Pick<GuestStep, 'timeoutSeconds'>,
): StepTimes {
  const ms = (agentWaitSeconds + timeoutSeconds) * 1000 + 10 * minuteMs;
  return { attemptMs: ms, allMs: 2 * ms };
}

/** Probes, all at the same time: as long as the most patient of them. */
export function probeStep(probes: readonly Pick<Probe, 'timeoutSeconds'>[]): StepTimes {
  const ms = Math.max(0, ...probes.map(({ timeoutSeconds }) => timeoutSeconds)) * 1000 + 10 * minuteMs;
  return { attemptMs: ms, allMs: 2 * ms };
}
