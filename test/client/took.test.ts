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
