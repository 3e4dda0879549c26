/**
 * What the status tells of a way back, put together without Temporal: who serves meanwhile, what was lost, what stays written.
 * Rule: nothing is called undone that is not, and who serves is told from what was done, never from where the run is heading.
 */
import type { EvidenceEntry } from '../../model/evidence.ts';
import type { FailbackInput } from '../../model/failback-input.ts';
import { sourceGone } from '../../model/failure.ts';
import { soundPolicy } from '../../model/inventory.ts';
import type { Phase } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import {
  beginStory,
  callOperator,
  goBack,
  hear,
  markSourceSeen,
  markTargetLive,
  markTargetOff,
  markTargetSeen,
  type Story,
  type Trouble,
} from '../../model/transition.ts';
import { failbackDetails } from '../../workflows/details.ts';
import { type Findings, statusOf } from '../../workflows/status-of.ts';

const at = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T01:00:00.000Z';
const inputWith = (policy: object): FailbackInput =>
  ({
    machine: 'erp-db',
    source: { site: 'azure', path: 'rg/erp-db' },
    target: { site: 'home', path: '/DC0/vm/erp-db' },
    mover: { name: 'm1', path: '/DC0/vm/m1' },
    policy: soundPolicy(policy),
  }) as FailbackInput;
const begun = beginStory('run-1', { name: 'm1', path: '/DC0/vm/m1' });
const entries = (keys: readonly string[]): EvidenceEntry[] =>
  keys.map((key) => ({ key, at, what: key, facts: {}, previous: '', digest: '' }) as unknown as EvidenceEntry);

function told(story: Story, keys: readonly string[] = [], more: Partial<Findings> = {}, policy: object = {}): Status {
  // A seal is recorded of what was begun.
  const begun = keys.some((key) => key.startsWith('seal/')) ? { sealing: true as const } : {};
  const findings = { ...{ checks: [], pairs: [], seals: [], leftOut: [] }, ...begun, ...more };
  return statusOf(inputWith(policy), story, findings, entries(keys), { startedAt: at, phaseSince: at });
}

const undoing: Story = { ...begun, phase: 'Undoing' };
const outage = { startedAt: at };
const start = { sourceUndo: 'start' } as const;
const left = { sourceUndo: 'leave' } as const;

test.each<[string, readonly string[], Partial<Findings>, Partial<Story>, RegExp]>([
  ['the source was never stopped', [], {}, {}, /^source$/],
  ['it was found standing still', [], { sourceIdle: true }, {}, /^nobody: the source is stopped$/],
  [
    'it was off before its stop',
    ['source-stopped'],
    { outage, ...left, sourceIdle: true },
    {},
    /^nobody: the source is/,
  ],
  ['it ran behind its stop', ['source-stopped'], { outage, ...left }, {}, /^the source, if it still runs/],
  ['it was seen running', ['source-stopped', 'source-left'], { outage, ...left }, {}, /^source$/],
  ['nobody will start the source', [], { outage, ...left }, { targetLive: true }, /then nobody, unless somebody has/],
  ['its stop may have gone through', [], { outage, ...start }, {}, /^the source, unless its stop went through/],
  [
    'it is off behind a stop that failed',
    [],
    { ...start, sourceIdle: true },
    {},
    /^nobody, until the source is started/,
  ],
  ['it is stopped', ['source-stopped'], { outage, ...start }, {}, /^nobody, until the source is started again/],
  [
    'the target runs',
    ['source-stopped'],
    { outage, ...start },
    { targetLive: true },
    /then nobody, until the source is/,
  ],
  ['the source was started again', ['source-stopped', 'source-started'], { outage, ...start }, {}, /^source$/],
])('S5 S1 while a run is taken back and %s, it is told who serves', (_what, keys, found, more, words) => {
  expect(told({ ...undoing, ...more }, keys, found).serves).toMatch(words);
  const called = { ...undoing, ...more, phase: 'NeedsOperator' as const, left: 'Undoing' as const };
  expect(told(called, keys, found).serves).toMatch(words);
});

