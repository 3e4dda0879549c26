/** What a preflight asks while a run of the machine is under way. */
import { asUnderWay } from '../../client/preflight.ts';
import { parseInventory } from '../../config/load.ts';
import { failbackInput } from '../../model/failback-input.ts';
import type { Status } from '../../model/status.ts';
import { rightText } from '../config/inventory-text.ts';

const inventory = parseInventory(rightText, 'h.yaml');
const input = failbackInput(inventory, 'erp-db');
if (!input) throw new Error('the inventory has erp-db');
const m1 = inventory.movers.m1;
if (!m1) throw new Error('the inventory has m1');
const movers = { ...inventory.movers, m2: { ...m1, vm: '/DC0/vm/m2' } };
const run = { run: 'run-7', write: 'staged', sync: 'during', mover: 'm2', record: [] } as const;

test('a preflight beside a run asks by the way of writing that it was started with and the mover that has the machine now', () => {
  expect(asUnderWay(input, run, movers)).toEqual({
    ...input,
    underWay: 'run-7',
    policy: { ...input.policy, write: 'staged', sync: 'during' },
    mover: { name: 'm2', path: '/DC0/vm/m2' },
  });
});

test('S1 a preflight beside a run tells whether the source stands as the run itself stopped it, and not once it was started again', () => {
  const entry = (key: string) => ({ key }) as Status['record'][number];
  const asked = (...keys: string[]) => asUnderWay(input, { ...run, record: keys.map(entry) }, movers).stopped;
  expect(asked()).toBeUndefined();
  expect(asked('final-point')).toBeUndefined();
  expect(asked('source-stopped', 'target-started')).toBe(true);
  expect(asked('source-stopped', 'source-started')).toBeUndefined();
  expect(asked('source-stopped', 'source-started', 'source-stopped')).toBe(true);
});

test('of a mover that the inventory does not know, and of a machine that is made, the inventory still says the rest', () => {
  const asked = asUnderWay(input, { ...run, write: 'created', mover: 'm9' }, movers);
  expect(asked.mover).toEqual(input.mover);
  expect(asked.policy).toEqual({ ...input.policy, sync: 'during' });
});
