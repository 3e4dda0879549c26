/** What a person reads before a run is taken back, and what later texts say of plans and of kept snapshots. */
import { describeCancel, describeLoss } from '../../client/render/confirm.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { saidTexts } from '../../client/render/said.ts';
import { renderStatus } from '../../client/render/status.ts';
import { nicWords } from '../../model/nic-plan.ts';
import { keptDetails } from '../../workflows/kept-details.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

const wide = { ...plainStyle, width: 200 };

test('S5 before a run is taken back it is said who serves then and what its work was', () => {
  const text = describeCancel(statusIn('Syncing'));
  expect(text).toContain('Cancel the failback of erp-db: everything is taken back, and the source serves.');
  expect(text).toContain('source     azure-west  rg-dr/erp-db goes on as it is');
  expect(text).toMatch(/at home +the original disks, written in place, are NOT undone/);
  const stopped = describeCancel(statusIn('FinalSync', { outage: { startedAt: ago(60) }, write: 'staged' }));
  expect(stopped).toContain('source     azure-west  rg-dr/erp-db is started again');
  expect(stopped).toMatch(/at home +the new disks are removed/);
  expect(describeCancel(statusIn('AwaitingCutover'))).toContain('at home    nothing was changed yet');
});

test('S5 S000-16 of a source that was not found nobody reads that it serves, goes on or is started', () => {
  const gone = {
    id: 'source-found',
    verdict: 'refuse',
    subject: 'rg-dr/erp-db',
    seen: 'gone',
    remedy: 'Look.',
  } as const;
  const liveSince = ago(60);
  const called = (more: object) => statusIn('NeedsOperator', { outage: { startedAt: ago(90) }, liveSince, ...more });
  for (const status of [
    called({ left: 'Preflight', checks: [gone] }),
    called({ left: 'StoppingSource', sourceGone: true }),
    called({ left: 'AwaitingCommit', sourceGone: true }),
  ])
    for (const text of [describeCancel(status), describeLoss(status, now)]) {
      expect(text).toContain('azure-west  rg-dr/erp-db was NOT FOUND when it was last looked for');
      expect(text).not.toMatch(/source serves|goes on as it is|is started again|as it was at the final/);
    }
  const loss = describeLoss(called({ left: 'AwaitingCommit', sourceGone: true }), now);
  expect(loss).toContain('with loss: nothing is stopped or deleted unless the source is there again.');
  expect(loss).toMatch(/stops +.*, only if the source is there again/);
  expect(loss).toMatch(/lost +everything written at home since .*, once it stops/);
  expect(loss).not.toContain('nobody serves');
  const staged = called({ left: 'Syncing', sourceGone: true, write: 'staged' });
  expect(describeCancel(staged)).not.toContain('are removed');
  // Nor that another run may write over what may be the last copy.
  const inPlace = describeCancel(called({ left: 'Syncing', sourceGone: true, write: 'in-place' }));
  expect(inPlace).toMatch(/at home +the original disks, .* NOT undone; nothing is stopped or deleted unless/);
  expect(inPlace).not.toContain('repairs');
  expect(describeCancel(called({ left: 'StoppingSource' }))).toContain('is started again');
  expect(describeLoss(called({ left: 'AwaitingCommit' }), now)).toContain('the source serves again');
});

test('S5 of a source that was found off nobody reads that it serves after a way back, with loss or without', () => {
  const outage = { startedAt: ago(90) };
  for (const status of [
    statusIn('AwaitingCutover', { sourceIdle: true }),
    statusIn('FinalSync', { sourceUndo: 'leave', sourceIdle: true, outage }),
    statusIn('AwaitingCommit', { sourceUndo: 'leave', sourceIdle: true, outage, liveSince: ago(60) }),
  ])
    for (const text of [describeCancel(status), describeLoss(status, now)]) {
      expect(text).toContain('rg-dr/erp-db IS LEFT AS IT IS: it was off when it was last looked at');
      expect(text).not.toMatch(/source serves|goes on as it is|is started again|as it was at the final/);
    }
});

