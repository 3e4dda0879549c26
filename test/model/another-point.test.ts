/**
 * The law about another point: when a person may choose one after the start, what is accepted with it, and what counts then.
 */
import { type MessageName, parseMessage } from '../../model/message.ts';
import { withOtherPoint } from '../../model/other-point.ts';
import {
  beginStory,
  enter,
  goBack,
  hear,
  markTargetOff,
  type Story,
  withdrawPointChange,
} from '../../model/transition.ts';

const at = '2026-01-01T00:00:00.000Z';
const toOlder = { point: 'application-consistent', acceptLoss: true };

const say = (story: Story, name: MessageName, payload: object = {}) => {
  const own = name === 'resolve' ? { action: 'retry' } : name === 'changePoint' ? toOlder : {};
  const parsed = parseMessage(name, { by: 'ana', ...own, ...payload });
  if (!('message' in parsed)) throw new Error(parsed.problem);
  return hear(story, parsed.message, at);
};

const arrived: Story = {
  ...beginStory('run-1', { name: 'm1', path: '/DC0/vm/m1' }),
  applicationPoints: [{ after: 1, takenAt: at, changedBytesBefore: 0 }],
  ...{ phase: 'AwaitingCommit', targetLive: true, liveSince: at, evidence: 'abc' },
};
const called: Story = { ...arrived, phase: 'NeedsOperator', left: 'StartingTarget' };
const other = { by: 'ben' };

test('S001-13 S5 needs the loss flag once the target went live, and none where it never did', () => {
  const without = { acceptLoss: false };
  expect(say(arrived, 'changePoint', without)).toMatchObject({
    accepted: false,
    reason: expect.stringMatching(/went live at 2026-.*"acceptLoss": true/),
  });
  expect(say({ ...called, targetLive: false }, 'changePoint', without).accepted).toBe(true);
});

test('S7 is advised beside a failure after the start only where the run would take it, and by the name of the other point', () => {
  const trouble = { kind: 'Refused', op: 'probes', subject: 'vm', message: 'no', hint: 'Look at it.', since: at };
  const starting: Story = { ...arrived, phase: 'StartingTarget' };
  const advised = (story: Story): string => withOtherPoint(story, trouble).hint;
  expect(advised(starting)).toContain('For the application-consistent point of the source');
  expect(advised({ ...starting, completion: { by: 'ana', at, point: 'application-consistent' } })).toContain(
    'For the latest point of the source',
  );
  expect(advised({ ...starting, applicationPoints: [], noPoints: 'its policy wishes for none' })).toBe(trouble.hint);
  expect(advised({ ...starting, phase: 'Sealing' })).toBe(trouble.hint);
});

test('S7 is the other one than the one at home, and one that the run has', () => {
  // Where nothing waits to be resolved, no resolve is advised.
  expect(say(arrived, 'changePoint', { point: 'latest' }).reason).toBe(
    'the latest point is at home already; to get another one name the other',
  );
  expect(say(called, 'changePoint', { point: 'latest' }).reason).toMatch(/latest point is at home already; .*retry/);
  const { applicationPoints: _none, ...withoutPoints } = arrived;
  expect(say(withoutPoints, 'changePoint').reason).toMatch(/no application-consistent point.*Go on with the latest/);
  const older: Story = { ...arrived, completion: { by: 'ana', at, point: 'application-consistent' } };
  expect(say(older, 'changePoint').reason).toMatch(/application-consistent point is at home already/);
  expect(say(older, 'changePoint', { point: 'latest' }).accepted).toBe(true);
});

test('answers a call for an operator where the start or its probes failed, and in no other phase', () => {
  const { story } = say(called, 'changePoint');
  expect(story).toMatchObject({ resolution: { action: 'retry' }, pointChange: { from: 'latest', by: 'ana' } });
  expect(enter(goBack(story), 'ChangingPoint')).toMatchObject({ phase: 'ChangingPoint', pointChange: { by: 'ana' } });
  for (const left of ['Sealing', 'ChangingPoint', 'Committing', 'Undoing'] as const)
    expect(say({ ...called, left }, 'changePoint').reason).toMatch(/no other point can be chosen/);
  expect(say(say(called, 'resolve').story, 'changePoint').accepted).toBe(false);
});

