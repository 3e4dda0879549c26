/**
 * Who may commit, and what a person is told of a loss: the law without Temporal.
 */
import { atHomeWords, lossOf } from '../../model/commit-rules.ts';
import { type MessageName, messageMeaning, parseMessage } from '../../model/message.ts';
import { isHome, phaseTable } from '../../model/phase.ts';
import { lossText } from '../../model/status.ts';
import {
  beginStory,
  callOperator,
  hear,
  markTargetLive,
  markTargetOff,
  markTargetSeen,
  type Story,
} from '../../model/transition.ts';
import { counted } from '../../model/written.ts';

const at = '2026-01-02T03:04:05.000Z';
const mover = { name: 'm1', path: '/DC0/vm/m1' };
const completion = { by: 'Ana', at };
const gate = (people: 1 | 2): Story => ({
  ...beginStory('run-1', mover, { people }),
  phase: 'AwaitingCommit',
  targetLive: true,
  completion,
});
const say = (story: Story, name: MessageName, payload: object) => {
  const parsed = parseMessage(name, payload);
  if (!('message' in parsed)) throw new Error(parsed.problem);
  return hear(story, parsed.message, at);
};

test('S7 where the policy wants two people, whoever completed the failover cannot commit, however the name is written', () => {
  for (const by of ['Ana', 'ana', ' ANA ']) {
    const heard = say(gate(2), 'commit', { by });
    expect(heard).toMatchObject({ accepted: false, reason: expect.stringContaining('two people') });
    expect(heard.story.commitment).toBeUndefined();
    expect(heard.story.refusals.at(-1)).toMatchObject({ message: 'commit' });
  }
  expect(say(gate(2), 'commit', { by: 'ben' })).toMatchObject({ accepted: true, story: { commitment: { by: 'ben' } } });
});

test('S7 one person may do both where the policy does not want two', () => {
  expect(say(gate(1), 'commit', { by: 'Ana' }).accepted).toBe(true);
});

const since = '2026-01-02T03:00:00.000Z';
const sent = markTargetLive({ ...beginStory('run-1', mover), phase: 'StartingTarget', completion }, since);
const live = markTargetSeen(sent);
const written = { bytes: 1_400_000_000, until: '2026-01-02T10:32:00.000Z' };

test('S5 who cancels a target that went live is told since when it ran, and that nobody has counted what was written', () => {
  const refused = say(live, 'cancel', { by: 'ben' });
  expect(refused).toMatchObject({ accepted: false });
  expect(refused.reason).toBe(
    'the target went live at 2026-01-02T03:00:00.000Z: what was written there since would be lost; how much that is nobody has counted; cancel again with "acceptLoss": true',
  );
  expect(markTargetOff(live)).not.toHaveProperty('liveSince');
  expect(messageMeaning.cancel).toContain('acceptLoss');
});

test('S5 S1 a target whose start was refused counts as running, but is never said to have gone live before it was seen running', () => {
  const refused = say(sent, 'cancel', { by: 'ben' });
  expect(refused.accepted).toBe(false);
  expect(refused.reason).toMatch(
    /^the target may have gone live at 2026-.*: its start was sent, and nobody has seen it run/,
  );
  const lossIn = (story: Story) => lossOf(markTargetOff(say(story, 'cancel', { by: 'ben', acceptLoss: true }).story));
  const loss = lossIn(sent);
  expect(loss).toEqual({ since, unseen: true, acceptedBy: 'ben' });
  expect(loss && lossText(loss)).toContain(
    'What may have been written (its start was sent, nobody saw it run) at home',
  );
  expect(lossIn(live)).not.toHaveProperty('unseen');
  // A time at home that was seen stays one, also when a later start was not.
  const again = { ...sent, lostSince: since, lost: {}, lostAcceptedBy: ['ana'] };
  expect(lossIn(again)).not.toHaveProperty('unseen');
  expect(lossIn({ ...again, lostUnseen: true })).toMatchObject({ unseen: true });
  expect(atHomeWords(sent)).toMatch(/^May run at home .*nobody has seen it run/);
  expect(atHomeWords(live)).toBe('At home since');
});

test('S5 who cancels without the loss flag is told how much was written at home, until when, and whose count it is', () => {
  const known = counted(live, since, { written });
  const words =
    "what was written there since would be lost; it wrote about 1.3 GiB to its disks until 2026-01-02T10:32:00.000Z (vCenter's count)";
  expect(say(known, 'cancel', { by: 'ben' }).reason).toContain(words);
  const called = callOperator(known, {
    ...{ kind: 'Refused', op: 'probes', subject: '' },
    message: '',
    hint: '',
    since,
  });
  expect(say(called, 'resolve', { by: 'ben', action: 'undo' }).reason).toContain(words);
  const why = counted(live, since, { uncounted: 'NoPermission' });
  expect(say(why, 'cancel', { by: 'ben' }).reason).toContain('how much that is nobody has counted (NoPermission);');
});

test('S5 a target that was stopped at the price of what it wrote keeps how much that was, and one that starts anew begins a count of its own', () => {
  const known = counted(live, since, { written, uncounted: 'away' });
  const lost = markTargetOff(say(known, 'cancel', { by: 'ben', acceptLoss: true }).story);
  expect(lost).toMatchObject({ targetLive: false, lostSince: since, lost: { written, uncounted: 'away' } });
  expect(lossOf(lost)).toEqual({ since, acceptedBy: 'ben', written, uncounted: 'away' });
  for (const key of ['liveSince', 'written', 'uncounted']) {
    expect(lost).not.toHaveProperty(key);
    expect(markTargetOff(known)).not.toHaveProperty(key);
  }
  expect(markTargetOff(known)).not.toHaveProperty('lost');
});

test('after the commit the machine is on-prem, and the status says that it is unprotected', () => {
  expect(isHome('Committed')).toBe(true);
  expect(phaseTable.Committed).toMatchObject({ serves: 'target', says: expect.stringContaining('unprotected') });
  expect(phaseTable.ReturnedToSource.says).not.toContain('unprotected');
});
