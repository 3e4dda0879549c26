/**
 * What a look foretells of a run, in each phase it may stand in.
 */
import { ahead } from '../../client/ahead.ts';
import { type Phase, phases } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import { ago, statusIn } from './views.ts';

/** What is foretold of a run that has no round yet. */
const foretold = (phase: Phase, more: Partial<Status> = {}) =>
  Object.keys(ahead(statusIn(phase, more), undefined, [])).sort();
const before: readonly Phase[] = ['Preflight', 'Seeding', 'Syncing', 'AwaitingCutover'];

test('R4 an outage and a copy are foretold only of a run that comes to the completion of its failover', () => {
  const bound = ['copy', 'outageAhead'];
  for (const phase of phases) expect([phase, foretold(phase)]).toEqual([phase, before.includes(phase) ? bound : []]);
  for (const left of phases.filter((phase) => phase !== 'NeedsOperator'))
    expect([left, foretold('NeedsOperator', { left })]).toEqual([left, before.includes(left) ? bound : []]);
  expect(foretold('Seeding', { cancellation: { by: 'ana', at: ago(5) } })).toEqual([]);
  expect(foretold('Seeding', { outage: { startedAt: ago(5) } })).toEqual([]);
});
