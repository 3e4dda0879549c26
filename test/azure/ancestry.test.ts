/** S9: each thing that Azure says of two moments can alone keep a delta between them from being made. */
import { assertAround, assertLineage } from '../../sites/azure/ancestry.ts';
import type { Recorded } from '../../sites/azure/recorded-point.ts';

const moment = (number: number, other: Partial<Recorded> = {}): Recorded => ({
  ...{ id: `/s/${number}`, name: `s-${number}`, identity: `${number}`, sectorBytes: 512, mayBeOpen: false },
  ...{ family: 'family-1', ofDisk: 'disk-1', takenAt: new Date(number * 1_000) },
  ...other,
});
const brokenLineage = { kind: 'Corrupt', op: 'lineage' };
const refusal = (act: () => void): unknown => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
};
const strangers: [string, Partial<Recorded>][] = [
  ['is of another family', { family: 'family-2' }],
  ['is of another disk', { ofDisk: 'disk-2' }],
];

test.each<[string, Partial<Recorded>]>([
  ...strangers,
  ['tells no family', { family: undefined }],
  ['is newer', { takenAt: new Date(9_000) }],
])('S9 a base that %s is none, whatever else fits', (_, other) => {
  expect(refusal(() => assertLineage(moment(1), moment(2)))).toBeUndefined();
  expect(refusal(() => assertLineage(moment(1, other), moment(2)))).toMatchObject(brokenLineage);
});

test('S9 two moments that tell no family are none of each other', () => {
  const untold = { family: undefined };
  expect(refusal(() => assertLineage(moment(1, untold), moment(2, untold)))).toMatchObject(brokenLineage);
});

test.each<[string, Partial<Recorded>]>([...strangers, ['is older than the point', { takenAt: new Date(1_500) }]])(
  'S9 a moment behind the point that %s does not lie around it',
  (_, other) => {
    const around = (more: Partial<Recorded>) =>
      refusal(() => assertAround(moment(1), moment(4, more), moment(3), moment(2)));
    expect(around({})).toBeUndefined();
    expect(around(other)).toMatchObject(brokenLineage);
  },
);

test.each<[string, Partial<Recorded>]>([
  ['is of another disk', { ofDisk: 'disk-2' }],
  ['tells no time', { takenAt: undefined }],
  ['is older than both', { takenAt: new Date(500) }],
  ['is newer than both', { takenAt: new Date(9_000) }],
])('S9 what the disk holds and the point lie between the two: one that %s does not', (_, other) => {
  for (const [held, point] of [
    [moment(3, other), moment(2)],
    [moment(3), moment(2, other)],
  ] as const)
    expect(refusal(() => assertAround(moment(1), moment(4), held, point))).toMatchObject(brokenLineage);
  expect(refusal(() => assertAround(moment(1), moment(4), undefined, moment(2)))).toMatchObject(brokenLineage);
});
