/** Which advice of a target's checks is given, by what was seen of both sides. */
import {
  awaitedBy,
  type Check,
  ownStop,
  pauseBeforeAsking,
  sparingTarget,
  verdictOf,
  withoutStart,
} from '../../model/check.ts';

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

test('S1 a machine that runs at home by this very run, which stopped the source before, gets its advice as it is; beside a source that is gone it is spared all the same', () => {
  const byRun = (source: Power | undefined) =>
    sparingTarget(checks, { source, target: 'running', byRun: true })[1]?.remedy;
  expect(byRun('stopped')).toBe(off);
  for (const source of ['absent', undefined] as const) expect(byRun(source)).toContain('may be the only live copy');
});

test('a source that stands still because this very run stopped it is told as that, and no other check is', () => {
  const idle: Check = { id: 'source-running', verdict: 'warn', subject: 's', seen: 'it is off', remedy: 'Check.' };
  const seen = 'it is off: run r-1, which is under way, stopped it';
  const passed = { id: 'source-running', verdict: 'pass', subject: 's', seen };
  expect(ownStop([...checks, idle], 'r-1')).toEqual([...checks, passed]);
  const runs: Check = { id: 'source-running', verdict: 'pass', subject: 's', seen: 'it runs' };
  expect(ownStop([runs], 'r-1')).toEqual([runs]);
});

const waits = (until: string): Check => ({
  ...{ id: 'source-guest-agent', verdict: 'wait', subject: 's', seen: 'silent', remedy: 'Nothing.' },
  wait: { for: 'the agent', since: '2026-11-23T12:00:00.000Z', until },
});
const refuses: Check = { id: 'r', verdict: 'refuse', subject: 's', seen: 'no', remedy: 'Mend it.' };

test('S000-22 what comes by itself is waited for, the longest wait first, but not while something refuses', () => {
  const both = [waits('2026-11-23T12:05:00.000Z'), waits('2026-11-23T12:15:00.000Z')];
  expect(awaitedBy(both).map((wait) => wait.until)).toEqual(['2026-11-23T12:15:00.000Z', '2026-11-23T12:05:00.000Z']);
  expect(awaitedBy([...both, refuses])).toEqual([]);
  expect(awaitedBy(checks)).toEqual([]);
});

test('checks as a whole are clear, wait, or are blocked, and a refusal outweighs a wait', () => {
  expect(verdictOf(checks.slice(0, 1))).toBe('clear');
  expect(verdictOf([waits('2026-11-23T12:15:00.000Z')])).toBe('waits');
  expect(verdictOf([waits('2026-11-23T12:15:00.000Z'), refuses])).toBe('blocked');
});

test('a wait of fifteen minutes is looked at every 30 s, a short one more often, none more often than each second', () => {
  const over = (seconds: number): number =>
    pauseBeforeAsking({ for: 'x', since: new Date(0).toISOString(), until: new Date(seconds * 1000).toISOString() });
  expect([over(900), over(86_400), over(120), over(5)]).toEqual([30_000, 30_000, 4_000, 1_000]);
});

test('what matters at the start alone is not asked again before the cutover, everything else is', () => {
  expect(withoutStart([waits('2026-11-23T12:15:00.000Z'), refuses])).toEqual([refuses]);
});
