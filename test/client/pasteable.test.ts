/** Whether advice works when it is pasted: it names the inventory that the person named. */
import { configIn, pasteable } from '../../client/pasteable.ts';

test('advice names the inventory that was named, in every line, and once', () => {
  const text = 'Type: homeward failback commit erp-db\n  do: homeward status erp-db; or homeward\n    preflight erp-db';
  expect(pasteable(text, 'dr/site.yaml')).toBe(
    'Type: homeward --config dr/site.yaml failback commit erp-db\n  do: homeward --config dr/site.yaml status erp-db; or homeward --config dr/site.yaml\n    preflight erp-db',
  );
  expect(pasteable(text, undefined)).toBe(text);
  const named = 'Type: homeward failback --config a.yaml commit erp-db';
  expect(pasteable(named, 'a.yaml')).toBe(named);
  const words = 'homeward: nothing was sent; homeward.yaml has it, homeward --help says it';
  expect(pasteable(words, 'a.yaml')).toBe(words);
  const help = 'Read: homeward failback evidence --help';
  expect(pasteable(help, 'a.yaml')).toBe(help);
  expect(pasteable('homeward machines', "it's $1.yaml")).toBe("homeward --config 'it'\\''s $1.yaml' machines");
});

test('the inventory is found on any command line', () => {
  expect(configIn(['--config', 'a.yaml', 'status'])).toBe('a.yaml');
  expect(configIn(['status', 'x', '--config=b.yaml'])).toBe('b.yaml');
  expect(configIn(['status', '--config'])).toBeUndefined();
  expect(configIn(['status', 'x'])).toBeUndefined();
});
