/** What a person reads of the moments that can come home, before and while choosing one. */
import { describeCommit, describeCompletion } from '../../client/render/confirm.ts';
import { pointLines } from '../../client/render/points.ts';
import { renderStatus } from '../../client/render/status.ts';
import type { PointSummary } from '../../model/point.ts';
import { ago, now, statusIn, syncing, viewOf } from './views.ts';

const GiB = 1024 ** 3;
const point: PointSummary = { after: 1, takenAt: ago(840), changedBytesBefore: 130 * GiB };
const status = statusIn('Syncing', { applicationPoints: [{ ...point, after: 0 }, point] });
const view = { ...syncing, status };

test('S001-13 the status says how old the newest application-consistent point is and what choosing it would lose', () => {
  expect(pointLines(view, status, now)).toEqual([
    'Recovery points: latest, taken after the source has stopped: loses nothing (crash-consistent).',
    expect.stringMatching(
      /^application-consistent, of .*, 14 min ago: choosing it \(--point application-consistent\) loses what was written in the last 14 min \(182\.0 MiB in 1 round, and what came after\)\.$/,
    ),
  ]);
  expect(renderStatus(view, now, { color: false, unicode: true, width: 200 })).toContain('choosing it (--point');
});

test('a run without such points shows nothing of them, and one that could not take any says why', () => {
  const plain = statusIn('Syncing');
  expect(pointLines(viewOf(plain), plain, now)).toEqual([]);
  const troubled = statusIn('Syncing', {
    pointTrouble: { at: ago(60), message: 'The agent is silent.', hint: 'Look.' },
  });
  expect(pointLines(viewOf(troubled), troubled, now).join()).toContain('The agent is silent. Look.');
});

test('S001-13 completing to it says LOST and where what is lost stays; completing to the latest says that nothing is', () => {
  const chosen = describeCompletion(view, status, 'application-consistent', now);
  expect(chosen).toMatch(/point {6}application-consistent, of .*, 14 min ago\n {2}LOST {7}what was written/);
  expect(chosen).toContain('in the final snapshots');
  expect(describeCompletion(view, status, undefined, now)).toContain('the latest: taken after the source has stopped');
});

test('S2 a commit of an older point says what stays in Azure, and for how long', () => {
  const completion = { by: 'ana', at: ago(60), point: 'application-consistent' as const };
  const arrived = statusIn('AwaitingCommit', { completion });
  expect(describeCommit(arrived)).toMatch(/stays {6}the final snapshots, which alone hold .*, until you delete them/);
  expect(describeCommit({ ...arrived, keepFinalSnapshotsDays: 7 })).toMatch(/which alone hold .*, for 7 days/);
  expect(describeCommit(statusIn('AwaitingCommit'))).not.toContain('final snapshots');
});

test('S001-13 what no round has seen yet is not told as nothing', () => {
  const fresh = { ...status, applicationPoints: [{ ...point, after: 2 }] };
  expect(describeCompletion({ ...view, status: fresh }, fresh, 'application-consistent', now)).toContain(
    'how much, no round has seen yet',
  );
});

test('S001-13 once it was chosen the status says which point was', () => {
  const completion = { by: 'ana', at: ago(60), point: 'application-consistent' as const };
  const stopping = statusIn('StoppingSource', { completion });
  const shown = renderStatus(viewOf(stopping), now, { color: false, unicode: true, width: 200 });
  expect(shown).toContain('ana said complete, to the application-consistent point, at ');
});
