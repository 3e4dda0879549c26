/**
 * What a worker does at the end of an attempt that Temporal no longer acknowledges: only that of a step that was reset is told,
 * because only there nobody else is at work. Temporal itself is shown in test/story/large-disk.test.ts.
 */
import type { Context } from '@temporalio/activity';
import { tellEndOfReset } from '../../activities/after-reset.ts';

const scheduledMs = 1_795_801_027_441;
const workflowExecution = { workflowId: 'machine/erp/rounds', runId: 'run-1' };

interface Pending {
  readonly activityId?: string;
  readonly attempt?: number;
  readonly scheduledMs?: number;
  readonly lastStartedTime?: object | null;
}

/** What is told to Temporal, and to the log, at the end of an attempt while Temporal has the step like this. */
async function told(attempt: number, pending: Pending | Error) {
  const [failed, warnings]: [unknown[], string[]] = [[], []];
  let asked = 0;
  const describe = async () => {
    asked++;
    if (pending instanceof Error) throw pending;
    const { scheduledMs: at = scheduledMs, ...seen } = pending;
    const scheduledTime = { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 + 501_946 };
    const step = { activityId: 'transfer-os', lastStartedTime: {}, scheduledTime, ...seen };
    return { raw: { pendingActivities: [{ ...step, activityId: 'transfer-data-0' }, step] } };
  };
  const client = {
    withDeadline: <T>(_: number, call: () => Promise<T>) => call(),
    workflow: { getHandle: () => ({ describe }) },
    activity: { fail: async (id: unknown) => void failed.push(id) },
  };
  const info = {
    workflowExecution,
    activityId: 'transfer-os',
    attempt,
    currentAttemptScheduledTimestampMs: scheduledMs,
  };
  const log = { warn: (text: string) => void warnings.push(text) };
  await tellEndOfReset({ info, client, log } as unknown as Context);
  return { asked, failed, warnings };
}

test('L1 the end of an attempt whose step was reset is told by the name of the step, so that the next one begins at once', async () => {
  const ended = [{ ...workflowExecution, activityId: 'transfer-os' }];
  expect(await told(2, { attempt: 1 })).toEqual({ asked: 1, failed: ended, warnings: [] });
});

test('S8 no other attempt is ended: a newer one that is under way, one that has still to begin, or one of another step', async () => {
  const nothing = { asked: 1, failed: [], warnings: [] };
  expect(await told(2, { attempt: 3, scheduledMs: scheduledMs + 30_000 })).toEqual(nothing);
  // The one after a reset has a lower number too, but began later.
  expect(await told(5, { attempt: 2, scheduledMs: scheduledMs + 30_000 })).toEqual(nothing);
  expect(await told(5, { attempt: 1, lastStartedTime: null })).toEqual(nothing);
  expect(await told(5, { attempt: 5 })).toEqual(nothing);
  expect(await told(2, { attempt: 1, activityId: 'transfer-data-1' })).toEqual(nothing);
});

test('L1 a first attempt is told by Temporal’s own way, and a Temporal that does not answer changes nothing', async () => {
  expect(await told(1, { attempt: 1 })).toEqual({ asked: 0, failed: [], warnings: [] });
  const away = await told(2, new Error('UNAVAILABLE'));
  expect(away).toMatchObject({ asked: 1, failed: [] });
  expect(away.warnings).toEqual([expect.stringContaining('begins after the heartbeat time-out')]);
});
