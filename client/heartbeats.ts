/**
 * Reads what the movers say in their heartbeats, straight from the server, for bars that move between two rounds.
 * Rule: heartbeat details are data from outside; what does not look like progress is left out, never guessed.
 */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { z } from 'zod';
import { noPlaceOp } from '../model/failure.ts';
import type { Standing, TransferProgress } from '../model/progress.ts';
import { isSilent } from './heard.ts';
import type { Pending } from './view.ts';

const progress = z.object({
  disk: z.string(),
  stage: z.enum(['waiting', 'listing', 'copying', 'proving', 'sealing', 'scrubbing', 'done']),
  doneBytes: z.number(),
  totalBytes: z.number(),
  bytesPerSecond: z.number(),
  sentPerSecond: z.number().exactOptional(),
  epoch: z.number(),
  listedBytes: z.number().exactOptional(),
  fetchBytes: z.number().exactOptional(),
  repairedBlocks: z.number().exactOptional(),
  limit: z
    .object({
      bytesPerSecond: z.number(),
      by: z.string(),
      holdsBack: z.boolean(),
      cutover: z.literal('exempt').exactOptional(),
    })
    .exactOptional(),
});

/** Every progress report in one heartbeat's details: a report, a list of them, or an object that carries either. */
export function progressIn(details: unknown): TransferProgress[] {
  if (Array.isArray(details)) return details.flatMap(progressIn);
  if (typeof details !== 'object' || details === null) return [];
  const parsed = progress.safeParse(details);
  if (parsed.success) return [parsed.data];
  const carried = (details as { progress?: unknown }).progress;
  return carried === undefined ? [] : progressIn(carried);
}

type RawPending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

const stamp = (time: RawPending['lastHeartbeatTime']): string | undefined =>
  time?.seconds ? new Date(Number(time.seconds) * 1000).toISOString() : undefined;

function whoPaused({ pauseInfo }: RawPending): NonNullable<Pending['pausedBy']> {
  const { identity, reason } = pauseInfo?.manual ?? {};
  const since = stamp(pauseInfo?.pauseTime);
  return { ...(identity ? { by: identity } : {}), ...(reason ? { reason } : {}), ...(since ? { since } : {}) };
}

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of temporal/api/enums/v1/workflow.proto: no worker has taken it. */
const scheduled = 1;
/** `PENDING_ACTIVITY_STATE_CANCEL_REQUESTED`. */
const cancelRequested = 3;

/** How an attempt that a worker took may end without a word of that worker. */
function endOf(activity: RawPending): Pick<Pending, 'cancelling' | 'silenceSeconds' | 'heardAt' | 'givenUpAt'> {
  const silenceSeconds = Number(activity.activityOptions?.heartbeatTimeout?.seconds ?? 0);
  const taken = activity.state !== scheduled;
  const heardAt = taken ? (stamp(activity.lastHeartbeatTime) ?? stamp(activity.lastStartedTime)) : undefined;
  const givenUpAt = stamp(activity.expirationTime);
  return {
    ...(activity.state === cancelRequested ? { cancelling: true } : {}),
    ...(silenceSeconds > 0 ? { silenceSeconds } : {}),
    ...(heardAt ? { heardAt } : {}),
    ...(givenUpAt ? { givenUpAt } : {}),
  };
}

/** A step between two attempts is scheduled too; then it waits for its time and not for a worker. */
const waitingSince = ({ state, scheduledTime, nextAttemptScheduleTime }: RawPending): string | undefined =>
  state === scheduled && !nextAttemptScheduleTime?.seconds ? stamp(scheduledTime) : undefined;

/** By the details that ride in each failure of ours (activities/failure.ts). */
async function foundNoPlace({ lastFailure }: RawPending, converter: LoadedDataConverter): Promise<boolean> {
  const [detail] = await decodeArrayFromPayloads(converter, lastFailure?.applicationFailureInfo?.details?.payloads);
  return (detail as { op?: unknown } | null | undefined)?.op === noPlaceOp;
}

/** Why nobody carries on what the attempt was at; undefined while somebody does, and where an operator paused it. */
function standingOf(activity: RawPending, now: number): Standing | undefined {
  const { paused, state } = activity;
  if (paused) return undefined;
  if (state === scheduled) return { waitsFor: waitingSince(activity) === undefined ? 'its next attempt' : 'the mover' };
  const end = endOf(activity);
  return end.heardAt !== undefined && isSilent({ paused: false, ...end }, now)
    ? { notHeardSince: end.heardAt }
    : undefined;
}

/** Whatever a seal says first, it copies nothing; and neither it nor a copy goes on unless a worker is at it. */
function stageOf(
  { activityType, paused }: RawPending,
  moves: boolean,
): Partial<Pick<TransferProgress, 'stage' | 'seal'>> {
  const name = activityType?.name;
  const stage = paused ? 'paused' : moves ? undefined : 'waiting';
  if (name === 'sealDisk') return { seal: true, stage: stage ?? 'sealing' };
  // A scrub that stands is no copy that waits.
  return stage && !(name === 'scrubDisk' && stage === 'waiting') ? { stage } : {};
}

/** What was reported last stands, but has no rate any more, and nothing holds back what does not move. */
const atRest = (one: TransferProgress): TransferProgress => ({
  ...one,
  bytesPerSecond: 0,
  ...(one.sentPerSecond === undefined ? {} : { sentPerSecond: 0 }),
  ...(one.limit ? { limit: { ...one.limit, holdsBack: false } } : {}),
});

/** The pending activities of one workflow and the transfers they report. Payloads go through the client's own codec. */
export async function pendingOf(
  description: WorkflowExecutionDescription,
  converter: LoadedDataConverter,
  now = Date.now(),
): Promise<{ pending: Pending[]; transfers: TransferProgress[] }> {
  const raw = description.raw.pendingActivities ?? [];
  const transfers: TransferProgress[] = [];
  const pending: Pending[] = [];
  for (const activity of raw) {
    const paused = activity.paused === true;
    const details = await decodeArrayFromPayloads(converter, activity.heartbeatDetails?.payloads);
    const stands = standingOf(activity, now);
    const moves = !paused && stands === undefined;
    const more = { ...stageOf(activity, moves), ...(stands ? { stands } : {}) };
    transfers.push(...progressIn(details).map((one) => ({ ...(moves ? one : atRest(one)), ...more })));
    const doing = (details[0] as { now?: unknown } | null | undefined)?.now;
    const failure = activity.lastFailure?.message;
    const noPlace = await foundNoPlace(activity, converter);
    const beat = stamp(activity.lastHeartbeatTime);
    const queue = activity.activityOptions?.taskQueue?.name;
    const waitsSince = waitingSince(activity);
    pending.push({
      activity: activity.activityType?.name ?? 'unknown',
      workflowId: description.workflowId,
      activityId: activity.activityId ?? '',
      attempt: activity.attempt ?? 1,
      paused,
      ...(paused ? { pausedBy: whoPaused(activity) } : {}),
      ...(typeof doing === 'string' ? { doing } : {}),
      // Once a worker has taken it, its place was found.
      ...(failure && !(noPlace && activity.state !== scheduled) ? { lastFailure: failure } : {}),
      ...(noPlace ? { noPlace } : {}),
      ...(beat ? { lastHeartbeatAt: beat } : {}),
      ...endOf(activity),
      ...(queue ? { queue } : {}),
      ...(waitsSince ? { waitsSince } : {}),
    });
  }
  return { pending, transfers };
}
