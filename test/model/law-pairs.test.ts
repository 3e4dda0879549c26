/**
 * Every (phase, message) pair against a table written by hand, independent of the law's own table.
 * Rule: a pair that is not in here does not exist; adding a phase or a message breaks this test until it is decided.
 */
import { takeUpReassignment } from '../../model/carrying.ts';
import { type MessageName, messageNames, parseMessage } from '../../model/message.ts';
import { type Phase, phases } from '../../model/phase.ts';
import { beginStory, enter, goBack, hear, type Story } from '../../model/transition.ts';

const at = '2026-01-01T00:00:00.000Z';

/** y: taken. n: refused. k: nothing to do, said so (a resume when nothing is held). */
const expected: Record<Phase, Record<MessageName, 'y' | 'n' | 'k'>> = {
  Preflight: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'y',
    hold: 'y',
    resume: 'k',
    resolve: 'n',
    reassign: 'y',
    changePoint: 'n',
  },
  Seeding: {
    completeFailover: 'y',
    commit: 'n',
    cancel: 'y',
    hold: 'y',
    resume: 'k',
    resolve: 'n',
    reassign: 'y',
    changePoint: 'n',
  },
  Syncing: {
    completeFailover: 'y',
    commit: 'n',
    cancel: 'y',
    hold: 'y',
    resume: 'k',
    resolve: 'n',
    reassign: 'y',
    changePoint: 'n',
  },
  AwaitingCutover: {
    completeFailover: 'y',
    commit: 'n',
    cancel: 'y',
    hold: 'y',
    resume: 'k',
    resolve: 'n',
    reassign: 'y',
    changePoint: 'n',
  },
  StoppingSource: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'y',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'y',
    changePoint: 'n',
  },
  FinalSync: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'y',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'y',
    changePoint: 'n',
  },
  Sealing: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'y',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'n',
    changePoint: 'n',
  },
  StartingTarget: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'y',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'n',
    changePoint: 'n',
  },
  AwaitingCommit: {
    completeFailover: 'n',
    commit: 'y',
    cancel: 'n',
    hold: 'y',
    resume: 'k',
    resolve: 'n',
    reassign: 'n',
    changePoint: 'y',
  },
  ChangingPoint: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'y',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'n',
    changePoint: 'n',
  },
  Committing: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'n',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'n',
    changePoint: 'n',
  },
  Committed: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'n',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'n',
    changePoint: 'n',
  },
  Undoing: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'n',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'n',
    changePoint: 'n',
  },
  ReturnedToSource: {
    completeFailover: 'n',
    commit: 'n',
    cancel: 'n',
    hold: 'n',
    resume: 'k',
    resolve: 'n',
    reassign: 'n',
    changePoint: 'n',
  },
  NeedsOperator: {
    completeFailover: 'y',
    commit: 'n',
    cancel: 'y',
    hold: 'n',
    resume: 'k',
    resolve: 'y',
    reassign: 'y',
    changePoint: 'n',
  },
};

const m1 = { name: 'm1', path: '/DC0/vm/m1' };
const toM2 = { mover: 'm2', path: '/DC0/vm/m2' };

const standingIn = (phase: Phase): Story => ({
  ...beginStory('run-1', m1),
  phase,
  targetLive: phase === 'AwaitingCommit' || phase === 'Committing' || phase === 'Committed',
  ...(phase === 'NeedsOperator' ? { left: 'Seeding' as const } : {}),
  applicationPoints: [{ after: 1, takenAt: at, changedBytesBefore: 0 }],
});

const toOlder = { point: 'application-consistent', acceptLoss: true };
const say = (story: Story, name: MessageName, payload: object = {}) => {
  const own =
    name === 'resolve' ? { action: 'retry' } : name === 'reassign' ? toM2 : name === 'changePoint' ? toOlder : {};
  const parsed = parseMessage(name, { by: 'ana', ...own, ...payload });
  if (!('message' in parsed)) throw new Error(parsed.problem);
  return hear(story, parsed.message, at);
};

describe.each(phases)('in phase %s', (phase) => {
  test.each(messageNames)('the law answers %s as the table says', (name) => {
    const story = standingIn(phase);
    const decision = say(story, name);
    const answer = decision.accepted ? (decision.reason === undefined ? 'y' : 'k') : 'n';
    expect(answer).toBe(expected[phase][name]);
    if (answer === 'k') expect(decision.story).toBe(story);
    if (answer === 'n') {
      const { refusals, ...rest } = decision.story;
      const { refusals: _before, ...restBefore } = story;
      expect(rest).toEqual(restBefore);
      expect(refusals.at(-1)).toMatchObject({ message: name, by: 'ana', phase });
    }
  });
});

test('S6 a second equal message changes nothing', () => {
  for (const [phase, name] of [
    ['Syncing', 'completeFailover'],
    ['AwaitingCommit', 'commit'],
    ['Seeding', 'cancel'],
    ['Preflight', 'reassign'],
  ] as const) {
    const first = say(standingIn(phase), name);
    const second = say(first.story, name, { note: 'again' });
    expect(second).toEqual({ story: first.story, accepted: true, reason: 'already so; nothing changed' });
  }
});

