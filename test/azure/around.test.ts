/**
 * S9: a moment between two others, of which only the two are compared. Azure does not say whether its comparison names what was
 * written after the first and cleared again before the second; the lab plays it both ways.
 * Rule: what a disk holds and what it is to hold are the lab's own bytes at those moments.
 */
import { randomBytes } from 'node:crypto';
import type { DiskPoint, RecoveryPoint } from '../../model/machine.ts';
import type { Around } from '../../model/point.ts';
import type { PointRequest } from '../../sites/source.ts';
import { type AzureLab, apply, dataBytes, group, machine, mib, openAzureLab, quiet } from './azure-lab.ts';

const disk = 'erp-db-data';
/** Never written until `before`, written until `chosen`, cleared again until `after`. */
const passing = { offset: 4 * mib, length: 8192 };

let lab: AzureLab;
const held = new Map<RecoveryPoint, Buffer>();
let before: RecoveryPoint;
let chosen: RecoveryPoint;
let after: RecoveryPoint;
let later: RecoveryPoint;

const dataOf = ({ disks }: RecoveryPoint): DiskPoint => {
  const found = disks.find((one) => one.disk === 'data-0');
  if (!found) throw new Error('no data disk in the point');
  return found;
};
const bytesOf = (point: RecoveryPoint): Buffer => held.get(point) ?? Buffer.alloc(0);
const bracket = (since: RecoveryPoint, until: RecoveryPoint): Around => ({
  since: dataOf(since),
  until: dataOf(until),
});

beforeEach(async () => {
  lab = await openAzureLab({ restorePointsPerHour: 100 });
  await lab.world.powerOn(lab.world.machine(group, machine));
  const request: PointRequest = await lab.pointRequest();
  const moment = async (number: number, application = false): Promise<RecoveryPoint> => {
    const order = { ...request, number };
    const point = await (application
      ? lab.source.ensureApplicationPoint(order, quiet())
      : lab.source.ensureRecoveryPoint(order, quiet()));
    held.set(point, await lab.world.disk(group, disk).data.read(0, dataBytes));
    return point;
  };
  await lab.write(disk, 0, randomBytes(mib));
  before = await moment(1);
  await lab.write(disk, passing.offset, randomBytes(passing.length));
  await lab.write(disk, 2048, randomBytes(4096));
  chosen = await moment(1, true);
  await lab.discard(disk, passing.offset, passing.length);
  await lab.write(disk, 8192, randomBytes(512));
  after = await moment(2);
  await lab.write(disk, 16_384, randomBytes(512));
  later = await moment(3);
});
afterEach(() => lab.close());

/** What a disk that holds `from` is after it was taken to `to`. */
async function taken(from: RecoveryPoint, to: RecoveryPoint, around: Around) {
  const image = Buffer.from(bytesOf(from));
  const order = { point: dataOf(to), base: dataOf(from), around, disk: 'data-0' };
  const reader = await lab.reader().openPoint(order, quiet());
  const extents = await apply(image, reader).finally(() => reader.close());
  expect(lab.world.grants.names()).toEqual([]);
  return { right: image.equals(bytesOf(to)), extents };
}

describe.each([
  ['all that was touched in between', false],
  ['only what differs at its two ends', true],
])('S9 S10 when a comparison names %s', (_, netList) => {
  beforeEach(() => lab.fault('blob.pageListDiff', { netList }, { count: 99 }));

  test('a disk that is ahead goes back to what was written and has been cleared since', async () => {
    expect((await taken(later, chosen, bracket(before, later))).right).toBe(true);
    expect((await taken(after, chosen, bracket(before, after))).right).toBe(true);
  });

  test('a disk that is behind goes forward to what was written and is cleared later', async () => {
    expect((await taken(before, chosen, bracket(before, later))).right).toBe(true);
  });

  test('a disk that holds what was written loses what was cleared after it', async () => {
    expect((await taken(chosen, later, bracket(before, later))).right).toBe(true);
  });

  test('a disk between the two goes to another moment between them', async () => {
    expect((await taken(after, chosen, bracket(before, later))).right).toBe(true);
    expect((await taken(chosen, after, bracket(before, later))).right).toBe(true);
  });

  test('nothing is read that no list gives a reason for', async () => {
    const { extents } = await taken(later, chosen, bracket(before, later));
    const named = extents.map(({ offset, length }) => [offset, length]);
    const wanted = [
      [2048, 4096],
      [8192, 512],
      [16_384, 512],
      [passing.offset, passing.length],
    ];
    expect(new Set(named.map(String))).toEqual(new Set(wanted.map(String)));
  });
});
