/**
 * Steps that nobody works on any more: what a cancel waits for, and what ends by itself.
 * Rule: whoever waits is told for what, and until when; a live step is never called silent.
 */
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import type { Pending } from '../../client/view.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

const wide = { ...plainStyle, width: 400 };
const sealing: Pending = {
  ...{ activity: 'sealDisk', workflowId: 'machine/erp-db', activityId: 'seal-os', attempt: 1, paused: false },
  ...{ heardAt: ago(12), silenceSeconds: 30 },
};
const shown = (pending: Pending): string =>
  renderStatus(viewOf(statusIn('Sealing'), { pending: [pending] }), now, wide);

test('L1 a cancel says which step it waits for, how long that was not heard and when the server gives it up', () => {
  expect(shown({ ...sealing, cancelling: true })).toContain(
    'now: seal os; the run waits for it to stop: its worker was last heard 12 s ago, and after 30 s of silence the server gives it up',
  );
});

test('L1 a worker that beats each second is called silent long before the server gives it up', () => {
  expect(shown({ ...sealing, heardAt: ago(10) })).toContain(
    'now: seal os; its worker was last heard 10 s ago, and after 30 s of silence the server gives it up',
  );
  // A heartbeat takes its second or two, also where the server bears little silence.
  expect(shown({ ...sealing, heardAt: ago(4), silenceSeconds: 5 })).not.toContain('last heard');
});

test('L1 a step whose worker is silent for longer than a live one is says so; one that beats says nothing', () => {
  expect(shown({ ...sealing, heardAt: ago(28) })).toContain(
    'now: seal os; its worker was last heard 28 s ago, and after 30 s of silence the server gives it up',
  );
  expect(shown({ ...sealing, heardAt: ago(9) })).not.toContain('last heard');
  expect(shown({ ...sealing, cancelling: true, paused: true })).not.toContain('last heard');
});

test('L1 the clean-up of a mover that is gone is named, ends by itself, and says when and what stays', () => {
  const step = { activity: 'releaseDiskRecords', activityId: '28', since: ago(60) };
  const missing = [{ queue: 'mover-m1', waiting: [{ ...step, givenUpAt: ago(-240) }], start: 'npm run mover' }];
  const text = renderStatus(viewOf(statusIn('Undoing'), { missing }), now, wide);
  expect(text).toContain('60 s; what waits for it: remove what the mover kept of the disks.');
  expect(text).toContain('Nobody needs to do anything: unless the mover comes back it is given up at 12:04:00 UTC');
  expect(text).not.toContain('28');
});

test('C16 a completion that was given before the first round is through is said to be followed by itself', () => {
  const completion = { by: 'ana', at: ago(30) };
  const early = renderStatus(viewOf(statusIn('Seeding', { completion })), now, wide);
  expect(early).toContain('ana said complete at 11:59:30 UTC; the cutover follows by itself once the first round');
  expect(renderStatus(viewOf(statusIn('FinalSync', { completion })), now, wide)).not.toContain('follows by itself');
  const cancelled = statusIn('Seeding', { completion, cancellation: completion });
  expect(renderStatus(viewOf(cancelled), now, wide)).not.toContain('follows by itself');
});
