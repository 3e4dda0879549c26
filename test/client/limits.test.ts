/**
 * `homeward limits` as people read it; what it does to a copy is shown in test/story/workers.test.ts.
 */

import { type MoverOutcome, silence } from '../../client/limits.ts';
import { renderLimits } from '../../client/render/limits.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { unanswered } from '../../workflows/limits.ts';
import { ago, now } from './views.ts';

const MiB = 1024 ** 2;

const outcomes: MoverOutcome[] = [
  {
    mover: 'm1',
    answer: {
      mover: 'm1',
      at: ago(0),
      cutover: 'exempt',
      scopes: [
        {
          scope: { kind: 'mover', name: 'm1' },
          rules: [{ rate: '100MiB/s' }, { rate: '20MiB/s', days: 'mon-fri', from: '08:00', to: '18:00', zone: 'UTC' }],
          sharedBy: 1,
          bytesPerSecond: 20 * MiB,
          until: '2026-11-23T18:00:00.000Z',
          set: { by: 'ana', at: ago(60), note: 'backup\u001b[2J window' },
        },
        {
          scope: { kind: 'site', name: 'home' },
          rules: [{ rate: '200MiB/s' }],
          sharedBy: 2,
          bytesPerSecond: 100 * MiB,
        },
        { scope: { kind: 'site', name: 'azure-west' }, rules: [], sharedBy: 1 },
      ],
    },
  },
  { mover: 'm2', silent: silence('mover m2 did not answer in time; nothing was changed', 'm2', 'h.yaml') },
];

test('R11 limits are shown with what holds now, the rules, who set them and until when', () => {
  expect(renderLimits(outcomes, now, plainStyle)).toBe(
    `
m1  now at most 20.0 MiB/s by mover m1, until 18:00:00 UTC; a cutover is exempt
  mover m1, set by ana at 11:59:00 UTC (backup window)
    100MiB/s, always
    20MiB/s, mon-fri 08:00 to 18:00 in UTC
  site home, from homeward.yaml, divided between 2 movers
    200MiB/s, always
m2  did not answer in time; nothing was changed. If it does not run, start it: npm run mover -- --config h.yaml --id m2`.slice(
      1,
    ),
  );
});

test('R11 a question that a mover did not answer is told as not known, and only a change as not made', () => {
  const order = { mover: 'm2' };
  expect(unanswered(order, true)).toBe('mover m2 did not answer in time, so what holds there is not known');
  expect(unanswered(order, false)).toBe(unanswered(order, true));
  const change = { ...order, clear: { scope: { kind: 'mover', name: 'm2' }, by: 'ana' } } as const;
  expect(unanswered(change, true)).toBe('mover m2 did not answer in time; nothing was changed');
  expect(unanswered(change, false)).toBe('mover m2 did not answer in time; whether it was changed is not known');
});
