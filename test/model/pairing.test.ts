/** Which disk comes home to which: by name where the inventory says so, else in slot order; never a silent guess. */
import { adviceOf } from '../../model/check.ts';
import type { SourceMachine, TargetMachine } from '../../model/machine.ts';
import { pairDisks, sameDisks } from '../../model/pairing.ts';

const source = (...sizes: number[]): SourceMachine => ({
  address: { site: 'azure', path: 'rg/vm' },
  power: 'running',
  powerSeen: 'PowerState/running',
  nics: [],
  disks: sizes.map((sizeBytes, index) => ({
    disk: index === 0 ? 'os' : `data-${index - 1}`,
    id: `disk-${index}`,
    name: `vm-${index}`,
    sizeBytes,
    sectorBytes: 512,
    identity: `id-${index}`,
    sku: 'Premium_LRS',
  })),
});
const target = (...sizes: number[]): TargetMachine => ({
  address: { site: 'vcenter', path: '/DC0/vm/vm' },
  power: 'stopped',
  powerSeen: 'poweredOff',
  snapshots: 0,
  guest: { agent: 'not-running' },
  disks: sizes.map((sizeBytes, index) => ({
    slot: `1000:${index}`,
    file: `[ds] vm/${index}.vmdk`,
    sizeBytes,
    uuid: `u-${index}`,
  })),
});
const refusing = (checks: readonly { verdict: string; id: string }[]): string[] =>
  checks.filter((check) => check.verdict === 'refuse').map((check) => check.id);

test('without words of the inventory the OS disk meets the first slot and data disks follow by LUN', () => {
  const { pairs, checks } = pairDisks(source(8, 4), target(8, 4), 'in-place');
  expect(pairs.map((pair) => [pair.disk, pair.target.file])).toEqual([
    ['os', '[ds] vm/0.vmdk'],
    ['data-0', '[ds] vm/1.vmdk'],
  ]);
  expect(refusing(checks)).toEqual([]);
});

test('the inventory may cross the disks', () => {
  const { pairs, checks } = pairDisks(source(8, 4), target(4, 8), 'in-place', {
    os: '[ds] vm/1.vmdk',
    'data-0': '[ds] vm/0.vmdk',
  });
  expect(pairs.map((pair) => pair.target.sizeBytes)).toEqual([8, 4]);
  expect(refusing(checks)).toEqual([]);
});

test('a disk of another size is refused in place, and made to fit when staged', () => {
  const wrong = pairDisks(source(8, 4), target(8, 5), 'in-place');
  expect(refusing(wrong.checks)).toEqual(['disk-size']);
  expect(wrong.checks[0]?.seen).toBe('vm-1 has 4 bytes, [ds] vm/1.vmdk has 5 (4 B and 5 B)');
  expect(wrong.checks[0]?.remedy).toContain('4 bytes');
  expect(refusing(pairDisks(source(8, 4), target(8, 5), 'staged').checks)).toEqual([]);
});

test.each([
  ['a missing target disk', source(8, 4), target(8), undefined],
  ['a surplus target disk', source(8), target(8, 4), undefined],
  ['a disk the source does not have', source(8), target(8), { os: '[ds] vm/0.vmdk', 'data-3': '[ds] vm/1.vmdk' }],
  ['a file the target does not have', source(8), target(8), { os: '[ds] other/0.vmdk' }],
  ['one file for two disks', source(8, 4), target(8, 4), { os: '[ds] vm/0.vmdk', 'data-0': '[ds] vm/0.vmdk' }],
  ['a source disk the inventory leaves out', source(8, 4), target(8, 4), { os: '[ds] vm/0.vmdk' }],
] as const)('%s is refused with a remedy', (_what, from, to, wanted) => {
  const { checks } = pairDisks(from, to, 'in-place', wanted as Record<string, string> | undefined);
  // A pair whose file is named twice is no pair, so its size says nothing.
  expect(refusing(checks)).toEqual(['disk-pairing']);
  for (const check of checks) expect(check.remedy).toBeTruthy();
});

test.each([
  ['a file too many', source(8), target(8), { os: '[ds] vm/0.vmdk', 'data-3': '[ds] vm/1.vmdk' }, false],
  ['one file for two', source(8, 8), target(8, 8), { os: '[ds] vm/0.vmdk', 'data-0': '[ds] vm/0.vmdk' }, false],
  ['a disk that is left out', source(8, 4), target(8, 4), { os: '[ds] vm/0.vmdk' }, false],
  ['a file that is not there', source(8), target(8), { os: '[ds] other/0.vmdk' }, true],
  ['too few disks', source(8, 4), target(8), undefined, true],
  ['too many disks', source(8), target(8, 4), undefined, true],
  ['another size', source(8), target(4), undefined, true],
] as const)(
  'S000-8 %s: a run, which keeps its plan, is told to be taken back for a change of the plan, and to retry only what a retry mends',
  (_what, from, to, wanted, retries) => {
    const { checks } = pairDisks(from, to, 'in-place', wanted as Record<string, string> | undefined);
    const [refused] = checks.filter(({ verdict }) => verdict === 'refuse');
    const advice = adviceOf(refused as (typeof checks)[number], 'Then resolve with retry.');
    expect(advice).toMatch(/keeps the plan it was started with: resolve it with --undo first/);
    // What a retry mends is the last word, so that "then" follows it.
    expect(/Or (attach|add|remove|make) .*\. Then resolve with retry\.$/.test(advice)).toBe(retries);
    expect(advice.includes('retry')).toBe(retries);
  },
);

test('S9 disks that are not those the run began with are refused by name: replaced, resized, added, removed', () => {
  const begun = pairDisks(source(8, 4), target(8, 4), 'in-place').pairs;
  const told = (sizes: readonly number[], paired = begun, identity?: string) =>
    sameDisks(
      begun,
      source(...sizes).disks.map((disk) => (identity === undefined ? disk : { ...disk, identity })),
      paired,
      'rg/vm',
    );
  expect(told([8, 4])).toMatchObject([{ id: 'disk-pairing-stays', verdict: 'pass' }]);
  const elsewhere = begun.map((pair) => ({ ...pair, target: { ...pair.target, file: '[ds] vm/other.vmdk' } }));
  const cases = [
    [told([8, 4], begun, 'another'), 'not as the run began with: os, data-0'],
    [told([8, 5]), 'not as the run began with: data-0'],
    [told([8, 4, 2]), 'not as the run began with: data-1'],
    [told([8]), 'gone: data-0'],
    [told([8, 4], elsewhere), 'not as the run began with: os, data-0'],
  ] as const;
  for (const [checks, seen] of cases)
    expect(checks).toMatchObject([{ verdict: 'refuse', seen, remedy: expect.stringMatching(/take the run back/) }]);
});