test.each([
  ['Syncing', 'completeFailover'],
  ['AwaitingCutover', 'completeFailover'],
  ['AwaitingCommit', 'commit'],
] as const)(
  'in phase %s an accepted %s says that it waits for a resume while somebody holds the run',
  (phase, name) => {
    const held = say(standingIn(phase), 'hold').story;
    const taken = say(held, name);
    expect(taken).toMatchObject({ accepted: true, waits: expect.stringMatching(/^ana holds the run; .*resume/) });
    expect(say(taken.story, name)).toMatchObject({ accepted: true, waits: expect.stringMatching(/^ana holds/) });
    expect(say(taken.story, 'resume').waits).toBeUndefined();
    expect(say(standingIn(phase), name).waits).toBeUndefined();
  },
);

test('L6 an answer to a call for an operator says that it waits for a resume while somebody holds the run, but for the way back', () => {
  const held = say(standingIn('Syncing'), 'hold').story;
  const called: Story = { ...held, phase: 'NeedsOperator', left: 'Syncing' };
  const retried = say(called, 'resolve', { action: 'retry' });
  const told = 'ana holds the run; no round and no gate goes on until somebody sends resume';
  expect(retried).toMatchObject({ accepted: true, waits: told });
  expect(say(retried.story, 'resolve', { action: 'retry' })).toMatchObject({ accepted: true, waits: told });
  expect(say(called, 'resolve', { action: 'undo' }).waits).toBeUndefined();
  expect(
    say({ ...standingIn('NeedsOperator'), left: 'Syncing' }, 'resolve', { action: 'retry' }).waits,
  ).toBeUndefined();
});

test('C16 a completion taken during the seed says what it waits for', () => {
  expect(say(standingIn('Seeding'), 'completeFailover').waits).toMatch(/until the first round is proven/);
});

test('S5 once the target went live a cancel needs the explicit loss flag, in every phase', () => {
  for (const phase of ['StartingTarget', 'AwaitingCommit', 'NeedsOperator'] as const) {
    const live: Story = {
      ...standingIn(phase),
      targetLive: true,
      ...(phase === 'NeedsOperator' ? { left: 'StartingTarget' as const } : {}),
    };
    expect(say(live, 'cancel')).toMatchObject({ accepted: false, reason: expect.stringContaining('acceptLoss') });
    expect(say(live, 'cancel', { acceptLoss: true }).accepted).toBe(true);
  }
});

test('S6 after a commit no cancel is accepted', () => {
  const committed = say(standingIn('AwaitingCommit'), 'commit').story;
  expect(say(committed, 'cancel', { acceptLoss: true })).toMatchObject({
    accepted: false,
    reason: expect.stringContaining('no way back'),
  });
});

test('S5 a hold does not outlive a way back: neither a cancel nor an undo leaves a run that waits for a resume', () => {
  const held = say(standingIn('Syncing'), 'hold').story;
  const called: Story = { ...held, phase: 'NeedsOperator', left: 'Syncing' };
  const undone = say(called, 'resolve', { action: 'undo' }).story;
  expect(undone.held).toBeUndefined();
  expect(enter(undone, 'Undoing').held).toBeUndefined();
  expect(say(called, 'cancel').story.held).toBeUndefined();
  expect(say(called, 'resolve', { action: 'retry' }).story.held).toMatchObject({ by: 'ana' });
});

test('L6 what the watch over the source found may be left out in any phase, a step only where the table says so', () => {
  const trouble = { kind: 'Refused', op: 'observe-power', subject: 's', message: 'm', hint: 'h', since: at };
  const called: Story = { ...standingIn('NeedsOperator'), left: 'StartingTarget', targetLive: true, trouble };
  const left = (story: Story): boolean => say(story, 'resolve', { action: 'skip' }).accepted;
  expect(left(called)).toBe(false);
  expect(left({ ...called, trouble: { ...trouble, watch: true } })).toBe(true);
});

test('S7 L6 an answer to a call that was answered already leaves nothing out of the next one', () => {
  const trouble = { kind: 'Refused', op: 'source-gone', subject: 's', message: 'm', hint: 'h', since: at, step: 'a' };
  const called: Story = { ...standingIn('NeedsOperator'), left: 'Undoing', trouble };
  const skip = { action: 'skip', since: at } as const;
  const answered = say(called, 'resolve', skip);
  expect(answered.accepted).toBe(true);
  expect(say(answered.story, 'resolve', skip)).toMatchObject({ accepted: true, story: answered.story });
  const next: Story = { ...called, trouble: { ...trouble, since: `${at}+1`, step: 'b' } };
  const refused = say(next, 'resolve', skip);
  expect(refused).toMatchObject({ accepted: false, reason: expect.stringContaining('another one stands') });
  expect(refused.story.resolution).toBeUndefined();
  expect(say(next, 'resolve', { action: 'skip' }).accepted).toBe(true);
});

