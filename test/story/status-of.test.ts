/**
 * What the status claims before and after the first look, put together without Temporal.
 * Rule: who serves is told from what was seen; a run of a machine that is home already must not say that the source does.
 */
import type { FailbackInput } from '../../model/failback-input.ts';
import { soundPolicy } from '../../model/inventory.ts';
import type { Power } from '../../model/machine.ts';
import { beginStory, callOperator } from '../../model/transition.ts';
import { type Findings, statusOf } from '../../workflows/status-of.ts';

const input = {
  machine: 'erp-db',
  source: { site: 'azure', path: 'rg/erp-db' },
  target: { site: 'home', path: '/DC0/vm/erp-db' },
  mover: { name: 'm1', path: '/DC0/vm/m1' },
  policy: soundPolicy({}),
} as FailbackInput;
const moments = { startedAt: '2026-01-01T00:00:00.000Z', phaseSince: '2026-01-01T00:00:00.000Z' };
const trouble = { kind: 'Refused', op: 'preflight', subject: 's', message: 'm', hint: 'h', since: moments.startedAt };

function serves(looked: Findings['looked'], called = false): string {
  const story = beginStory('run-1', input.mover);
  const findings: Findings = { checks: [], pairs: [], seals: [], leftOut: [], ...(looked ? { looked } : {}) };
  return statusOf(input, called ? callOperator(story, trouble) : story, findings, [], moments).serves;
}

test('before the first look nobody is said to serve', () => {
  expect(serves(undefined)).toBe('not known before the first look');
});

test.each<[Power | undefined, Power | undefined, string]>([
  ['running', 'stopped', 'source'],
  ['changing', 'stopped', 'source'],
  ['absent', 'running', 'target'],
  ['running', 'running', 'source and target'],
  ['stopped', 'stopped', 'nobody: neither side runs'],
  ['stopped', undefined, 'not known: the target could not be seen'],
  [undefined, undefined, 'not known: the source and the target could not be seen'],
])('a source that is %s and a target that is %s are told as: %s', (source, target, words) => {
  expect(serves({ source, target })).toBe(words);
  expect(serves({ source, target }, true)).toBe(words);
});
