/** What a preflight says of a machine that an earlier run committed home. */
import { afterCommit } from '../../client/home-already.ts';
import type { Check } from '../../model/check.ts';

const commit = { run: 'run-7', at: '2026-11-23T12:00:00.000Z' };
const gone: Check = {
  ...{ id: 'source-found', verdict: 'refuse', subject: 'rg/erp-db', seen: 'it does not exist' },
  remedy: 'Correct the path in the inventory.',
};

test('S000-16 the preflight of a machine that was committed home says so first, and sends nobody to the inventory', () => {
  const [first, source] = afterCommit('erp-db', commit, [gone]);
  expect(first).toMatchObject({ verdict: 'refuse', seen: expect.stringContaining('by run run-7'), subject: 'erp-db' });
  expect(first?.remedy).toContain('homeward failback start erp-db --again');
  expect(source).toMatchObject({ verdict: 'refuse', seen: gone.seen });
  expect(source?.remedy).not.toContain('inventory');
});

test('S000-16 a source that is there again after a commit is a way home that only wants to be meant', () => {
  const there: Check = { id: 'source-found', verdict: 'pass', subject: 'rg/erp-db', seen: 'it exists' };
  const checks = afterCommit('erp-db', commit, [there]);
  expect(checks.map(({ verdict }) => verdict)).toEqual(['warn', 'pass']);
});
