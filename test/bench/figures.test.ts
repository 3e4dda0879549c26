/**
 * The bench's own arithmetic: what becomes a figure, what does not, how the disks look, and how a report reads.
 * Rule: a bench that cannot be wrong about its sums is worth nothing either; here it can.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gib, kib, lengthOf, mib, scattered, thirdHoles } from '../../bench/layout.ts';
import { marks, tableOf, withTable } from '../../bench/report.ts';
import { measured, median, missing, percentile, type Report, ratios, reached } from '../../bench/result.ts';
import { rowNames } from '../../bench/rows.ts';

const report = (over: Partial<Report>): Report => ({
  at: '2026-11-25T22:00:00.000Z',
  quick: false,
  machine: {
    cpu: 'EPYC',
    cores: 2,
    memoryMiB: 24_064,
    kernel: '6.18',
    node: '24.21.0',
    target: 'ext4',
    loadAverage: [1, 2, 3],
  },
  peers: { azcopy: '10.32.2' },
  results: [],
  sizes: [],
  ...over,
});

test('a value is the median of its rounds, and the 95th of a hundred counts up from the smallest', () => {
  expect(median([9, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(hundred, 0.95)).toBe(95);
  expect(percentile([7], 0.95)).toBe(7);
  expect(() => median([])).toThrow('no rounds');
  expect(() => percentile([], 0.95)).toThrow('no rounds');
});

test('contestants are held against each other round by round, and never when one of them has fewer rounds', () => {
  expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
  expect(() => ratios([10, 30], [5])).toThrow('2 rounds cannot be held against 1');
});

test('a row knows whether its goal is reached, and a figure that is none is refused', () => {
  const fast = measured('full-copy-vs-azcopy', [2, 4, 3.5]);
  expect(fast).toMatchObject({ value: 3.5, goal: 3, unit: 'times', rounds: [2, 4, 3.5] });
  expect(reached(fast)).toBe(true);
  expect(reached(measured('full-copy-vs-azcopy', [2]))).toBe(false);
  expect(reached(measured('delta-overhead', [1.6]))).toBe(false);
  expect(reached(measured('delta-overhead', [1.4]))).toBe(true);
  expect(reached(measured('arrival-checksum-cost', [1.4]))).toBeUndefined();
  expect(() => measured('delta-overhead', [Number.NaN])).toThrow('give no figure');
  expect(() => measured('delta-overhead', [1 / 0])).toThrow('give no figure');
});

test('a contestant that is missing leaves its row in the table, with the reason', () => {
  const row = missing('full-copy-vs-azcopy', 'azcopy is not there');
  expect(row).toMatchObject({ value: null, goal: 3, rounds: [], why: 'azcopy is not there' });
  expect(reached(row)).toBeUndefined();
  expect(tableOf(report({ results: [row] }))).toMatch(/`full-copy-vs-azcopy` .* not measured .* azcopy is not there/);
});

test('the table names every row with its goal, its rounds and whether it was reached', () => {
  const results = rowNames.map((name) => measured(name, [1, 1, 1.2345]));
  const table = tableOf(report({ results, quick: true }));
  for (const name of rowNames) expect(table).toContain(`| \`${name}\` |`);
  expect(table).toMatch(/`full-copy-vs-azcopy`.*\| ≥ 3 \| 1 times \| \*\*missed\*\* \| 1, 1, 1.23 \|/);
  expect(table).toMatch(/`sparse-2tib` .*\| ≤ 1.2 \| 1 times \| reached \|/);
  expect(table).toContain('not to be quoted');
  expect(table).toContain('load average when it began: 1.00, 2.00, 3.00');
  expect(table).toContain('azcopy 10.32.2');
});

test('time and memory are drawn against size, the largest value with the longest bar', () => {
  const sizes = [
    { sizeBytes: 4 * gib, dataBytes: gib, seconds: 8, peakMiB: 100 },
    { sizeBytes: gib, dataBytes: gib, seconds: 2, peakMiB: 200 },
  ];
  const lines = tableOf(report({ sizes })).split('\n');
  const bars = lines.filter((line) => line.includes('█')).map((line) => line.split('█').length - 1);
  expect(bars).toEqual([8, 32, 32, 16]);
  expect(lines.find((line) => line.includes('█'))).toMatch(/^1 GiB \(1 GiB of data\) +█+ 2 s$/);
});

test('only what stands between the two marks of the document is replaced', () => {
  const before = `# Speed\n\n${marks}\n\nby hand\n`;
  const once = withTable(before, report({ results: [measured('delta-overhead', [1])] }));
  expect(once).toContain('| `delta-overhead` |');
  expect(once.startsWith('# Speed\n\n')).toBe(true);
  expect(once.endsWith('\n\nby hand\n')).toBe(true);
  const twice = withTable(once, report({ results: [measured('sparse-2tib', [1])] }));
  expect(twice).not.toContain('| `delta-overhead` |');
  expect(() => withTable('# Speed', report({}))).toThrow('lost the two lines');
});

test('docs/performance.md shows what docs/performance.json says', () => {
  const docs = join(__dirname, '..', '..', 'docs');
  expect(existsSync(join(docs, 'performance.json'))).toBe(true);
  const page = readFileSync(join(docs, 'performance.md'), 'utf8');
  expect(page).toBe(withTable(page, JSON.parse(readFileSync(join(docs, 'performance.json'), 'utf8')) as Report));
});

test('a third of the benched disk is holes, cut at 64 KiB, the same at every run', () => {
  const ranges = thirdHoles(4 * gib);
  expect(ranges).toEqual(thirdHoles(4 * gib));
  expect(lengthOf(ranges) / (4 * gib)).toBeCloseTo(2 / 3, 1);
  expect(ranges.length).toBeGreaterThan(80);
  let last = 0;
  for (const { start, end } of ranges) {
    expect(start % (64 * kib)).toBe(0);
    expect(start).toBeGreaterThanOrEqual(last);
    expect(end).toBeGreaterThan(start);
    last = end;
  }
  expect(last).toBeLessThanOrEqual(4 * gib);
});

test('the extents of a delta have the lengths and the number that were asked for, and never touch', () => {
  const few = scattered({ sizeBytes: 4 * gib, smallestBytes: 64 * kib, largestBytes: 4 * mib, bytes: (4 * gib) / 100 });
  expect(Math.abs(lengthOf(few) - (4 * gib) / 100)).toBeLessThan(64 * kib);
  const many = scattered({ sizeBytes: 4 * gib, smallestBytes: 4 * kib, largestBytes: 64 * kib, extents: 20_000 });
  expect(many).toHaveLength(20_000);
  for (const [index, { start, end }] of many.entries()) {
    expect(end - start).toBeGreaterThanOrEqual(4 * kib);
    expect(end - start).toBeLessThanOrEqual(64 * kib);
    expect(start).toBeGreaterThan(many[index - 1]?.end ?? 0);
  }
  expect(many.at(-1)?.end).toBeLessThanOrEqual(4 * gib);
  const tight = { sizeBytes: mib, smallestBytes: 64 * kib, largestBytes: 64 * kib, extents: 16 };
  expect(() => scattered(tight)).toThrow('do not fit');
});
