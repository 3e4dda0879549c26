/** Whether a message that says what was said before still waits for somebody to resume the run. */
import type { Phase } from '../../model/phase.ts';
import { beginStory, hear, type Story } from '../../model/transition.ts';

const by = { by: 'ana', at: '2026-01-01T00:00:00.000Z' };
const heldIn = (phase: Phase, more: Partial<Story> = {}): Story => ({
  ...{ ...beginStory('run-1', { name: 'm1', path: '/DC0/vm/m1' }), phase, completion: by, held: by },
  ...more,
});

test('S7 who says complete again is told to wait for a resume only while the failover is not completed yet', () => {
  const again = (...story: Parameters<typeof heldIn>) =>
    hear(heldIn(...story), { name: 'completeFailover', by: 'ben' }, by.at);
  for (const phase of ['Syncing', 'AwaitingCutover'] as const) expect(again(phase).waits).toMatch(/^ana holds the run/);
  expect(again('NeedsOperator', { left: 'Syncing' }).waits).toMatch(/^ana holds the run/);
  const done = again('AwaitingCommit', { targetLive: true });
  expect(done).toMatchObject({ accepted: true, reason: 'already so; nothing changed' });
  expect(done.waits).toBeUndefined();
});