describe('reassign', () => {
  const given = { name: 'm2', path: '/DC0/vm/m2' };

  test('before the disks are open changes the mover at once', () => {
    for (const phase of ['Preflight', 'AwaitingCutover'] as const) {
      const { story, waits } = say(standingIn(phase), 'reassign');
      expect([story.mover, story.reassignment, waits]).toEqual([given, undefined, undefined]);
    }
  });

  test('S8 while they are open changes it only when the disks are off the mover that has them, and counts the handovers', () => {
    const { story, waits } = say(standingIn('Syncing'), 'reassign');
    expect(story).toMatchObject({ mover: m1, reassignment: { by: 'ana', mover: given } });
    expect(waits).toContain('off m1');
    const once = takeUpReassignment(story);
    expect([once.mover, once.reassignment]).toEqual([{ ...given, handovers: 1 }, undefined]);
    const back = takeUpReassignment(say(once, 'reassign', { mover: 'm1', path: m1.path }).story);
    expect(back.mover).toEqual({ ...m1, handovers: 2 });
    expect(takeUpReassignment(back)).toBe(back);
  });

  test('to the mover it goes to, or has, is known; to a third one it is refused until the second has it', () => {
    const story = say(standingIn('Seeding'), 'reassign').story;
    expect(say(story, 'reassign')).toMatchObject({ accepted: true, reason: expect.stringMatching(/already so/) });
    expect(say(standingIn('Seeding'), 'reassign', { mover: 'm1' })).toMatchObject({
      accepted: true,
      story: { mover: m1 },
    });
    expect(say(story, 'reassign', { mover: 'm3' }).reason).toMatch(/on its way to m2 already/);
    expect(say(takeUpReassignment(story), 'reassign', { mover: 'm3' }).accepted).toBe(true);
  });

  test('answers a call for an operator, and there a third mover may be named when the second cannot take the disks', () => {
    const called = say(standingIn('NeedsOperator'), 'reassign').story;
    expect(called).toMatchObject({ reassignment: { mover: given }, resolution: { by: 'ana', action: 'retry' } });
    const again: Story = { ...goBack(called), phase: 'NeedsOperator', left: 'Seeding' };
    expect(say(again, 'reassign', { mover: 'm3' }).story.reassignment?.mover.name).toBe('m3');
    expect(say(say(again, 'resolve', { action: 'undo' }).story, 'reassign', { mover: 'm3' }).reason).toMatch(
      /taken back/,
    );
  });

  test.each(['Sealing', 'StartingTarget', 'AwaitingCommit'] as const)(
    'in phase %s says until when it would be taken',
    (phase) => {
      expect(say(standingIn(phase), 'reassign').reason).toMatch(/^the run is in phase .*only until they are sealed$/);
    },
  );

  test('S7 that was not done before the seal is told as refused, and not done later', () => {
    const late = say(standingIn('FinalSync'), 'reassign').story;
    const sealing = enter(late, 'Sealing');
    expect(sealing).toMatchObject({ phase: 'Sealing', mover: m1, refusals: [{ message: 'reassign', by: 'ana' }] });
    expect(sealing.reassignment).toBeUndefined();
    expect(enter(say(standingIn('Seeding'), 'reassign').story, 'Syncing').reassignment).toBeDefined();
  });
});

test('S7 a message for another run is refused and recorded', () => {
  const decision = say(standingIn('Syncing'), 'completeFailover', { run: 'run-0' });
  expect(decision.accepted).toBe(false);
  expect(decision.story.completion).toBeUndefined();
  expect(decision.story.refusals[0]?.reason).toContain('run-0');
});

test('S7 a commit that names other evidence is refused, and the policy may want it named', () => {
  const sealed: Story = { ...standingIn('AwaitingCommit'), evidence: 'abc' };
  expect(say(sealed, 'commit', { evidence: 'abd' }).accepted).toBe(false);
  expect(say(sealed, 'commit', { evidence: 'abc' }).accepted).toBe(true);
  expect(say({ ...sealed, commitNeedsEvidence: true }, 'commit').accepted).toBe(false);
});

test.each([
  ['no name', 'commit', {}],
  ['an empty name', 'cancel', { by: '  ' }],
  ['an unknown key', 'hold', { by: 'ana', force: true }],
  ['a wrong action', 'resolve', { by: 'ana', action: 'ignore' }],
  ['a bare string', 'commit', 'ana'],
  ['a list', 'cancel', [{ by: 'ana' }]],
  ['a number for the flag', 'cancel', { by: 'ana', acceptLoss: 1 }],
  ['no path of the mover', 'reassign', { by: 'ana', mover: 'm2' }],
] as const)('S7 a message with %s is malformed and says what is expected', (_what, name, payload) => {
  const parsed = parseMessage(name, payload);
  expect('problem' in parsed && parsed.problem).toMatch(/^malformed: .*expected/);
});
