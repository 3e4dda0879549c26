/** Who is about to lose what was written at home is told how much that is, where its count is under way. */

import { defaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { approvals } from '../../client/command/approve.ts';
import { type Asked, openCounted } from '../../client/command/open-run.ts';
import type { Link } from '../../client/connect.ts';
import type { Status } from '../../model/status.ts';
import { ago, statusIn } from './views.ts';

const live = statusIn('AwaitingCommit', { targetLive: true, liveSince: ago(5) });
const loadedDataConverter = {
  ...{ payloadConverter: defaultPayloadConverter, failureConverter: defaultFailureConverter, payloadCodecs: [] },
};
const written = { bytes: 7_000, until: ago(0) };
const counting = { activityId: '9', activityType: { name: 'observeWritten' }, state: 2, attempt: 3 };

/** A run that answers so, one after the other, while these steps are pending; with how often it was asked. */
function runAnswering(answers: readonly Status[], pendingActivities: readonly object[]) {
  let times = 0;
  const description = {
    ...{ workflowId: 'machine/erp-db', runId: 'run-1', status: { name: 'RUNNING' }, startTime: new Date(), memo: {} },
    ...{ typedSearchAttributes: { get: () => undefined }, raw: { pendingActivities } },
  };
  const query = async () => answers[Math.min(times++, answers.length - 1)];
  const link = {
    within: (_ms: number, call: () => Promise<unknown>) => call(),
    ...{ inventory: 'homeward.yaml', settings: { address: 'here:7233', namespace: 'default', origin: 'default' } },
    client: {
      options: { loadedDataConverter },
      workflow: { getHandle: () => ({ describe: async () => description, query }) },
    },
  } as unknown as Link;
  const shown: string[] = [];
  const screen = { json: true, note: (text: string) => shown.push(text), ask: async () => undefined };
  const message = { name: 'cancel', by: 'ana', acceptLoss: true };
  const options = { acceptLoss: true, yes: true };
  const asked = { context: { screen, loaded: { inventory: {} } }, link, machine: 'erp-db', message, options };
  return { asked: asked as unknown as Asked, times: () => times, shown };
}

async function ask(answers: readonly Status[], pending: readonly object[], forMs?: number) {
  const run = runAnswering(answers, pending);
  const { status } = await openCounted(run.asked, forMs);
  return { status, asked: run.times() };
}

test('S5 whoever cancels with the loss flag while the first count is under way reads how much it is', async () => {
  const run = runAnswering([live, { ...live, written }], [counting]);
  await approvals.cancel?.(run.asked);
  expect(run.shown.join()).toMatch(/lost .*it wrote about 6\.8 KiB to its disks/);
});

test('S5 a first count that is under way is waited for, before what would be lost is told', async () => {
  const { status, asked } = await ask([live, live, { ...live, written }], [counting]);
  expect(status?.written).toEqual(written);
  expect(asked).toBe(3);
  const failed = await ask([live, { ...live, uncounted: 'no right' }], [counting]);
  expect(failed.status?.uncounted).toBe('no right');
});

test('S5 it is waited for no longer than that, and not at all where nothing is to come', async () => {
  const late = await ask([live], [counting], 1_500);
  expect(late.status?.written).toBeUndefined();
  expect(late.asked).toBe(3);
  for (const [status, pending] of [
    [{ ...live, written }, [counting]],
    [{ ...live, uncounted: 'no right' }, [counting]],
    [{ ...live, startUnseen: true }, [counting]],
    [statusIn('Syncing'), [counting]],
    [live, []],
  ] as const)
    expect((await ask([status], pending)).asked).toBe(1);
});
