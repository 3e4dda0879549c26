/**
 * How the status and the question before completing tell the outage to come, and the one that lasts.
 */
import { describeCompletion } from '../../client/render/confirm.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

test('R4 while the seed runs status tells the outage to expect, open upwards, and so does the question before completing', () => {
  const outageAhead = { outageSeconds: { likely: 94, low: 7, high: 540 }, assumed: ['seal' as const] };
  const seeding = viewOf(statusIn('Seeding', {}), { outageAhead });
  const told =
    'about 94 s (7 s to 9 min) of outage, and longer by what changes while the first copy runs, which is known after it; seal is assumed, no run has measured it yet';
  expect(renderStatus(seeding, now, { ...plainStyle, width: 220 })).toContain(`To expect: ${told}.`);
  expect(describeCompletion(seeding, statusIn('Seeding', {}))).toContain(`  cost       ${told}`);
  expect(renderStatus({ ...seeding, execution: 'terminated' }, now, plainStyle)).not.toContain('To expect');
});

test('R4 an outage that lasts tells how long it will be in all, and one with every copy inside it says so before it begins', () => {
  const wide = { ...plainStyle, width: 220 };
  const steps = { outageSeconds: { likely: 94, low: 7, high: 540 }, assumed: ['seal' as const] };
  const status = statusIn('FinalSync', { sync: 'during', outage: { startedAt: ago(30) } });
  const lasting = renderStatus(viewOf(status, { outageInAll: steps }), now, wide);
  expect(lasting).toContain('To expect: about 94 s (7 s to 9 min) of outage in all; seal is assumed');
  const waiting = statusIn('AwaitingCutover', { sync: 'during' });
  const copy = { listed: false, bytes: { likely: 9, low: 0, high: 130 * 1024 ** 3 } };
  const view = viewOf(waiting, { outageAhead: steps, copy });
  const told =
    'about 94 s (7 s to 9 min) of outage, and longer by the copy of every disk, of up to 130.0 GiB, which lies';
  expect(renderStatus(view, now, wide)).toContain(`To expect: ${told}`);
  expect(describeCompletion(view, waiting)).toContain(`  cost       ${told}`);
});

test('R4 where no round has shown how much changes, no figure in the middle of the bound is told', () => {
  const bytes = { likely: 0, low: 0, high: 400 * 1024 ** 2 };
  const forecast = { bytes, outageSeconds: { likely: 7, low: 3, high: 97 }, assumed: [] };
  const seeded = viewOf(statusIn('Syncing'), { forecast });
  const told = 'up to 400.0 MiB to move, no round has shown yet how much changes; 3 s to 97 s of outage';
  expect(renderStatus(seeded, now, { ...plainStyle, width: 220 })).toContain(`Completing now: ${told}.`);
  expect(describeCompletion(seeded, statusIn('Syncing'))).toContain(`  cost       ${told}`);
  const still = { ...forecast, bytes: { likely: 0, low: 0, high: 0 } };
  expect(describeCompletion({ ...seeded, forecast: still }, statusIn('Syncing'))).toContain(
    'about 0 B to move, about 7 s',
  );
});
