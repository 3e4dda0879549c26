/** What is offered at the gate while nobody runs the mover that would carry the last round. */
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import type { View } from '../../client/view.ts';
import type { Phase } from '../../model/phase.ts';
import { now, statusIn, viewOf } from './views.ts';

test('R11 beside a mover that nobody runs completing is offered with what has to come first, and beside one that runs as it is', () => {
  const wide = { ...plainStyle, width: 400 };
  const first =
    '  Start the mover m1 first, which nobody runs: completing waits for it, and calls an operator when it does not come. The source is not stopped without it.\n  Type: homeward failback complete erp-db';
  const away = (queue: string) => [{ queue, waiting: [], start: 'npm run mover' }];
  const shown = (phase: Phase, missing: View['missing'] = []) =>
    renderStatus(viewOf(statusIn(phase, { waitsFor: 'x' }), { missing }), now, wide);
  for (const phase of ['Syncing', 'AwaitingCutover'] as const) {
    expect(shown(phase, away('mover-m1'))).toContain(first);
    for (const missing of [[], away('mover-m2'), away('control')])
      expect(shown(phase, missing)).not.toContain('completing waits for it');
  }
  expect(shown('AwaitingCommit', away('mover-m1'))).not.toContain('completing waits for it');
});
