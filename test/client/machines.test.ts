/** What `homeward machines` knows of a run, under way or ended. */
import { machineRows } from '../../client/machines.ts';
import { parseInventory } from '../../config/load.ts';
import { rightText } from '../config/inventory-text.ts';
import { ago } from './views.ts';

const inventory = parseInventory(rightText, 'h.yaml');
const run = { workflowId: 'machine/erp-db', runId: 'run-1', startedAt: ago(3_600) };
const rowOf = (more: object) =>
  machineRows(inventory, new Map([['erp-db', { ...run, execution: 'running', ...more }]]))[0];

test('a machine shows where its run stands, and how and when its last one ended', () => {
  expect(machineRows(inventory, new Map())[0]).toMatchObject({ phase: '-' });
  expect(machineRows(inventory, undefined)[0]).toMatchObject({ phase: 'unknown' });
  expect(machineRows(inventory, new Map())[0]).not.toHaveProperty('run');
  expect(rowOf({ phaseSeen: 'Syncing' })).toMatchObject({ phase: 'Syncing', run: 'running' });
  expect(rowOf({ phaseSeen: 'Syncing' })).not.toHaveProperty('endedAt');
  const ended = { execution: 'completed', phaseSeen: 'Committed', closedAt: ago(60) };
  expect(rowOf(ended)).toMatchObject({ phase: 'Committed', run: 'completed', endedAt: ago(60) });
  const cut = { execution: 'terminated', phaseSeen: 'Seeding', closedAt: ago(60) };
  expect(rowOf(cut)).toMatchObject({ phase: 'Seeding', run: 'terminated', endedAt: ago(60) });
});
