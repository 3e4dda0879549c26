/** Machines that belong together: one mover, one moment, and who goes alone. */

import { parseInventory } from '../../config/load.ts';
import { failbackInput } from '../../model/failback-input.ts';
import { aloneChecks, type GroupOf, groupSystemChecks, saidAlone } from '../../model/group.ts';
import { changed, problemsOf, rightText } from '../config/inventory-text.ts';

const member = (mover: string): string => `  erp-app:
    source: { site: azure-west, path: rg-dr/erp-app }
    target: { site: home, path: /DC0/vm/erp-app }
    mover: ${mover}
    group: erp
`;
const grouped = changed('    mover: m1\n', '    mover: m1\n    group: erp\n');
const twoMovers = grouped.replace('movers:\n', 'movers:\n  m2: { site: home, vm: /DC0/vm/mover-2, state: state/m2 }\n');
const erp: GroupOf = { name: 'erp', others: [{ machine: 'erp-app', source: { site: 'azure-west', path: 'rg/a' } }] };

test('S000-5 S000-20 members of one group that go through two movers are refused in the inventory, by line and key', () => {
  expect(problemsOf(grouped + member('m1'))).toEqual([]);
  expect(problemsOf(twoMovers + member('m2'))).toEqual([
    expect.stringMatching(/machines\.erp-app\.mover.*one mover, and "erp-db" goes through "m1"/s),
  ]);
  // Two machines of no group may go through two.
  expect(problemsOf(twoMovers.replace('    group: erp\n', '') + member('m2'))).toEqual([]);
});

test('a run knows the other members of its machine’s group', () => {
  const parsed = parseInventory(grouped + member('m1'), 'h.yaml');
  expect(failbackInput(parsed, 'erp-db')?.group).toEqual({
    name: 'erp',
    others: [{ machine: 'erp-app', source: { site: 'azure-west', path: 'rg-dr/erp-app' } }],
  });
  expect(failbackInput(parseInventory(rightText, 'h.yaml'), 'erp-db')?.group).toBeUndefined();
});

test('S000-20 a member of a group alone is refused, and a warning once a person said so', () => {
  expect(aloneChecks('erp-db', undefined)).toEqual([]);
  expect(aloneChecks('erp-db', { name: 'erp', others: [] })).toMatchObject([{ verdict: 'pass' }]);
  expect(aloneChecks('erp-db', erp)).toMatchObject([
    {
      id: 'group-member-alone',
      requirement: 'S000-20',
      verdict: 'refuse',
      seen: expect.stringContaining('with erp-app'),
      remedy: expect.stringContaining('start it with --alone'),
    },
  ]);
  expect(aloneChecks('erp-db', { ...erp, alone: true })).toMatchObject([
    { verdict: 'warn', remedy: expect.stringContaining('Bring the others home too') },
  ]);
});

test('S000-5 a group of two families is allowed with the reason, and refused where the policy asks for the same', () => {
  const systems = (family: 'linux' | 'windows') => [
    { machine: 'erp-db', os: { family: 'linux' as const } },
    { machine: 'erp-app', os: { family } },
    { machine: 'erp-old' },
  ];
  const check = (family: 'linux' | 'windows', same: boolean) => groupSystemChecks('erp-db', erp, systems(family), same);
  expect(check('linux', true)).toMatchObject([
    { verdict: 'pass', seen: 'group erp: erp-db linux, erp-app linux, erp-old unknown' },
  ]);
  expect(check('windows', false)).toMatchObject([{ verdict: 'pass', seen: expect.stringContaining('allowed') }]);
  expect(check('windows', true)).toMatchObject([
    { requirement: 'S000-5', verdict: 'refuse', remedy: expect.stringContaining('a group of each family') },
  ]);
  expect(groupSystemChecks('erp-db', undefined, [], true)).toEqual([]);
});

test('S000-20 the record keeps with which others it was said that a member comes home alone, and nothing where nobody had to', () => {
  const group = { name: 'erp', others: [{ machine: 'erp-app', source: { site: 'a', path: 'rg/erp-app' } }] };
  expect(saidAlone({ ...group, alone: true })).toEqual({ group: 'erp', others: 'erp-app' });
  expect(saidAlone(group)).toBeUndefined();
  expect(saidAlone({ name: 'erp', others: [], alone: true })).toBeUndefined();
  expect(saidAlone(undefined)).toBeUndefined();
});
