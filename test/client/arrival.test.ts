/** What people read of a machine's arrival: scripts, probes, what follows by itself and in whose name. */
import { describeCommit, describeLoss } from '../../client/render/confirm.ts';
import { clock } from '../../client/render/figures.ts';
import { plainStyle } from '../../client/render/paint.ts';
import { renderStatus } from '../../client/render/status.ts';
import type { ArrivalFacts } from '../../model/arrival.ts';
import { failbackDetails } from '../../workflows/details.ts';
import { ago, now, statusIn, viewOf } from './views.ts';

const arrival: ArrivalFacts = {
  steps: [
    {
      ...{ name: 'drain', side: 'source', ended: 'done', critical: true, tries: 2 },
      seen: 'it ended with 0',
      at: ago(9),
    },
    {
      ...{ name: 'mail', side: 'target', ended: 'failed', critical: false, tries: 1 },
      seen: 'it ended with 4',
      at: ago(8),
    },
  ],
  probes: [{ name: 'app', kind: 'http', passed: true, seen: 'https://erp/ answers 200', at: ago(5), looks: 3 }],
  proof: { state: 'proven', at: ago(60) },
  soak: { since: ago(60), until: ago(-3_540), approvedBy: 'olga', state: 'holds' },
};
const textOf = (more: ArrivalFacts): string =>
  renderStatus(viewOf(statusIn('AwaitingCommit', { arrival: more })), now, plainStyle).replace(/\s+/g, ' ');

test('S6 the status tells each script, each probe, and in whose name a commit follows by itself', () => {
  const text = textOf(arrival);
  expect(text).toContain('script drain in the source: ok, 2 tries');
  expect(text).toContain('script mail in the target: failed, it ended with 4 (a warning only)');
  expect(text).toContain('proven apart from everybody first');
  expect(text).toContain('probe app: passed, https://erp/ answers 200');
  expect(text).toContain('the commit follows in 59 min, approved beforehand by olga');
});

test('a probe that failed ends what was approved, and the status says that a person decides', () => {
  const off = { ...arrival, soak: { since: ago(60), approvedBy: 'olga', state: 'off' as const } };
  expect(textOf(off)).toContain('what olga approved beforehand counts no more: a probe failed, so a person decides');
  expect(textOf(off)).not.toContain('the commit follows');
});

test('S2 S11 before a commit it is said what stays, and afterwards until when and who removes it', () => {
  expect(describeCommit(statusIn('AwaitingCommit', { keepFinalSnapshotsDays: 7 }))).toContain(
    'stays      the final snapshots, for 7 days',
  );
  expect(describeCommit(statusIn('AwaitingCommit'))).not.toContain('final snapshots');
  const kept = { snapshots: ['a', 'b'], until: ago(-86_400), workflow: 'kept/erp-db/run-1' };
  expect(textOf({ steps: [], probes: [], kept })).toContain('2 final snapshots stay in the source until');
});

test('S5 whoever cancels a live target reads how long it ran, and that nobody has counted what was written', () => {
  const text = describeLoss(statusIn('AwaitingCommit', { liveSince: ago(720) }), now);
  expect(text).toContain(
    `lost       everything written at home since ${ago(720)} (12 min); how much that is nobody has counted`,
  );
});

test('S5 whoever cancels a live target, or looks at it, reads how much was written and until when', () => {
  const written = { bytes: 1_400_000_000, until: ago(120) };
  const status = statusIn('AwaitingCommit', { liveSince: ago(720), written });
  const words = `it wrote about 1.3 GiB to its disks until ${clock(ago(120), now)} (vCenter's count)`;
  expect(describeLoss(status, now)).toContain(`since ${ago(720)} (12 min); ${words}`);
  const wide = { ...plainStyle, width: 400 };
  expect(renderStatus(viewOf(status), now, wide)).toContain(`At home since ${clock(ago(720), now)}; ${words}`);
  expect(failbackDetails(status)).toContain(`**At home since:** ${ago(720)}; it wrote about 1.3 GiB`);
  const committed = { ...status, commitment: { by: 'ana', at: ago(60) } };
  expect(renderStatus(viewOf(committed), now, wide)).not.toContain('At home since');
  const loss = { since: ago(720), acceptedBy: 'ben', written, uncounted: 'vCenter is away' };
  expect(renderStatus(viewOf(statusIn('ReturnedToSource', { loss })), now, wide)).toContain(
    `What was written at home since ${clock(ago(720), now)} was dropped, accepted by ben; ${words}; since then nobody has counted (vCenter is away).`,
  );
});

test('S6 the last lines of what a failed script wrote stand under it, bounded and without control characters', () => {
  const output = `${'early\n'.repeat(9)}one\n\u001b[2Jtwo\r\nthree ${'x'.repeat(900)}\nfour\nlast words\n\n`;
  const steps = arrival.steps.map((step) => ({ ...step, output }));
  const status = statusIn('NeedsOperator', { left: 'StartingTarget', arrival: { steps, probes: [] } });
  const lines = renderStatus(viewOf(status), now, { ...plainStyle, width: 400 }).split('\n');
  const at = lines.findIndex((line) => line.includes('script mail in the target: failed'));
  const under = lines.slice(at + 1, at + 6).map((line) => line.trim());
  expect(under.map((line) => line.slice(0, 12))).toEqual(['| one', '| two', '| three xxxx', '| four', '| last words']);
  expect(under[2]?.length).toBeLessThan(220);
  expect(lines.join('\n')).not.toContain('early');
  const details = failbackDetails(status);
  expect(details).toContain('last words');
  expect(details).not.toContain('early');
  expect(details.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(details.split('last words')).toHaveLength(2);
});