test.each<Phase>(['Seeding', 'Syncing', 'AwaitingCutover', 'StoppingSource', 'ReturnedToSource'])(
  'S5 in %s a source that was found off is not told to serve',
  (phase) => {
    const found = told({ ...begun, phase }, [], { sourceIdle: true });
    expect(found).toMatchObject({ sourceIdle: true, serves: 'nobody: the source is stopped' });
    const ran = told({ ...begun, phase }, [], { sourceIdle: false });
    expect(ran.serves).toMatch(/^source/);
    expect(ran).not.toHaveProperty('sourceIdle');
  },
);

const gone: Trouble = {
  ...{ kind: 'Refused', op: sourceGone, subject: 'rg/erp-db', message: 'it is gone', hint: 'look', since: at },
};

test.each<[Phase, Partial<Findings>, RegExp]>([
  ['Syncing', {}, /^not known: the source was not found/],
  ['Undoing', {}, /^not known: the source was not found/],
  ['Undoing', { outage }, /^nobody: the source was not found/],
])(
  'S5 S1 of a source that was not found nobody is told in %s (%j) that it serves, until it is looked for again',
  (phase, found, words) => {
    const called = callOperator({ ...begun, phase }, gone);
    expect(told(called, [], found)).toMatchObject({ sourceGone: true, serves: expect.stringMatching(words) });
    const answer = (action: 'retry' | 'skip'): Story => goBack({ ...called, resolution: { by: 'ana', at, action } });
    expect(told(answer('skip'), [], found).serves).toMatch(words);
    expect(told(answer('retry'), [], found)).not.toHaveProperty('sourceGone');
    const other = {
      ...callOperator(answer('skip'), { ...gone, op: 'other' }),
      resolution: { by: 'ana', at, action: 'retry' as const },
    };
    expect(told(goBack(other), [], found)).toHaveProperty('sourceGone');
    expect(told(markSourceSeen(called), ['source-started'], found).serves).toBe('source');
  },
);

test('S5 S7 where the source is gone a way back is offered as what it is, and no other point', () => {
  const called = callOperator({ ...begun, phase: 'Syncing' }, gone);
  expect(told(called).waitsFor).toContain('or "undo" (which stops and deletes nothing while the source is not there)');
  const applicationPoints = [{ after: 1, takenAt: at, changedBytesBefore: 0 }];
  const atHome: Story = { ...begun, phase: 'AwaitingCommit', targetLive: true, liveSince: at, applicationPoints };
  expect(told(atHome).waitsFor).toContain('changePoint');
  expect(told(callOperator(atHome, { ...gone, op: 'observe-power', watch: true })).waitsFor).not.toContain(
    'changePoint',
  );
});

test('S5 S11 an end of which steps were left out does not call all of it undone', () => {
  const leftOut = ['recovery points'];
  for (const policy of [{}, { write: 'staged' }]) {
    const end = told({ ...begun, phase: 'ReturnedToSource' }, ['skipped/recovery points'], { leftOut }, policy);
    expect(end.says).toMatch(/^The failback was taken back, but not all .*An operator left out: recovery points/);
    expect(end.serves).toMatch(/^look at both sides/);
  }
});

test('S5 after a way back with loss the status tells what was dropped, since when, and who accepted it', () => {
  const live = markTargetSeen(markTargetLive({ ...begun, phase: 'StartingTarget' }, at));
  const atHome: Story = { ...live, phase: 'AwaitingCommit' };
  const { story } = hear(atHome, { name: 'cancel', by: 'ana', acceptLoss: true }, later);
  const end: Story = { ...markTargetOff({ ...story, phase: 'Undoing' }), phase: 'ReturnedToSource' };
  const status = told(end);
  expect(status.loss).toEqual({ since: at, acceptedBy: 'ana' });
  expect(failbackDetails(status)).toContain(`What was written at home since ${at} was dropped, accepted by ana`);
  expect(told({ ...begun, phase: 'ReturnedToSource' })).not.toHaveProperty('loss');
});

