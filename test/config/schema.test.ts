/**
 * docs/homeward.schema.json is what the code says.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closest } from '../../config/closest.ts';
import { inventorySchema, inventorySchemaText, knownKeys } from '../../config/schema.ts';
import { problemsOf, rightText } from './inventory-text.ts';

test('docs/homeward.schema.json is up to date (npm run homeward config schema > docs/homeward.schema.json)', () => {
  const written = readFileSync(join(__dirname, '..', '..', 'docs', 'homeward.schema.json'), 'utf8');
  expect(written).toBe(inventorySchemaText());
});

test('the schema asks only for what has no default', () => {
  expect(inventorySchema().required).toEqual(['sites']);
});

/** What editors hold a value to: JSON Schema's patterns know no flags. */
const patternsOf = (key: string): RegExp[] =>
  inventorySchemaText()
    .split(`"${key}": {`)
    .slice(1)
    .flatMap((text) => /^[^}]*"pattern": (".*")/.exec(text)?.[1] ?? [])
    .map((pattern) => new RegExp(JSON.parse(pattern) as string));

test.each([
  ['subscriptionId', '6F1C0A52-93DE-4B7A-8C55-0D2F4E9B7A10'],
  ['url', 'HTTPS://vcenter.example/sdk'],
])('editors take a %s in capitals, as the loader does', (key, value) => {
  const patterns = patternsOf(key).filter((pattern) => !pattern.source.includes('https?'));
  expect(patterns.length).toBeGreaterThan(0);
  for (const pattern of patterns) expect(value).toMatch(pattern);
  const known = key === 'url' ? 'https://vc.example/sdk' : '00000000-0000-0000-0000-000000000000';
  expect(problemsOf(rightText.replace(known, value))).toEqual([]);
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