test('S5 the question before a cancel goes by what the way back does with the source, not by how it was seen last', () => {
  const outage = { startedAt: ago(90) };
  // Seen off behind a stop of ours: it is started.
  const down = statusIn('StoppingSource', { sourceUndo: 'start', sourceIdle: true });
  expect(describeCancel(down)).toContain('rg-dr/erp-db is started again');
  expect(describeCancel(down)).toContain('and the source serves.');
  const served = statusIn('StoppingSource', { sourceUndo: 'start' });
  expect(describeCancel(served)).toContain('rg-dr/erp-db goes on as it is');
  // Off before it, and running since: it is not.
  const ran = statusIn('AwaitingCommit', { sourceUndo: 'leave', outage, liveSince: ago(60) });
  for (const text of [describeCancel(ran), describeLoss(ran, now)]) {
    expect(text).toContain('rg-dr/erp-db IS LEFT AS IT IS: it was off before its stop, and somebody started it since');
    expect(text).not.toMatch(/source serves|goes on as it is|is started again|as it was at the final/);
  }
});

test('what people said stands in the order of time, the loss after it, and each sentence names what it counts', () => {
  const by = 'ana';
  const pointChanged = { by, at: ago(200), from: 'latest', point: 'application-consistent', acceptLoss: true } as const;
  const said = { completion: { by, at: ago(300) }, commitment: { by, at: ago(10) }, pointChanged };
  const lines = saidTexts(statusIn('Committing', { ...said, loss: { since: ago(250), acceptedBy: by } }), now);
  expect(lines.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
    ...['ana said complete', 'ana said change-point', 'ana said commit', 'What was written'],
  ]);
  const home = renderStatus(viewOf(statusIn('AwaitingCommit', { liveSince: ago(60) })), now, wide);
  expect(home).toContain('At home since 11:59:00 UTC; how much was written there since, nobody has counted');
});

test('a check that stands in the way is told apart from what to do about it', () => {
  const check = {
    id: 'target-off',
    verdict: 'refuse',
    subject: 'vm',
    seen: 'it runs',
    remedy: 'Switch it off.',
  } as const;
  const text = renderStatus(viewOf(statusIn('Preflight', { checks: [check] })), now, wide);
  expect(text).toContain('  refuse target-off (vm): it runs\n  What to do: Switch it off.');
});

test('C11 an address that changes is told as planned, and who sets it', () => {
  const nic = { name: 'nic-0', network: 'VM Network', ip: { was: '10.1.0.4', becomes: '10.20.0.4' } };
  expect(nicWords(nic)).toBe(
    'nic-0: VM Network, MAC new, planned: 10.1.0.4 becomes 10.20.0.4 (set in the guest by you)',
  );
});

test('S11 S7 kept snapshots that somebody released are told so, with who said it, and nothing is offered any more', () => {
  const kept = { machine: 'erp-db', run: 'run-1', snapshots: ['snap-os'], until: ago(-86_400), state: 'kept' as const };
  expect(keptDetails(kept)).toMatch(/then this run deletes them[\s\S]*send the signal `release`/);
  const under = keptDetails({ ...kept, releasedBy: 'ana', trouble: 'a lock' });
  expect(under).toContain('Released by ana: being deleted now');
  expect(under).toContain('a lock');
  const gone = keptDetails({ ...kept, state: 'deleted', releasedBy: 'ana', trouble: 'a lock' });
  expect(gone).toContain('Released by ana and deleted.');
  for (const text of [under, gone]) expect(text).not.toMatch(/then this run deletes|send the signal/);
  expect(gone).not.toContain('a lock');
  expect(keptDetails({ ...kept, state: 'deleted' })).toContain(`Deleted on their day, ${kept.until}.`);
});

test('S5 L4 S001-13 the status at the command line tells a loss, an expiry and an older point', () => {
  const shown = (status: ReturnType<typeof statusIn>): string =>
    renderStatus(viewOf(status), now, plainStyle).replace(/\s+/g, ' ');
  const cancellation = { by: 'ana', at: ago(60) };
  const lost = statusIn('ReturnedToSource', { cancellation, loss: { since: ago(600), acceptedBy: 'ana' } });
  expect(shown(lost)).toContain(
    'What was written at home since 11:50:00 UTC was dropped, accepted by ana; how much that is nobody has counted.',
  );
  const waiting = { since: ago(60), reminded: 0, expiresAt: ago(-540) };
  expect(shown(statusIn('Syncing', { waitsFor: 'completeFailover: x', waiting }))).toContain(
    'Unless somebody completes by 12:09:00 UTC (9 min from now), the run is taken back then',
  );
  const completion = { by: 'ana', at: ago(60), point: 'application-consistent' as const };
  const applicationPoints = [{ after: 1, takenAt: ago(600), changedBytesBefore: 0 }];
  const older = shown(statusIn('Committed', { completion, applicationPoints }));
  expect(older).toContain('The application-consistent point of 11:50:00 UTC comes home; what was written after it is');
});
