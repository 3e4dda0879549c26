/**
 * Which failures of a query mean that no worker took it, so that the server's own knowledge is shown instead.
 * Rule: everything else is a trouble of its own and must not be told as a worker that is away.
 */
import { ServiceError } from '@temporalio/client';
import { isUnanswered } from '../../client/connect.ts';

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