test('S5 S4 a way back never calls original disks undone that were written in place', () => {
  const end: Story = { ...begun, phase: 'ReturnedToSource' };
  const half = told(end, ['open/os', 'undo/open target disks']);
  expect(half.says).toMatch(/original disks at home are half written .*cannot boot/);
  expect(half.says).not.toContain('what it had changed is undone');
  expect(told(end, ['open/os', 'seal/os']).says).toMatch(/original disks at home hold what this run wrote/);
  for (const other of [told(end), told(end, ['open/os'], {}, { write: 'staged' })])
    expect(other.says).toContain('what it had changed is undone');
});

test('S4 S5 original disks whose seal was under way as the run was taken back may boot, and are not called half written', () => {
  const end: Story = { ...begun, phase: 'ReturnedToSource' };
  const keys = ['open/os', 'undo/open target disks'];
  const back = told(end, keys, { sealing: true }).says;
  const gone = told({ ...end, sourceGone: true }, keys, { sealing: true }).says;
  expect(back).toMatch(/original disks at home hold what this run wrote.*Do not start the machine/);
  expect(gone).toMatch(/not all .*may be the last copy/);
  for (const says of [back, gone]) expect(says).not.toMatch(/half written|cannot boot/);
});

test('S5 S11 an end whose source was not found advises nobody to let the disks at home be written over', () => {
  const leftOut = ['recovery points', 'open target disks'];
  const end: Story = { ...begun, phase: 'ReturnedToSource' };
  const gone: Story = { ...end, sourceGone: true };
  const sealed = ['open/os', 'seal/os', 'target-started'];
  for (const status of [told(gone, sealed, { leftOut }), told(gone, ['open/os'], { leftOut }, { write: 'staged' })]) {
    expect(status.says).toMatch(/not all .*source was not found .*may be the last copy/);
    expect(status.says).not.toMatch(/Do not start|repairs/);
  }
  // Half written they are no copy of anything, but the recovery points are.
  const half = told(gone, ['open/os', 'undo/open target disks'], { leftOut: ['recovery points'] });
  expect(half.says).toMatch(/are half written and cannot boot.*may be the last copy/);
  expect(half.says).not.toContain('repairs');
  expect(told(end, sealed, { leftOut }).says).not.toMatch(/Do not start|repairs/);
  const unplugged = told(end, [...sealed, 'undo/open target disks'], { leftOut: ['recovery points'] });
  expect(unplugged.says).toMatch(/hold what this run wrote.*repairs/);
});

test('L4 a gate that expires says when, and what happens then; a commit never does', () => {
  const waiting = { since: at, reminded: 0 };
  const gate = told({ ...begun, phase: 'Syncing' }, [], { waiting }, { gateExpiresSeconds: 3_600 });
  expect(gate.waiting).toMatchObject({ expiresAt: later });
  expect(failbackDetails(gate)).toContain(
    `Unless somebody completes by ${later}, the run is taken back then, and the source goes on serving.`,
  );
  const commit = told({ ...begun, phase: 'AwaitingCommit' }, [], { waiting }, { gateExpiresSeconds: 3_600 });
  expect(commit.waiting).toEqual(waiting);
  expect(told({ ...begun, phase: 'Syncing' }, [], { waiting }).waiting).toEqual(waiting);
});

test('S001-13 after the failover was completed to an older moment its meaning stays in the status', () => {
  const completion = { by: 'ana', at: later, point: 'application-consistent' as const };
  const applicationPoints = [{ after: 1, takenAt: at, changedBytesBefore: 0 }];
  const status = told({ ...begun, phase: 'AwaitingCommit', completion, applicationPoints });
  expect(failbackDetails(status)).toContain(
    `The application-consistent point of ${at} comes home; what was written after it is in the final snapshots alone.`,
  );
});
