/**
 * `homeward limits` as people read it; what it does to a copy is shown in test/story/workers.test.ts.
 */

import type { MoverOutcome } from '../../client/limits.ts';
import { renderLimits } from '../../client/render/limits.ts';
import { plainStyle } from '../../client/render/paint.ts';
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
  { mover: 'm2', silent: 'mover m2 did not answer in time; nothing was changed' },
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
m2  did not answer in time; nothing was changed`.slice(1),
  );
});
