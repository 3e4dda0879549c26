/** What a person reads when a message was refused: what would mend that very message, never another step. */
import { refusal } from '../../client/refusal.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import { toldStory } from '../../client/told-story.ts';
import type { Message } from '../../model/message.ts';
import { phases } from '../../model/phase.ts';
import type { Status } from '../../model/status.ts';
import { objectionTo } from '../../model/transition.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

const point = { after: 3, takenAt: ago(900), changedBytesBefore: 0 };
const home = statusIn('AwaitingCommit', { targetLive: true, liveSince: ago(120), evidence: 'abc' });
const withPoint = { ...home, applicationPoints: [point] };

/** As the run would refuse it; undefined when it would take it. */
function told(status: Status, said: Omit<Message, 'by'>) {
  const message = { by: 'ana', ...said };
  const reason = objectionTo(toldStory(status), message);
  return reason === undefined || reason === 'known' ? undefined : refusal(status.machine, message, reason);
}
const see = 'See where it stands: homeward failback status erp-db';

const messages: readonly Omit<Message, 'by'>[] = [
  { name: 'completeFailover' },
  { name: 'completeFailover', point: 'application-consistent' },
  { name: 'completeFailover', run: 'other' },
  { name: 'commit' },
  { name: 'commit', run: 'other' },
  { name: 'commit', evidence: 'deadbeef' },
  { name: 'cancel' },
  { name: 'changePoint', point: 'latest' },
  { name: 'changePoint', point: 'application-consistent' },
  { name: 'hold' },
  { name: 'resolve', action: 'retry' },
  { name: 'resolve', action: 'undo' },
  { name: 'resolve', action: 'skip' },
];

test('S2 whatever is refused in whatever phase, the advice never names a commit, a completion or anything that was not asked for', () => {
  const stands = phases.flatMap((phase) => [
    statusIn(phase, { targetLive: true, liveSince: ago(9), evidence: 'abc', applicationPoints: [point] }),
    statusIn('NeedsOperator', { left: phase, targetLive: true, liveSince: ago(9) }),
    statusIn(phase),
  ]);
  const seen = stands.flatMap((status) => messages.flatMap((message) => told(status, message)?.todo ?? []));
  expect([...new Set(seen)].sort()).toEqual(
    [
      see,
      'To accept that: homeward failback cancel erp-db --accept-loss',
      'To accept that: homeward failback change-point erp-db --point application-consistent --accept-loss',
    ].sort(),
  );
});

test('S5 what only lacks the loss flag is told with it, as a line that can be pasted, and keeps the run that it was meant for', () => {
  const accept = { name: 'changePoint', point: 'application-consistent', run: home.run } as const;
  expect(told(withPoint, accept)).toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(
      /^erp-db refuses changePoint: the target went live .*; say it again with --accept-loss$/,
    ),
    todo: `To accept that: homeward failback change-point erp-db --point application-consistent --accept-loss --run ${home.run}`,
  });
  expect(told(home, accept)).toMatchObject({ todo: see });
  expect(told(home, { name: 'commit', evidence: 'deadbeef' })).toMatchObject({ todo: see });
});

test('S7 at the command line reasons speak of its options, in an answer and in the status', () => {
  for (const status of [home, withPoint, statusIn('NeedsOperator', { left: 'Committing', targetLive: true })])
    for (const message of messages)
      expect(told(status, message)?.message ?? '').not.toMatch(/"(acceptLoss|action|retry|skip|evidence)"/);
  const reason = 'the policy wants the evidence digest that is approved: "evidence": "abc"';
  expect(refusal('erp-db', { name: 'commit', by: 'ana' }, reason).message).toMatch(/approved: --evidence abc$/);
  const refused = { message: 'cancel', by: 'bob', at: ago(60), phase: 'AwaitingCommit' as const };
  const refusals = [{ ...refused, reason: 'the target went live; cancel again with "acceptLoss": true' }];
  expect(renderStatus(viewOf({ ...home, refusals }), now, { ...plainStyle, width: 200 })).toContain(
    'cancel again with --accept-loss',
  );
});
