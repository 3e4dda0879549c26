/** What a run is begun with, as it is told at its start. */
import { withOptions } from '../../client/failback.ts';
import { inputsOf, inputsText } from '../../client/render/inputs.ts';
import { parseInventory } from '../../config/load.ts';
import { type FailbackInput, failbackInput } from '../../model/failback-input.ts';
import { changed, rightText } from '../config/inventory-text.ts';

const inputOf = (text: string): FailbackInput =>
  failbackInput(parseInventory(text, 'h.yaml'), 'erp-db') as FailbackInput;

test('S000-25 S001-12 the start tells direction, both sides, mover, datastore, and the policy that was chosen', () => {
  const inputs = inputsOf(withOptions(inputOf(rightText), { write: 'staged' }), 'nightly');
  expect(inputs).toEqual({
    direction: 'azure-west to home: from the recovery site back home',
    source: 'azure-west rg-dr/erp-db',
    target: 'home /DC0/vm/erp-db',
    location: 'original',
    mover: 'm1 /DC0/vm/mover',
    datastore: 'ds',
    policy: 'nightly',
    sync: 'during',
    write: 'staged',
  });
  const text = inputsText(inputs);
  for (const value of Object.values(inputs)) expect(text).toContain(value);
});

test('S000-25 what nobody chose is said to be the default', () => {
  const plain = changed('    policy: nightly\n', '').replace(/ {4}disks:[\s\S]*$/, '');
  expect(inputsOf(inputOf(plain), 'default')).toMatchObject({
    datastore: 'where the disks of the target lie (default)',
    policy: 'default (nobody chose another)',
    sync: 'before',
    write: 'in-place',
  });
});

test('a member of a group comes home alone only by the option', () => {
  const input = { ...inputOf(rightText), group: { name: 'erp', others: [] } };
  expect(withOptions(input, {}).group).not.toHaveProperty('alone');
  expect(withOptions(input, { alone: true }).group).toMatchObject({ alone: true });
  expect(withOptions(inputOf(rightText), { alone: true })).not.toHaveProperty('group');
});
