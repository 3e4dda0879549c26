/**
 * Tables, checks, confirmations, figures: text as people read it.
 */
import { renderChecks, renderChecksDuring } from '../../client/render/checks.ts';
import { describeCommit, describeCompletion, describeReassignment } from '../../client/render/confirm.ts';
import { bytes, clock, duration } from '../../client/render/figures.ts';
import { plainStyle, styleOf, wrap } from '../../client/render/paint.ts';
import { table } from '../../client/render/table.ts';
import type { Check } from '../../model/check.ts';
import { ago, now, statusIn, syncing, viewOf } from './views.ts';

const checks: Check[] = [
  { id: 'target-powered-off', requirement: 'S000-27', verdict: 'pass', subject: 'erp-db', seen: 'It is off.' },
  {
    id: 'mover-disk-uuid',
    verdict: 'refuse',
    subject: 'm1',
    seen: 'Its disk has the UUID of erp-db.',
    remedy: 'Give it another disk.',
  },
];

test('a preflight that blocks names check, subject, what was seen and the remedy', () => {
  expect(renderChecks('erp-db', checks, plainStyle)).toBe(
    `
pass    target-powered-off erp-db S000-27
        It is off.
refuse  mover-disk-uuid m1
        Its disk has the UUID of erp-db.
        → Give it another disk.

blocked: erp-db cannot come home yet (1 pass, 0 warn, 0 wait, 1 refuse)`.slice(1),
  );
});

test('S1 a preflight during a run tells of the run before it shows the first check', () => {
  const [first = '', ...others] = renderChecksDuring('erp-db', 'AwaitingCommit', checks, plainStyle).split('\n');
  expect(first).toContain('A run of erp-db is under way, in phase AwaitingCommit.');
  const rest = others.join('\n');
  expect(rest.indexOf('See it: homeward failback status erp-db')).toBeGreaterThan(0);
  expect(rest.indexOf('See it:')).toBeLessThan(rest.indexOf('pass    target-powered-off'));
  expect(rest).toContain('Give it another disk.');
  expect(others.at(-1)).toBe('under way: nothing starts beside this run (1 pass, 0 warn, 0 wait, 1 refuse)');
});

test('a preflight without blockers says that the machine may come home', () => {
  expect(renderChecks('erp-db', checks.slice(0, 1), plainStyle)).toContain('clear: erp-db may come home');
});

test('S002-11 S001-12 completing shows source, target, direction, bytes and outage', () => {
  const { status } = syncing;
  expect(status && describeCompletion(syncing, status)).toBe(
    `
Complete the failover of erp-db: this stops the source and starts the machine at home.
  direction  from azure-west  rg-dr/erp-db
             to   home  /DC0/vm/erp-db
  location   original: the machine that was there before
  disks      2 of 130.0 GiB in all
  cost       about 45.0 MiB (20.0 MiB to 135.0 MiB) to move, about 91 s (30 s to 5 min) of outage; stop, seal and start are assumed, no run has measured them yet
  point      the latest: taken after the source has stopped, so nothing is lost
  after it   the machine runs at home; until the commit it can still be cancelled, with loss of what was written there`.slice(
      1,
    ),
  );
});

test('S001-17 S000-17 S001-12 completing before anything is proven says what stands against it, and that it is kept', () => {
  const status = statusIn('Seeding');
  const text = describeCompletion(viewOf(status), status);
  expect(text).toContain(
    'but        no recovery point of it is proven at home yet. Wait for the end of the first round',
  );
  expect(syncing.status && describeCompletion(syncing, syncing.status)).not.toContain('but  ');
});

test('completing without rounds says that the cost is unknown and everything is copied in the outage', () => {
  const status = statusIn('AwaitingCutover', { sync: 'during' });
  expect(describeCompletion(viewOf(status), status)).toContain(
    'not known yet: no round is done; every disk is copied in full inside the outage',
  );
});

