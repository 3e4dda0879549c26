/**
 * Reads what the movers say in their heartbeats, straight from the server, for bars that move between two rounds.
 * Rule: heartbeat details are data from outside; what does not look like progress is left out, never guessed.
 */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { z } from 'zod';
import { noPlaceOp } from '../model/failure.ts';
import type { TransferProgress } from '../model/progress.ts';
import type { Pending } from './view.ts';

const progress = z.object({
  disk: z.string(),
  stage: z.enum(['waiting', 'listing', 'copying', 'proving', 'sealing', 'scrubbing', 'done']),
  doneBytes: z.number(),
  totalBytes: z.number(),
  bytesPerSecond: z.number(),
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

/** Whatever a seal says first, it copies nothing; and it seals only while a worker is at it. */
function stageOf(
  { activityType, paused }: RawPending,
  moves: boolean,
): Partial<Pick<TransferProgress, 'stage' | 'seal'>> {
  if (activityType?.name === 'sealDisk')
    return { seal: true, stage: paused ? 'paused' : moves ? 'sealing' : 'waiting' };
  return paused ? { stage: 'paused' } : {};
}

/** The pending activities of one workflow and the transfers they report. Payloads go through the client's own codec. */
export async function pendingOf(
  description: WorkflowExecutionDescription,
  converter: LoadedDataConverter,
): Promise<{ pending: Pending[]; transfers: TransferProgress[] }> {
  const raw = description.raw.pendingActivities ?? [];
  const transfers: TransferProgress[] = [];
  const pending: Pending[] = [];
  for (const activity of raw) {
    const paused = activity.paused === true;
    const details = await decodeArrayFromPayloads(converter, activity.heartbeatDetails?.payloads);
    // Of an attempt that has ended what it reported last stands, but nothing moves: it is paused, or waits for a worker.
    const moves = !paused && activity.state !== scheduled;
    const still = moves ? {} : { bytesPerSecond: 0 };
    const stage = stageOf(activity, moves);
    transfers.push(...progressIn(details).map((one) => ({ ...one, ...still, ...stage })));
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
