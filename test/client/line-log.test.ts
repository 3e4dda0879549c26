/**
 * What a watcher writes where nothing can be redrawn: a line for each thing that happened, and not for each step of a copy.
 */
import { LineLog } from '../../client/line-log.ts';
import type { View } from '../../client/view.ts';
import { ago, statusIn, viewOf } from './views.ts';

const MiB = 1024 ** 2;

/** A view in the middle of a copy, so many seconds after its beginning. */
function copying(seconds: number, more: Partial<View> = {}): View {
  const disk = { disk: 'os', stage: seconds % 2 ? 'copying' : 'proving', totalBytes: 1000, epoch: 1 } as const;
  const rounds = { done: seconds, recent: [], copiedBytes: seconds * MiB, changedBytes: 0, now: `round ${seconds}` };
  const transfers = [{ ...disk, doneBytes: seconds * 10, bytesPerSecond: 10 }];
  return viewOf(statusIn('Syncing', { waitsFor: 'completeFailover: Stop the source. {"by":"you"}' }), {
    ...{ rounds, transfers },
    ...more,
  });
}

test('a copy of a minute and a half is one line at its beginning and one every half minute', () => {
  const log = new LineLog();
  const written = Array.from({ length: 91 }, (_, second) => log.next(copying(second), second * 1000)).flat();
  expect(written).toEqual(
    [0, 30, 60, 90].map((second) =>
      `erp-db Syncing; ${second} rounds, ${second}.0 ${second ? 'MiB' : 'B'}; os proving ${Math.floor(second / 10) * 10}%; waits for: completeFailover`.replace(
        '0.0 B',
        '0 B',
      ),
    ),
  );
});

test('a line that says nothing new is never written, however long nothing happens', () => {
  const log = new LineLog();
  const still = viewOf(statusIn('AwaitingCommit', { waitsFor: 'commit: Keep it. {"by":"you"}' }));
  const written = Array.from({ length: 3_600 }, (_, second) => log.next(still, second * 1000)).flat();
  expect(written).toEqual(['erp-db AwaitingCommit; waits for: commit']);
});

test('what happened is written at once: a phase, a hold, a pause, a missing worker, a call for an operator', () => {
  const log = new LineLog();
  const step = { activity: 'transferDisk', workflowId: 'machine/erp-db/rounds', activityId: 'transfer-os', attempt: 1 };
  const trouble = {
    kind: 'Refused',
    op: 'o',
    subject: 's',
    message: 'quota exceeded',
    hint: 'Raise it.',
    since: ago(1),
  };
  const missing = [{ queue: 'mover-m1', waiting: [], start: 'npm run mover' }];
  const views = [
    viewOf(statusIn('Seeding')),
    viewOf(statusIn('Syncing')),
    viewOf(statusIn('Syncing', { held: { by: 'ana', at: ago(1) } })),
    viewOf(statusIn('Syncing'), { pending: [{ ...step, paused: true, pausedBy: { by: 'ben' } }] }),
    viewOf(statusIn('Syncing'), { missing }),
    viewOf(statusIn('Syncing', { completion: { by: 'ana', at: ago(1) } })),
    viewOf(statusIn('NeedsOperator', { left: 'Syncing', trouble })),
  ];
  expect(views.flatMap((view, second) => log.next(view, second * 1000))).toEqual([
    'erp-db Seeding',
    'erp-db Syncing',
    'erp-db Syncing; held by ana',
    'erp-db Syncing; transfer-os paused in Temporal by ben',
    'erp-db Syncing; nobody runs the mover m1',
    'erp-db Syncing; completed by ana',
    'erp-db NeedsOperator; left Syncing; Refused: quota exceeded. Raise it.',
  ]);
});

test('a refusal is a line of its own, told once; those from before the watching are not news', () => {
  const log = new LineLog();
  const refusal = (seconds: number) =>
    ({ message: 'commit', by: 'bob', at: ago(seconds), phase: 'Syncing', reason: 'not yet' }) as const;
  const seen = (...seconds: number[]) => viewOf(statusIn('Syncing', { refusals: seconds.map(refusal) }));
  const written = [seen(90), seen(90), seen(90, 30), seen(90, 30)].flatMap((view) => log.next(view, 0));
  expect(written).toEqual(['erp-db Syncing', 'erp-db refused commit by bob: not yet']);
});
