/**
 * Runs that ended long ago replay on today's workflows without a determinism error: what a worker of a new release does
 * with the runs an older one left.
 * The histories are recorded by `node test/story/record-histories.ts`; record them again when a change means to break them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';

interface HistoryEvent {
  readonly eventType: string;
  readonly activityTaskScheduledEventAttributes?: { readonly activityType: { name: string } };
  readonly workflowExecutionStartedEventAttributes?: { readonly input: { readonly payloads: { data: string }[] } };
}
interface Recorded {
  readonly workflowId: string;
  readonly history: { events: HistoryEvent[] };
}

const folder = join(__dirname, 'histories');
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
const read = (name: string): Recorded => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Recorded;

let bundle: WorkflowBundle;
beforeAll(async () => {
  // A replay that fails is what one test wants; what the SDK has to say about it is no news.
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { forward: {}, filter: 'OFF' } },
  });
  const workflowsPath = join(__dirname, '..', '..', 'workflows', 'index.ts');
  bundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR', () => undefined) });
}, 120_000);
afterAll(() => Runtime.instance().shutdown(), 30_000);

const replay = ({ history, workflowId }: Recorded): Promise<void> =>
  Worker.runReplayHistory({ workflowBundle: bundle }, historyFromJSON(history), workflowId);

test('every ending is among the recorded histories', () => {
  expect(names).toEqual(
    expect.arrayContaining([
      'changed-point-then-committed',
      'committed-before',
      'committed-before-rounds',
      'committed-during',
      'operator-called-then-committed',
      'reassigned-then-committed',
      'reassigned-then-committed-rounds',
      'returned-by-request-cancellation',
      'returned-from-syncing',
      'returned-from-syncing-rounds',
      'returned-with-loss',
    ]),
  );
});

test.each(names)(
  'the recorded history %s replays without a determinism error',
  async (name) => {
    await replay(read(name));
  },
  60_000,
);

test('a history in which another activity ran than the workflow calls does not replay', async () => {
  const recorded = read('committed-during');
  const stop = recorded.history.events.find(
    (event) => event.activityTaskScheduledEventAttributes?.activityType.name === 'ensureSourceStopped',
  );
  if (!stop?.activityTaskScheduledEventAttributes) throw new Error('the history stops no source');
  stop.activityTaskScheduledEventAttributes.activityType.name = 'ensureSourceDeleted';
  await expect(replay(recorded)).rejects.toMatchObject({ name: 'DeterminismViolationError' });
}, 120_000);

test('a history whose run was started to sync in another way does not replay', async () => {
  const recorded = read('committed-during');
  const payload = recorded.history.events[0]?.workflowExecutionStartedEventAttributes?.input.payloads[0];
  if (!payload) throw new Error('the history has no input');
  const input = Buffer.from(payload.data, 'base64').toString();
  expect(input).toContain('"sync":"during"');
  payload.data = Buffer.from(input.replace('"sync":"during"', '"sync":"before"')).toString('base64');
  await expect(replay(recorded)).rejects.toMatchObject({ name: 'DeterminismViolationError' });
}, 120_000);
