/**
 * What people see of a run that no worker answers for: what Temporal's server knows, and what its phase means.
 */
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import { now, silentView } from './views.ts';

test('a run that nobody can be asked about shows what the server knows, and whether its phase is an outage', () => {
  expect(renderStatus({ ...silentView, phaseSeen: 'FinalSync' }, now, plainStyle)).toContain('serves then: nobody.');
  expect(renderStatus({ ...silentView, execution: 'completed' }, now, plainStyle)).not.toContain('serves then');
  expect(renderStatus(silentView, now, plainStyle)).toBe(
    `
erp-db  running  Syncing (as last recorded)
  serves then: source. Copies what changed, round after round, until a person
    completes the failover.
  started 11:00:00 UTC, 60 min ago
  No worker serves the task queue "control", so the run cannot be asked; start
    the control worker.`.slice(1),
  );
});
