/** What an operator is told to do about a failure, by where the run stands. */
import { ActivityFailure, TimeoutFailure } from '@temporalio/common';
import { refused as refusedBy } from '../../model/failure.ts';
import { type Phase, phaseTable } from '../../model/phase.ts';
import { beginStory, callOperator, type Story, type Trouble } from '../../model/transition.ts';
import { callFor, together, troubleOf } from '../../workflows/trouble.ts';

const untaken = new ActivityFailure(
  'it failed',
  'transferDisk',
  'transfer-os',
  'TIMEOUT',
  undefined,
  new TimeoutFailure('late', undefined, 'SCHEDULE_TO_START'),
);

test.each(Object.keys(phaseTable) as Phase[])(
  'L4 a mover that takes no work in %s: another one is named only where the run would take that answer',
  (phase) => {
    const { message, hint } = troubleOf(untaken, '', phase);
    expect(message).toBe('no mover took the work within ten minutes');
    expect(hint.includes('mover reassign')).toBe(phaseTable[phase].reassign !== 'no');
    expect(hint).toMatch(/^Start the mover, then resolve with retry\. If it is gone for good/);
  },
);

const at = '2026-01-01T00:00:00.000Z';
const story: Story = { ...beginStory('run-1', { name: 'm1', path: '/DC0/vm/m1' }), phase: 'AwaitingCommit' };
const found: Trouble = { kind: 'Refused', op: 'observe-power', subject: 'vm', message: 'it runs', hint: '', since: at };
const asked = callOperator({ ...story, phase: 'StartingTarget' }, found);
const refused = refusedBy({ op: 'PowerOnVM_Task', subject: 'vm', message: 'no permission', hint: 'Give it.' });

test('S1 S7 an answer to a finding that came while the step was still ending stands, whatever the step ended with', () => {
  expect(callFor(asked, { found, error: refused }, at)?.message).toMatch(/it runs; besides, .*no permission/);
  const answered: Story = { ...asked, resolution: { by: 'ana', at, action: 'retry' } };
  expect(callFor(answered, { found, error: refused }, at)).toBeUndefined();
  // What nobody has answered yet, and what the law refused on the way back, is called for.
  expect(callFor(answered, { error: refused }, at)?.message).toBe('no permission');
  expect(callFor(answered, { found, error: refused, step: 'undo: x' }, at)?.step).toBe('undo: x');
});

test('S1 a step that a finding interrupted has no trouble of its own: the finding is called for once', () => {
  expect(callFor(story, { found }, at)).toBe(found);
  expect(callFor(asked, { found }, at)).toBeUndefined();
});

test('S7 what a finding takes along is another call than either alone, and names what skip leaves out of both', () => {
  const later = '2026-01-01T00:00:01.000Z';
  const watched = { ...found, step: 'the watch' };
  const both = { since: later, step: 'the watch, and x' };
  expect(callFor(asked, { found: watched, error: refused, step: 'x' }, later)).toMatchObject(both);
  // The finding may be the later one, or about the same.
  const open = { ...found, op: 'PowerOnVM_Task', step: 'x' };
  expect(together({ ...watched, since: later }, open)).toMatchObject(both);
  expect(together(watched, { ...found, since: later, step: 'x' })).toMatchObject({ ...both, message: found.message });
});
