/**
 * Another point in words: what is offered, what is shown before it is sent, and what of it stays to be seen.
 */
import { describeCommit, describePointChange } from '../../client/render/confirm.ts';
import { pointLines } from '../../client/render/points.ts';
import { renderStatus } from '../../client/render/status.ts';
import { whatToType } from '../../client/render/to-type.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

const point = { after: 3, takenAt: ago(900), changedBytesBefore: 0 };
const trouble = { kind: 'Refused', op: 'probes', subject: 's', message: 'probes failed', hint: 'look', since: ago(5) };
const live = { targetLive: true, liveSince: ago(120), applicationPoints: [point] } as const;
const called = statusIn('NeedsOperator', { ...live, left: 'StartingTarget', trouble });
const change = { by: 'ana', at: ago(30), from: 'latest', point: 'application-consistent', acceptLoss: true } as const;

test('S001-13 S5 where a probe failed after the start the other point is offered, with the flag only where something is lost with it', () => {
  const offered = 'homeward failback change-point erp-db --point application-consistent';
  expect(whatToType(called)).toEqual([
    'homeward failback resolve erp-db --retry',
    `${offered} --accept-loss`,
    'homeward failback cancel --accept-loss erp-db',
  ]);
  const { targetLive: _live, liveSince: _since, ...apart } = called;
  expect(whatToType(apart)).toContain(offered);
  expect(whatToType({ ...called, applicationPoints: [] }).join()).not.toContain('change-point');
  expect(whatToType({ ...called, pointChanged: change })).toContain(
    'homeward failback change-point erp-db --point latest --accept-loss',
  );
});

test('S001-13 L4 while the commit is waited for the other point and the way back stand beside it, with what each would lose', () => {
  const waiting = statusIn('AwaitingCommit', { ...live, completion: { by: 'ana', at: ago(400) } });
  const commit = 'homeward failback commit erp-db';
  const back = 'homeward failback cancel --accept-loss erp-db';
  const change = (point: string) => `homeward failback change-point erp-db --point ${point} --accept-loss`;
  expect(whatToType(waiting)).toEqual([commit, change('application-consistent'), back]);
  expect(whatToType({ ...waiting, applicationPoints: [] })).toEqual([commit, back]);
  const page = renderStatus(viewOf(waiting), now, { width: 300, color: false, unicode: true });
  expect(page).toContain('Recovery points: the latest is at home.');
  expect(page).toContain('taking it home instead (change-point --point application-consistent) loses what ');
  const older = { ...waiting, completion: { by: 'ana', at: ago(400), point: 'application-consistent' as const } };
  expect(whatToType(older)).toEqual([commit, change('latest'), back]);
  expect(pointLines(viewOf(older), older, now)[1]).toContain('(change-point --point latest): it holds all that');
  expect(pointLines(viewOf(older, { execution: 'completed' }), older, now)).toHaveLength(1);
  const committed = { ...waiting, commitment: { by: 'ana', at: ago(1) } };
  expect(pointLines(viewOf(committed), committed, now)).toEqual([]);
});

test('S5 S001-13 what an older point loses is what the source wrote up to its stop, however long ago that was', () => {
  const stop = { seq: 0, at: ago(600), key: 'source-stopped', what: 'stopped', facts: {}, previous: '', digest: '' };
  const stopped = statusIn('AwaitingCommit', { ...live, record: [stop], outage: { startedAt: ago(100) } });
  const lost = (at: number) => describePointChange(viewOf(stopped), stopped, 'application-consistent', at);
  for (const at of [now, now + 3_600_000])
    expect(lost(at)).toContain('LOST       what the source wrote in the 5 min before it was stopped');
  const { record: _none, ...rest } = stopped;
  const first = describePointChange(
    viewOf({ ...rest, record: [] }),
    { ...rest, record: [] },
    'application-consistent',
    now,
  );
  expect(first).toContain('in the 13 min before it was stopped');
});

test('S001-13 S5 before it is sent it is shown who stops, since when what is written there is lost, and which point comes instead', () => {
  const picture = describePointChange(viewOf(called), called, 'application-consistent', now);
  expect(picture).toContain('at home: the latest point');
  expect(picture).toContain('stops      home  /DC0/vm/erp-db');
  expect(picture).toContain(`everything written at home since ${live.liveSince} (2 min)`);
  expect(picture).toContain('application-consistent, of');
  const { targetLive: _live, ...apart } = called;
  expect(describePointChange(viewOf(apart), apart, 'application-consistent', now)).not.toContain('lost  ');
});

test('S001-13 S2 the status tells which point is on its way and what was dropped, and the commit names what stays by the point that is home then', () => {
  const changing = statusIn('ChangingPoint', { ...live, pointChange: change });
  expect(pointLines(viewOf(changing), changing, now)).toEqual([
    'ana has the application-consistent point taken home instead of the latest one.',
  ]);
  const loss = { since: ago(300), until: ago(200), acceptedBy: 'ana' };
  const arrived = statusIn('AwaitingCommit', { ...live, pointChanged: change, loss, evidence: 'abc' });
  const page = renderStatus(viewOf(arrived), now, { width: 300, color: false, unicode: true });
  expect(page).toContain('ana said change-point (application-consistent)');
  expect(page).toMatch(
    /What was written at home from .* to .* was dropped, accepted by ana; how much that is nobody has counted\./,
  );
  expect(describeCommit(arrived)).toContain('alone hold what the source wrote after the point that came home');
  const back = { ...arrived, pointChanged: { ...change, from: change.point, point: 'latest' } } as const;
  expect(describeCommit(back)).not.toContain('alone hold');
});
