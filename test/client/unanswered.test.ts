/**
 * Which failures of a query mean that no worker took it, so that the server's own knowledge is shown instead.
 * Rule: everything else is a trouble of its own and must not be told as a worker that is away.
 */
import { ServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { isUnanswered, type Link } from '../../client/connect.ts';
import { answerMs, sendMessage } from '../../client/message.ts';
import type { Message } from '../../model/message.ts';
import { questionMs } from '../../model/mover-seen.ts';

/** As the client gets it: the SDK's error around gRPC's. */
const failed = (code: number): ServiceError => {
  const cause = Object.assign(new Error('grpc'), { code, details: 'context deadline', metadata: {} });
  return new ServiceError('Failed to query Workflow', { cause });
};

test.each([
  ['the client gave up', 4],
  ['the server gave up because the client did', 1],
  ['the server has seen no worker for a while', 9],
])('a query is unanswered when %s', (_who, code) => {
  expect(isUnanswered(failed(code))).toBe(true);
});

test.each([
  ['a server that is away', 14],
  ['a run that is not there', 5],
  ['a user without the right', 7],
  ['a fault of the server', 13],
])('%s is no unanswered query', (_what, code) => {
  expect(isUnanswered(failed(code))).toBe(false);
  expect(isUnanswered(new Error('else'))).toBe(false);
});

/** The SDK's client at the end of its patience. */
const outOfTime = {
  within: (_ms: number, call: () => Promise<unknown>) => call(),
  client: {
    workflow: {
      getHandle: () => ({
        executeUpdate: () => Promise.reject(new WorkflowUpdateRPCTimeoutOrCancelledError('deadline exceeded')),
      }),
    },
  },
} as unknown as Link;

test('a run that asks a new mover before it answers is waited for as long as the question may take', () => {
  expect(answerMs('reassign')).toBeGreaterThanOrEqual(questionMs + answerMs('hold'));
  expect(answerMs('hold')).toBe(30_000);
});

test('S7 where no answer came in time nobody is sent to start a worker when the run may still be asking the new mover', async () => {
  const say = (message: Message) => sendMessage(outOfTime, 'erp-db', message);
  await expect(say({ name: 'reassign', by: 'ana', mover: 'mover-b', path: '/DC0/vm/mover-b' })).rejects.toMatchObject({
    message: expect.stringMatching(/still looks whether reassign can be done, and may yet take it/),
    todo: expect.stringContaining('homeward failback status erp-db'),
  });
  await expect(say({ name: 'hold', by: 'ana' })).rejects.toMatchObject({
    message: expect.stringContaining('no worker answered in time'),
    todo: expect.stringContaining('Start the control worker'),
  });
});
