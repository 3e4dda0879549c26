/** The preflight as a page: what it says, in which order, and that nothing in it comes from or goes anywhere else. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PreflightPage, preflightPage } from '../../client/render/checks-page.ts';
import { placeForReport, writeReport } from '../../client/report-file.ts';
import type { Check } from '../../model/check.ts';

const passes: Check = {
  id: 'source-found',
  requirement: 'S000-16',
  verdict: 'pass',
  subject: 'rg/erp-db',
  seen: 'it exists',
};
const warns: Check = {
  id: 'source-disk-kind',
  verdict: 'warn',
  subject: 'rg/erp-db os',
  seen: 'Ultra',
  remedy: 'Expect longer rounds.',
};
const refuses: Check = {
  id: 'disk-size',
  verdict: 'refuse',
  subject: 'os',
  seen: 'too small',
  remedy: 'Make it larger.',
};
const waits: Check = {
  ...{ id: 'source-guest-agent', verdict: 'wait', subject: 'rg/erp-db', seen: 'silent', remedy: 'Nothing.' },
  wait: { for: 'the agent', since: '2026-11-23T11:55:00.000Z', until: '2026-11-23T12:10:00.000Z' },
};

const askedAt = Date.parse('2026-11-23T12:00:00.000Z');
const pageOf = (checks: readonly Check[], more: Partial<PreflightPage> = {}): string =>
  preflightPage({
    machine: 'erp-db',
    source: { site: 'azure-west', path: 'rg/erp-db' },
    target: { site: 'home', path: '/DC0/vm/erp-db' },
    mover: { name: 'm1', path: '/DC0/vm/mover' },
    way: { sync: 'before', write: 'created' },
    location: 'an alternate one; a new machine is made at home /DC0/vm/erp-db',
    ...{
      askedAt,
      answeredAt: askedAt + 4_200,
      by: 'ana@ops-1',
      askedAs: 'preflight/erp-db-1',
      version: 'homeward 0.1.0',
    },
    checks,
    ...more,
  });
/** The page as it is read: without mark-up. */
const textOf = (page: string): string =>
  page
    .slice(page.indexOf('<body>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

test('R7 the page says when and against what it was asked, by whom, and what Temporal calls the question', () => {
  const text = textOf(pageOf([passes], { bound: 'from nothing to 130.0 GiB' }));
  for (const fact of [
    'azure-west, rg/erp-db',
    'home, /DC0/vm/erp-db',
    'm1, /DC0/vm/mover',
    'sync before, write created',
    'Location an alternate one; a new machine is made at home /DC0/vm/erp-db',
  ])
    expect(text).toContain(fact);
  expect(text).toContain('2026-11-23 12:00:00 UTC, answered in 4.2 s');
  expect(text).toMatch(/By ana@ops-1 In Temporal preflight\/erp-db-1 With homeward 0\.1\.0/);
  expect(text).toContain('from nothing to 130.0 GiB');
  expect(text).toContain('Clear: erp-db may come home.');
  expect(text).not.toContain('What stands in the way');
});

test('R7 what stands in the way comes first, with its remedy, a wait with its times, and every check is in the table', () => {
  const text = textOf(pageOf([passes, warns, waits, refuses]));
  expect(text).toContain('Blocked: erp-db cannot come home yet.');
  expect(text).toMatch(/refuse 1 wait 1 warn 1 pass 1/);
  const [way = '', all = ''] = text.split('All checks');
  expect(way).toMatch(/refuse disk-size os too small What to do: Make it larger\..*wait source-guest-agent/);
  expect(way).toContain('since 2026-11-23T11:55:00.000Z, until 2026-11-23T12:10:00.000Z');
  expect(way).not.toContain('source-disk-kind');
  expect(all).toMatch(/disk-size.*source-guest-agent.*source-disk-kind.*source-found S000-16/);
});

test('a page of checks that only wait, or of a run that is under way, says so instead', () => {
  expect(textOf(pageOf([waits]))).toContain('a run asks again by itself');
  const during = textOf(pageOf([refuses], { underWay: 'Syncing' }));
  expect(during).toContain('A run of erp-db is under way, in phase Syncing.');
  expect(during).not.toContain('cannot come home');
});

test('S13 what comes from outside is text on the page and nothing else, and the page loads nothing', () => {
  const evil = '<img src=x onerror="alert(1)"> & \'quoted\' \u001b[31m </td><script>x()</script>';
  const page = pageOf([{ ...refuses, seen: evil, subject: evil, remedy: evil, id: evil }], { machine: evil, by: evil });
  expect(page).not.toMatch(/<img|<script/);
  expect(page).not.toContain('\u001b');
  expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &#39;quoted&#39;');
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/\b(src|href|action)\s*=\s*"|url\(|@import|https?:\/\//);
});

test('a place where no report can be written is told before anything is asked, and a report replaces the one before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-report-'));
  try {
    await expect(placeForReport('--html', '')).rejects.toMatchObject({
      kind: 'usage',
      message: '--html: names no file',
    });
    await expect(placeForReport('--html', folder)).rejects.toMatchObject({
      message: expect.stringContaining('is not a file'),
    });
    await expect(placeForReport('--html', join(folder, 'no', 'x.html'))).rejects.toMatchObject({
      message: expect.stringContaining('there is no folder'),
      todo: expect.stringMatching(/folder that exists/),
    });
    const path = await placeForReport('--html', join(folder, 'x.html'));
    await writeFile(path, 'the one before');
    await writeReport('--html', path, 'the new one');
    expect(await readFile(path, 'utf8')).toBe('the new one');
    const beneath = join(path, 'y.html');
    await expect(writeReport('--html', beneath, 'z')).rejects.toMatchObject({ kind: 'usage' });
    expect(await readdir(folder)).toEqual(['x.html']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
