/** Which moment comes home: what may be chosen, what a second choice is told, and what lies around an older moment. */
import type { RecoveryPoint } from '../../model/machine.ts';
import { parseMessage } from '../../model/message.ts';
import { type ApplicationPoint, around, type PointChoice, whatFinalHolds, withPoints } from '../../model/point.ts';
import { whyNoPoints } from '../../model/point-policy.ts';
import { beginStory, type Decision, enter, hear, type Story } from '../../model/transition.ts';

const at = '2026-01-01T00:00:00.000Z';
const syncing: Story = { ...beginStory('run-1', { name: 'm1', path: '/DC0/vm/m1' }), phase: 'Syncing' };
const summary = { after: 4, takenAt: at, changedBytesBefore: 10 };
const withPoint = withPoints(syncing, { applicationPoints: [summary] });

function complete(story: Story, point?: PointChoice): Decision {
  const parsed = parseMessage('completeFailover', { by: 'ana', ...(point ? { point } : {}) });
  if (!('message' in parsed)) throw new Error(parsed.problem);
  return hear(story, parsed.message, at);
}

test('S001-13 a completion takes the latest point unless it names the application-consistent one', () => {
  expect(complete(withPoint).story.completion).toEqual({ by: 'ana', at });
  expect(complete(withPoint, 'latest').story.completion).toEqual({ by: 'ana', at, point: 'latest' });
  expect(complete(withPoint, 'application-consistent').story.completion?.point).toBe('application-consistent');
});

test('S7 S001-13 an application-consistent point that is not there cannot be chosen; the reason says when one is taken, or why none was', () => {
  expect(complete(syncing, 'application-consistent')).toMatchObject({
    accepted: false,
    reason: expect.stringContaining('applicationPointEverySeconds'),
  });
  const failed = withPoints(syncing, { pointTrouble: { at, message: 'the agent is silent', hint: 'Look at it.' } });
  const { accepted, reason, story } = complete(failed, 'application-consistent');
  expect([accepted, story.completion]).toEqual([false, undefined]);
  expect(reason).toContain('the agent is silent. Look at it.');
  expect(complete(failed).accepted).toBe(true);
});

test('S7 S001-13 a run whose policy takes no such points says so, and advises nobody to wait for one', () => {
  const policy = { sync: 'before', applicationPointEverySeconds: 0, applicationPointsKept: 2 } as const;
  const noPoints = whyNoPoints(policy) ?? 'taken';
  expect(complete({ ...syncing, noPoints }, 'application-consistent').reason).toBe(
    'this run takes no application-consistent points: its policy wishes for none (applicationPointEverySeconds: 0). Complete to the latest point, which loses nothing',
  );
  expect(complete(syncing, 'application-consistent').reason).toMatch(/or wait for one$/);
  expect(whyNoPoints({ ...policy, applicationPointEverySeconds: 10_800 })).toBeUndefined();
  expect(whyNoPoints({ ...policy, applicationPointEverySeconds: 10_800, sync: 'during' })).toMatch(/sync during/);
});

test('S001-17 a failover is completed to no point before every disk has one: what was said during the seed is kept until then', () => {
  const seeding: Story = { ...syncing, phase: 'Seeding' };
  const { accepted, waits, story } = complete(seeding);
  expect([accepted, waits]).toEqual([true, expect.stringContaining('first round is proven on every disk')]);
  expect(() => enter(story, 'StoppingSource')).toThrow('Seeding does not lead to StoppingSource');
  expect(enter(enter(story, 'Syncing'), 'StoppingSource').phase).toBe('StoppingSource');
  expect(complete({ ...syncing, phase: 'Preflight' }).accepted).toBe(false);
});

test('S7 a point of a name that nobody knows is malformed', () => {
  expect(parseMessage('completeFailover', { by: 'ana', point: 'newest' })).toEqual({
    problem: expect.stringMatching(/^malformed: point: .*latest.*application-consistent/),
  });
});

test('S6 a completion that was accepted is not changed by another choice, and says so', () => {
  const { story } = complete(withPoint, 'application-consistent');
  expect(complete(story, 'application-consistent').reason).toMatch(/already so/);
  const other = complete(story, 'latest');
  expect(other).toMatchObject({
    accepted: false,
    reason: expect.stringContaining('application-consistent point already'),
  });
  expect(other.story.completion).toEqual(story.completion);
  expect(complete(complete(withPoint).story, 'latest')).toMatchObject({
    accepted: true,
    reason: expect.stringMatching(/already so/),
  });
});

test('S2 what the final snapshots are is told by what came home', () => {
  expect(whatFinalHolds(false)).toContain('what came home');
  expect(whatFinalHolds(true)).toContain('alone hold what the source wrote after');
});

test('a trouble is over once a point was taken', () => {
  const troubled = withPoints(withPoint, {
    applicationPoints: [summary],
    pointTrouble: { at, message: 'm', hint: 'h' },
  });
  expect(troubled.pointTrouble?.message).toBe('m');
  expect(withPoints(troubled, { applicationPoints: [summary], taken: summary }).pointTrouble).toBeUndefined();
});

describe('S9 the moments around an older one', () => {
  const round = (number: number): RecoveryPoint => ({
    number,
    takenAt: at,
    consistency: 'crash',
    final: false,
    disks: [{ disk: 'os', id: `snapshot-${number}`, identity: `i-${number}`, sizeBytes: 512 }],
  });
  const chosen: ApplicationPoint = { point: round(4), since: round(4), changedBytesBefore: 0 };

  test('end with the point the disk holds, when that is a later one', () => {
    expect(around(chosen, round(7), round(8), 'os')).toMatchObject({
      since: { id: 'snapshot-4' },
      until: { id: 'snapshot-7' },
    });
  });

  test('end with the final point, when the disk still holds the one before it', () => {
    expect(around(chosen, round(4), round(5), 'os')).toMatchObject({
      since: { id: 'snapshot-4' },
      until: { id: 'snapshot-5' },
    });
  });
});