test('a reassignment shows both movers and that every disk is copied in full, also when that lies inside the outage', () => {
  const { status } = syncing;
  const text = status && describeReassignment(syncing, status, 'm2');
  expect(text).toContain(
    `
Let m2 carry erp-db from now on:
  from       m1; its copy stops, and the disks are taken off it
  to         m2, which has no record of the disks
  cost       every disk is copied in full: 2 disks of 130.0 GiB in all`.slice(1),
  );
  expect(text).toMatch(/the source serves meanwhile; a cutover waits until the full copy is proven$/);
  for (const phase of ['FinalSync', 'StoppingSource'] as const) {
    const late = statusIn('NeedsOperator', { left: phase, outage: { startedAt: ago(60) } });
    expect(describeReassignment(viewOf(late), late, 'm2')).toMatch(/in all, INSIDE THE OUTAGE\n {2}after it .*cancel/);
  }
  const early = statusIn('Preflight');
  expect(describeReassignment(viewOf(early), early, 'm2')).toContain('\n  cost       nothing has been copied yet\n');
});

test('S5 a reassignment that comes before the stop was sent is not said to cost outage, nor the way back advised', () => {
  const before = statusIn('NeedsOperator', { left: 'StoppingSource' });
  const text = describeReassignment(viewOf(before), before, 'm2');
  expect(text).toMatch(/ in all\n {2}after it {3}the source serves meanwhile; a cutover waits/);
  const during = statusIn('NeedsOperator', { left: 'StoppingSource', sync: 'during' });
  expect(describeReassignment(viewOf(during), during, 'm2')).toContain('\n  cost       nothing has been copied yet\n');
});

test('a commit shows the machine, every disk and the evidence digest', () => {
  const text = describeCommit(statusIn('AwaitingCommit', { evidence: 'ab12' }));
  for (const fact of [
    'no way back',
    'azure-west  rg-dr/erp-db',
    'os  erp-db_os  30.0 GiB',
    'data-0  erp-db_data  100.0 GiB',
    'ab12',
  ])
    expect(text).toContain(fact);
});

const heading = ['machine', 'source', 'phase'];
const rows = [
  ['erp-db', 'azure:rg/erp-db', 'Syncing'],
  ['web', 'azure:rg/web', '-'],
];

test('a table has columns where they fit', () => {
  expect(table(heading, rows, plainStyle)).toBe(
    'MACHINE  SOURCE           PHASE\nerp-db   azure:rg/erp-db  Syncing\nweb      azure:rg/web     -',
  );
});

test('a table on a narrow terminal becomes a block per row', () => {
  expect(table(heading, rows, { ...plainStyle, width: 26 })).toBe(
    'erp-db\n  source: azure:rg/erp-db\n  phase:  Syncing\nweb\n  source: azure:rg/web\n  phase:  -',
  );
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1024 ** 2 - 1, '1.0 MiB'],
  [1.5 * 1024 ** 3, '1.5 GiB'],
  [Number.NaN, '?'],
  [-1, '?'],
])('%d bytes are read as %s', (count, expected) => {
  expect(bytes(count)).toBe(expected);
});

test.each([
  [0, '0 s'],
  [4_240, '4.2 s'],
  [95_000, '95 s'],
  [720_000, '12 min'],
  [11_100_000, '3 h 05 min'],
  [187_200_000, '2 d 4 h'],
  [-5, '0 s'],
])('%d ms are read as %s', (ms, expected) => {
  expect(duration(ms)).toBe(expected);
});

test('a time of another day is told with its date', () => {
  expect(clock('2026-11-22T23:59:59.000Z', now)).toBe('2026-11-22 23:59:59 UTC');
  expect(clock('never', now)).toBe('?');
});

test('wrapping breaks a word only when it is longer than a line', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrap('abcdefghijklmnop', 8)).toEqual(['abcdefgh', 'ijklmnop']);
  expect(wrap('', 8)).toEqual(['']);
});

test('NO_COLOR, a dumb terminal and a pipe get no colour; FORCE_COLOR gives it', () => {
  const screen = { isTTY: true, columns: 100, hasColors: () => true };
  expect(styleOf(screen, { LANG: 'C.UTF-8' })).toEqual({ width: 100, color: true, unicode: true });
  expect(styleOf(screen, { NO_COLOR: '1' }).color).toBe(false);
  expect(styleOf(screen, { TERM: 'dumb' })).toMatchObject({ color: false, unicode: false });
  expect(styleOf({}, {})).toMatchObject({ width: 80, color: false });
  expect(styleOf({}, { FORCE_COLOR: '1' }).color).toBe(true);
  expect(styleOf(screen, { LANG: 'C' }).unicode).toBe(false);
});
