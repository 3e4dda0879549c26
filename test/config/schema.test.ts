/**
 * docs/homeward.schema.json is what the code says.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closest } from '../../config/closest.ts';
import { inventorySchema, inventorySchemaText, knownKeys } from '../../config/schema.ts';

test('docs/homeward.schema.json is up to date (npm run homeward config schema > docs/homeward.schema.json)', () => {
  const written = readFileSync(join(__dirname, '..', '..', 'docs', 'homeward.schema.json'), 'utf8');
  expect(written).toBe(inventorySchemaText());
});

test('the schema asks only for what has no default', () => {
  expect(inventorySchema().required).toEqual(['sites']);
});

test('the keys of a site depend on its kind', () => {
  const value = { sites: { a: { kind: 'vsphere' } } };
  expect(knownKeys(['sites', 'a'], value)).toContain('datacenter');
  expect(knownKeys(['sites', 'a'], value)).not.toContain('subscriptionId');
});

test.each([
  ['datacentre', 'datacenter'],
  ['polcies', 'policies'],
  ['xyz', undefined],
])('"%s" suggests %s', (word, expected) => {
  expect(closest(word, ['datacenter', 'policies', 'movers'])).toBe(expected);
});
