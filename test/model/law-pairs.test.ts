/**
 * Every (phase, message) pair against a table written by hand, independent of the law's own table.
 * Rule: a pair that is not in here does not exist; adding a phase or a message breaks this test until it is decided.
 */
import { type MessageName, messageNames, parseMessage } from '../../model/message.ts';
import { type Phase, phases } from '../../model/phase.ts';
import { beginStory, hear, type Story } from '../../model/transition.ts';

const at = '2026-01-01T00:00:00.000Z';

/** y: taken. n: refused. k: nothing to do, said so (a resume when nothing is held). */
const expected: Record<Phase, Record<MessageName, 'y' | 'n' | 'k'>> = {
  Preflight: { completeFailover: 'n', commit: 'n', cancel: 'y', hold: 'y', resume: 'k', resolve: 'n' },
  Seeding: { completeFailover: 'y', commit: 'n', cancel: 'y', hold: 'y', resume: 'k', resolve: 'n' },
  Syncing: { completeFailover: 'y', commit: 'n', cancel: 'y', hold: 'y', resume: 'k', resolve: 'n' },
  AwaitingCutover: { completeFailover: 'y', commit: 'n', cancel: 'y', hold: 'y', resume: 'k', resolve: 'n' },
  StoppingSource: { completeFailover: 'n', commit: 'n', cancel: 'y', hold: 'n', resume: 'k', resolve: 'n' },
  FinalSync: { completeFailover: 'n', commit: 'n', cancel: 'y', hold: 'n', resume: 'k', resolve: 'n' },
  Sealing: { completeFailover: 'n', commit: 'n', cancel: 'y', hold: 'n', resume: 'k', resolve: 'n' },
  StartingTarget: { completeFailover: 'n', commit: 'n', cancel: 'y', hold: 'n', resume: 'k', resolve: 'n' },
  AwaitingCommit: { completeFailover: 'n', commit: 'y', cancel: 'n', hold: 'y', resume: 'k', resolve: 'n' },
  Committing: { completeFailover: 'n', commit: 'n', cancel: 'n', hold: 'n', resume: 'k', resolve: 'n' },
  Committed: { completeFailover: 'n', commit: 'n', cancel: 'n', hold: 'n', resume: 'k', resolve: 'n' },
  Undoing: { completeFailover: 'n', commit: 'n', cancel: 'n', hold: 'n', resume: 'k', resolve: 'n' },
  ReturnedToSource: { completeFailover: 'n', commit: 'n', cancel: 'n', hold: 'n', resume: 'k', resolve: 'n' },
  NeedsOperator: { completeFailover: 'y', commit: 'n', cancel: 'y', hold: 'n', resume: 'k', resolve: 'y' },
};

const standingIn = (phase: Phase): Story => ({
  ...beginStory('run-1'),
  phase,
  targetLive: phase === 'AwaitingCommit' || phase === 'Committing' || phase === 'Committed',
  ...(phase === 'NeedsOperator' ? { left: 'Seeding' as const } : {}),
});

const say = (story: Story, name: MessageName, payload: object = {}) => {
  const parsed = parseMessage(name, { by: 'ana', ...(name === 'resolve' ? { action: 'retry' } : {}), ...payload });
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
] as const)('S7 a message with %s is malformed and says what is expected', (_what, name, payload) => {
  const parsed = parseMessage(name, payload);
  expect('problem' in parsed && parsed.problem).toMatch(/^malformed: .*expected/);
});
