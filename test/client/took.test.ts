/** What a person reads behind a message that the run took. */
import { tookText } from '../../client/render/took.ts';

const took = (action: object, answer: object = {}): string =>
  tookText('resolve', 'erp-db', { accepted: true, phase: 'NeedsOperator', ...answer }, action);

test('L6 who resolved a step reads what becomes of it, not the phase that it still stands in', () => {
  expect(took({ retry: true })).toBe(
    'erp-db took resolve; the step is tried again. See it: homeward failback status erp-db --watch',
  );
  expect(took({ skip: true })).toContain('took resolve; the step is left out. See');
  expect(took({ undo: true })).toContain('took resolve; everything is taken back. See');
  expect(took({ retry: true }, { waits: 'it is held' })).toContain(
    'the step is to be tried again.\nIt waits: it is held. See',
  );
});

test('L6 what changed nothing says why and the phase, as every other message does', () => {
  expect(took({ retry: true }, { reason: 'it was resolved before', phase: 'Syncing' })).toContain(
    'took resolve (it was resolved before); phase Syncing. See',
  );
  expect(tookText('hold', 'erp-db', { accepted: true, phase: 'Syncing' }, {})).toContain(
    'took hold; phase Syncing. See',
  );
});

test('S7 what is taken and waits for somebody to resume is told with what it waits for and what to type, said again too', () => {
  const waits = 'ana holds the run; nothing happens until somebody sends resume';
  const again = { accepted: true, phase: 'Syncing', reason: 'already so; nothing changed', waits };
  expect(tookText('completeFailover', 'erp-db', again, {})).toBe(
    'erp-db took completeFailover (already so; nothing changed); phase Syncing.\nIt waits: ana holds the run; nothing happens until somebody sends resume.\nType: homeward failback resume erp-db\nSee it: homeward failback status erp-db --watch',
  );
  const queued = { ...again, waits: 'it is kept until the first round is proven on every disk' };
  expect(tookText('completeFailover', 'erp-db', queued, {})).not.toContain('Type:');
});
