/** Which advice of a target's checks is given, by what was seen of both sides. */
import { type Check, sparingTarget } from '../../model/check.ts';

const off = 'Power the on-prem machine off.';
const checks: Check[] = [
  { id: 'target-found', verdict: 'pass', subject: 't', seen: 'it exists' },
  { id: 'target-powered-off', verdict: 'refuse', subject: 't', seen: 'it runs', remedy: off },
];
const advice = (...[source, target]: Parameters<typeof advised>): string => advised(source, target) ?? '';
const advised = (source: Power | undefined, target: Power | undefined) =>
  sparingTarget(checks, { source, target })[1]?.remedy;
type Power = 'running' | 'stopped' | 'changing' | 'absent';

test('S1 a target beside a source that runs, or that is itself off, gets its advice as it is', () => {
  expect(advice('running', 'running')).toBe(off);
  expect(advice('changing', 'running')).toBe(off);
  expect(advice('stopped', 'stopped')).toBe(off);
});

test.each<[Power | undefined, string]>([
  ['absent', 'was not found'],
  [undefined, 'could not be seen'],
])('S1 S2 nobody is told to touch the target of a source that is %s', (source, words) => {
  const text = advice(source, 'running');
  expect(text).toContain(words);
  expect(text).toContain('may be the only live copy');
  expect(text).not.toContain(off);
  expect(sparingTarget(checks, { source, target: 'running' })[0]).toEqual(checks[0]);
});

test('S1 beside a stopped source a target that runs is switched off only by who knows that it does not serve', () => {
  const text = advice('stopped', 'running');
  expect(text).toMatch(/^The source is stopped and the on-prem machine is not: find out which one serves/);
  expect(text).toContain(off);
});