test('S5 S7 one that cannot be taken after all counts as refused: nothing else changes, and it can be said again', () => {
  const { story } = say(arrived, 'changePoint');
  const back = withdrawPointChange(story, at, 'it has 1 snapshot(s)');
  const refusal = { message: 'changePoint', by: 'ana', at, phase: 'AwaitingCommit', reason: 'it has 1 snapshot(s)' };
  expect(back).toEqual({ ...arrived, refusals: [refusal] });
  expect(withdrawPointChange(arrived, at, 'none')).toBe(arrived);
  expect(say(back, 'changePoint')).toMatchObject({ accepted: true, story: { pointChange: { by: 'ana' } } });
});

test('S6 S7 said again it is known, another one is refused while it is on its way, and after a commit or a cancel there is none', () => {
  const { story } = say(arrived, 'changePoint');
  expect(say(story, 'changePoint')).toMatchObject({ accepted: true, reason: expect.stringMatching(/already so/) });
  expect(say(story, 'changePoint', { point: 'latest' }).reason).toMatch(/ana is changing it .*already/);
  expect(say(story, 'commit').reason).toMatch(/ana is changing the point/);
  expect(say(say(arrived, 'commit').story, 'changePoint').reason).toMatch(/committed/);
  expect(say(say(arrived, 'cancel', { acceptLoss: true }).story, 'changePoint').reason).toMatch(/cancelled/);
  expect(say(say(arrived, 'hold').story, 'changePoint').waits).toMatch(/^ana holds the run/);
});

test('S2 S7 the evidence of the disks before it counts no more, and whoever changed the point does not commit where two people are wanted', () => {
  const changing = enter(say({ ...arrived, commitNeedsTwo: true }, 'changePoint').story, 'ChangingPoint');
  expect(changing.evidence).toBeUndefined();
  const changed = enter(markTargetOff(changing, at), 'Sealing');
  expect(changed).toMatchObject({ pointChanged: { point: 'application-consistent' }, lostSince: at, lostUntil: at });
  expect(changed.pointChange).toBeUndefined();
  const again: Story = { ...changed, phase: 'AwaitingCommit', evidence: 'def', targetLive: true };
  expect(say(again, 'commit', { ...other, evidence: 'abc' }).reason).toMatch(/abc.*def/);
  expect(say(again, 'commit', { evidence: 'def' }).reason).toMatch(/ana changed the point/);
  expect(say(again, 'commit', { ...other, evidence: 'def' }).accepted).toBe(true);
  expect(say(again, 'changePoint', { point: 'latest' }).accepted).toBe(true);
});

test('S5 a cancel on the way there needs the loss flag until the target was observed off, and what was accepted is told at the end', () => {
  const changing = enter(say(arrived, 'changePoint').story, 'ChangingPoint');
  expect(say(changing, 'cancel').reason).toMatch(/acceptLoss/);
  const off = markTargetOff(changing, at);
  const back = enter(say(off, 'cancel').story, 'Undoing');
  expect(back).toMatchObject({ lostSince: at, lostAcceptedBy: ['ana'] });
  expect(back.pointChange).toBeUndefined();
});

test('S5 of two times at home the loss is both together, and at least one of them where the other was not counted', () => {
  const live = (story: Story, bytes: number | undefined): Story => ({
    ...story,
    ...{ phase: 'ChangingPoint', targetLive: true, liveSince: at },
    ...(bytes === undefined ? { uncounted: 'no right' } : { written: { bytes, until: at } }),
  });
  const { story } = say(arrived, 'changePoint');
  const first = markTargetOff(live(story, 1_000), at);
  expect(first).toMatchObject({ lostSince: at, lost: { written: { bytes: 1_000 } } });
  expect(first.written).toBeUndefined();
  const both = markTargetOff(live(first, 500), at);
  expect(both.lost).toEqual({ written: { bytes: 1_500, until: at } });
  expect(markTargetOff(live(first, undefined), at).lost).toEqual({
    written: { bytes: 1_000, until: at, gap: true },
    uncounted: 'no right',
  });
});
