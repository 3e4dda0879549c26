/** What `homeward machines` knows of a run, under way or ended. */
import { machineRows } from '../../client/machines.ts';
import { keptLines } from '../../client/render/kept.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { parseInventory } from '../../config/load.ts';
import { keptRunOf } from '../../model/kept.ts';
import { rightText } from '../config/inventory-text.ts';
import { ago } from './views.ts';

const inventory = parseInventory(rightText, 'h.yaml');
const run = { workflowId: 'machine/erp-db', runId: 'run-1', startedAt: ago(3_600) };
const rowOf = (more: object) =>
  machineRows(inventory, new Map([['erp-db', { ...run, execution: 'running', ...more }]]))[0];

test('a machine shows where its run stands, and how and when its last one ended', () => {
  expect(machineRows(inventory, new Map())[0]).toMatchObject({ phase: null });
  expect(machineRows(inventory, undefined)[0]).toMatchObject({ phase: 'unknown' });
  expect(machineRows(inventory, new Map())[0]).not.toHaveProperty('run');
  expect(rowOf({ phaseSeen: 'Syncing' })).toMatchObject({ phase: 'Syncing', run: 'running' });
  expect(rowOf({ phaseSeen: 'Syncing' })).not.toHaveProperty('endedAt');
  const ended = { execution: 'completed', phaseSeen: 'Committed', closedAt: ago(60) };
  expect(rowOf(ended)).toMatchObject({ phase: 'Committed', run: 'completed', endedAt: ago(60) });
  const cut = { execution: 'terminated', phaseSeen: 'Seeding', closedAt: ago(60) };
  expect(rowOf(cut)).toMatchObject({ phase: 'Seeding', run: 'terminated', endedAt: ago(60) });
});

test('a machine shows the mover that has it now, and the one of the inventory where that is another', () => {
  const movers = { mover: 'm2', moverWritten: 'm1' };
  expect(rowOf({ phaseSeen: 'Syncing', moverSeen: 'm2' })).toMatchObject(movers);
  expect(rowOf({ phaseSeen: 'Syncing', moverSeen: 'm1' })).toMatchObject({ mover: 'm1' });
  expect(rowOf({ phaseSeen: 'Syncing', moverSeen: 'm1' })).not.toHaveProperty('moverWritten');
  // The next run begins with the mover of the inventory.
  const ended = { execution: 'completed', phaseSeen: 'ReturnedToSource', closedAt: ago(60), moverSeen: 'm2' };
  expect(rowOf(ended)).toMatchObject({ mover: 'm1' });
  expect(rowOf(ended)).not.toHaveProperty('moverWritten');
});

test('S11 final snapshots that are kept after a commit are told with their machine and below the list, until when and how to end it', () => {
  const memo = { run: 'run-7', source: 'azure:rg/erp-db', snapshots: ['/snap/os', '/snap/data'], until: ago(-86_400) };
  const own = keptRunOf({ ...memo, machine: 'erp-db' });
  const gone = keptRunOf({ ...memo, machine: 'gone', trouble: '403 AuthorizationFailed' });
  if (!own || !gone) throw new Error('both are what such a workflow writes');
  expect(own.workflow).toBe('kept/erp-db/run-7');
  expect(keptRunOf({ ...memo, machine: 'erp-db', until: 7 })).toBeUndefined();
  const rows = machineRows(inventory, new Map(), [own, gone]);
  expect(rows[0]).toMatchObject({ name: 'erp-db', kept: [own] });
  // What a machine left in Azure is paid for, also when nobody has the machine in the inventory any more.
  expect(rows.at(-1)).toMatchObject({
    ...{ name: 'gone', source: 'azure:rg/erp-db', phase: 'unknown', kept: [gone] },
    ...{ target: null, mover: null, policy: null },
  });
  expect(machineRows(inventory, new Map())[0]).not.toHaveProperty('kept');
  const text = keptLines([own, gone], Date.now(), { ...plainStyle, width: 200 }).join('\n');
  expect(text).toMatch(/erp-db +2 snapshots in azure:rg\/erp-db +until .* kept\/erp-db\/run-7/);
  expect(text).toMatch(/gone .*COULD NOT BE DELETED: 403 AuthorizationFailed/);
  expect(text).toContain('temporal workflow signal -w kept/erp-db/run-7 --name release');
  expect(keptLines([], Date.now(), plainStyle)).toEqual([]);
});
