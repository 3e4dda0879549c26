/**
 * Application-consistent points against the lab's simulator: making them, reading them from either side in time, releasing
 * them, and what Azure does when it cannot make one.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { DiskPoint, RecoveryPoint } from '../../model/machine.ts';
import type { Around } from '../../model/point.ts';
import { parseDiskPointId } from '../../sites/azure/restore-points.ts';
import type { PointRequest } from '../../sites/source.ts';
import {
  type AzureLab,
  apply,
  dataBytes,
  failureOf,
  group,
  machine,
  mib,
  openAzureLab,
  quiet,
  run,
} from './azure-lab.ts';

const disk = 'erp-db-data';
let lab: AzureLab;
let request: PointRequest;

async function opened(settings: object = {}): Promise<void> {
  lab = await openAzureLab({ restorePointsPerHour: 100, ...settings });
  await lab.world.powerOn(lab.world.machine(group, machine));
  request = await lab.pointRequest();
  lab.calls();
}
afterEach(() => lab.close());

const application = (number: number): Promise<RecoveryPoint> =>
  lab.source.ensureApplicationPoint({ ...request, number }, quiet());
const ofRound = (number: number): Promise<RecoveryPoint> =>
  lab.source.ensureRecoveryPoint({ ...request, number }, quiet());
const dataOf = ({ disks }: RecoveryPoint): DiskPoint => {
  const found = disks.find((one) => one.disk === 'data-0');
  if (!found) throw new Error('no data disk in the point');
  return found;
};
const points = () => [...lab.world.restorePoints.collections.values()].flatMap((one) => [...one.points.values()]);
const content = () => lab.world.disk(group, disk).data.read(0, dataBytes);

test('S001-13 S001-19 an application-consistent point holds every disk at one moment, in a collection marked as ours', async () => {
  await opened();
  const point = await application(3);
  expect(point).toMatchObject({ number: 3, consistency: 'application', final: false });
  expect(point.disks.map((one) => one.disk)).toEqual(['os', 'data-0']);
  expect(point.disks.every(({ id }) => parseDiskPointId(id) !== undefined)).toBe(true);
  expect([...lab.world.restorePoints.collections.values()].map((one) => one.tags)).toEqual([
    { 'homeward-run': run, 'homeward-machine': machine },
  ]);
  expect(await application(3)).toEqual(point);
  expect(lab.calls().filter((call) => call === 'restorePoints.create')).toHaveLength(1);
});

describe('S9 read from a disk that holds another moment', () => {
  let [before, after, later]: RecoveryPoint[] = [];
  let chosen: RecoveryPoint;
  const held = new Map<RecoveryPoint, Buffer>();
  const read = async (base: RecoveryPoint, between: Around) => {
    const image = Buffer.from(held.get(base) ?? '');
    const reader = await lab
      .reader()
      .openPoint({ point: dataOf(chosen), base: dataOf(base), around: between, disk: 'data-0' }, quiet());
    const extents = await apply(image, reader).finally(() => reader.close());
    return { image, extents };
  };

  beforeEach(async () => {
    await opened();
    const moment = async (make: () => Promise<RecoveryPoint>): Promise<RecoveryPoint> => {
      const point = await make();
      held.set(point, await content());
      return point;
    };
    await lab.write(disk, 0, randomBytes(dataBytes));
    before = await moment(() => ofRound(1));
    await lab.write(disk, mib, randomBytes(4096));
    chosen = await moment(() => application(1));
    await lab.write(disk, mib + 2048, randomBytes(4096));
    await lab.write(disk, 2 * mib, randomBytes(512));
    after = await moment(() => ofRound(2));
    await lab.discard(disk, 3 * mib, 8192);
    later = await moment(() => ofRound(3));
  });

  const bracket = (since: RecoveryPoint | undefined, until: RecoveryPoint | undefined): Around => {
    if (!since || !until) throw new Error('not taken');
    return { since: dataOf(since), until: dataOf(until) };
  };

  test('a disk that is ahead goes back to it by what changed since the point before it, and by nothing more', async () => {
    if (!later) throw new Error('not taken');
    const { image, extents } = await read(later, bracket(before, later));
    expect(image.equals(held.get(chosen) ?? Buffer.alloc(0))).toBe(true);
    expect(extents.every(({ kind }) => kind === 'data')).toBe(true);
    expect(extents.reduce((sum, { length }) => sum + length, 0)).toBe(4096 + 2048 + 512 + 8192);
  });

  test('a disk that still holds the point before it goes forward to it', async () => {
    if (!before) throw new Error('not taken');
    const { image } = await read(before, bracket(before, after));
    expect(image.equals(held.get(chosen) ?? Buffer.alloc(0))).toBe(true);
  });

  test('S3 a moment whose blob is longer than the disk was recorded with is not read: Azure tells no size of it beforehand', async () => {
    const recorded = dataOf(chosen);
    const shorter = { ...recorded, sizeBytes: recorded.sizeBytes - mib };
    const reader = await lab.reader().openPoint({ point: shorter, disk: 'data-0' }, quiet());
    try {
      const read = reader.read(0, Buffer.alloc(512), new AbortController().signal);
      await expect(read).rejects.toMatchObject({
        kind: 'Corrupt',
        message: expect.stringContaining(`a total of ${recorded.sizeBytes + 512} bytes`),
        hint: expect.stringMatching(/container \(VHDX\).*512-byte sectors.*start a new run/),
      });
    } finally {
      await reader.close();
    }
  });

  test('S001-13 a disk that holds it goes forward to the moment after it, cleared ranges included, by one grant on each of the three', async () => {
    if (!later) throw new Error('not taken');
    const image = Buffer.from(held.get(chosen) ?? '');
    const reader = await lab
      .reader()
      .openPoint(
        { point: dataOf(later), base: dataOf(chosen), around: bracket(before, later), disk: 'data-0' },
        quiet(),
      );
    expect(lab.world.grants.names()).toHaveLength(3);
    const extents = await apply(image, reader).finally(() => reader.close());
    expect(image.equals(held.get(later) ?? Buffer.alloc(0))).toBe(true);
    expect(extents).toContainEqual({ offset: 3 * mib, length: 8192, kind: 'zero' });
    expect(lab.world.grants.names()).toEqual([]);
  });

  test('the whole of it rebuilds the disk', async () => {
    const image = Buffer.alloc(dataBytes);
    const reader = await lab.reader().openPoint({ point: dataOf(chosen), disk: 'data-0' }, quiet());
    await apply(image, reader).finally(() => reader.close());
    expect(image.equals(held.get(chosen) ?? Buffer.alloc(0))).toBe(true);
    expect(lab.world.grants.names()).toEqual([]);
  });

  test('moments around it without what the disk holds are refused: their changes are no whole map of it', async () => {
    const order = { point: dataOf(chosen), around: bracket(before, later), disk: 'data-0' };
    const failure = await failureOf(lab.reader().openPoint(order, quiet()));
    expect(failure).toMatchObject({
      kind: 'Defect',
      op: 'open a recovery point',
      message: expect.stringContaining('base'),
    });
    expect(lab.world.grants.names()).toEqual([]);
  });

  test('moments that do not lie around it, or a disk that holds neither of them, are no way to it', async () => {
    if (!before || !later) throw new Error('not taken');
    const noWay = { kind: 'Corrupt', op: 'lineage' };
    expect(await failureOf(read(later, bracket(after, later)))).toMatchObject(noWay);
    expect(await failureOf(read(later, bracket(later, before)))).toMatchObject(noWay);
    expect(await failureOf(read(later, bracket(before, after)))).toMatchObject(noWay);
    await lab.world.deleteSnapshot(lab.world.snapshot(group, dataOf(before).id.split('/').at(-1) ?? ''));
    expect(await failureOf(read(later, bracket(before, later)))).toMatchObject(noWay);
    expect(lab.world.grants.names()).toEqual([]);
  });
});

test('S9 S11 releasing keeps what a kept point needs, and with all of them the collection goes, open grants and all', async () => {
  await opened();
  const numbers = () => points().map(({ name }) => name.replace(/.*-application-/, ''));
  const snapshots = () => [...lab.world.snapshots.values()].map(({ tags }) => tags['homeward-point']);
  const release = (before: number | 'all', keep: number[] = []) =>
    lab.source.releaseRecoveryPoints({ ...request, before, keep, applicationPoints: true }, quiet());
  await ofRound(1);
  const first = await application(1);
  for (const number of [2, 3]) {
    await ofRound(number);
    await application(number);
  }
  expect(await release(3, [1])).toEqual(
    expect.arrayContaining([expect.stringMatching(/-application-2$/), expect.stringMatching(/-data-0-2$/)]),
  );
  expect(numbers()).toEqual(['1', '3']);
  expect(snapshots()).toEqual(['1', '1', '3', '3']);
  const reader = await lab.reader().openPoint({ point: dataOf(first), disk: 'data-0' }, quiet());
  await release('all');
  expect([numbers(), snapshots(), lab.world.grants.names()]).toEqual([[], [], []]);
  expect(lab.world.restorePoints.collections.size).toBe(0);
  await reader.close();
});

test('L5 a point that was given up while Azure still makes it holds no release up, and goes with a later one', async () => {
  await opened();
  await application(1);
  const [point] = points();
  if (!point) throw new Error('no point');
  point.state = 'Creating';
  const release = () => lab.source.releaseRecoveryPoints({ ...request, before: 2, applicationPoints: true }, quiet());
  expect(await release()).toEqual([]);
  point.state = 'Succeeded';
  expect(await release()).toEqual([point.name]);
  expect(points()).toEqual([]);
});

test('S001-13 a point at which only the file systems were held still is no application-consistent one, and is not left behind', async () => {
  await opened({ guestConsistency: 'FileSystemConsistent' });
  const failure = await failureOf(application(1));
  expect(failure).toMatchObject({ kind: 'Refused', op: 'application-point' });
  expect(failure.message).toContain('FileSystemConsistent only');
  expect(failure.hint).toContain('pre- and post-scripts');
  expect(points()).toEqual([]);
});

test('an agent that does not answer, a reply that is lost and a machine that is asked too often are told as what they are', async () => {
  await opened({ restorePointsPerHour: 3 });
  lab.fault('restorePoints.create', { lroFail: { code: 'VMAgentStatusCommunicationError', message: 'no answer' } });
  expect(await failureOf(application(1))).toMatchObject({ kind: 'Refused', hint: expect.stringContaining('VM agent') });
  lab.fault('restorePoints.create', { drop: 'after' });
  expect((await failureOf(application(1))).kind).toBe('Transient');
  await application(1);
  expect(points()).toHaveLength(1);
  await application(2);
  const busy = await failureOf(application(3));
  expect(busy).toMatchObject({ kind: 'Transient', busy: true });
  expect(busy.retryAfterMs).toBeGreaterThan(3_000_000);
});

test('S11 a grant on it whose answer was lost is revoked before the next, although Azure does not tell that it is there', async () => {
  await opened();
  const point = dataOf(await application(1));
  lab.fault('diskRestorePoint.grantAccess', { drop: 'after' });
  const open = () => lab.reader().openPoint({ point, disk: 'data-0' }, quiet());
  // Also the closing of the attempt that failed is lost, as when its worker dies.
  lab.fault('diskRestorePoint.revokeAccess', { drop: 'before' }, { skip: 1, count: 3 });
  expect((await failureOf(open())).kind).toBe('Transient');
  await pause(200);
  expect(lab.world.grants.names()).toHaveLength(1);
  const reader = await open();
  await reader.close();
  expect(lab.world.grants.names()).toEqual([]);
});

test('S9 a disk that was made anew under its name is in no application-consistent point', async () => {
  await opened();
  request = { ...request, disks: request.disks.map((one) => ({ ...one, identity: 'another' })) };
  expect((await failureOf(application(1))).kind).toBe('Corrupt');
});

describe('the simulator keeps the documented limits', () => {
  beforeEach(() => opened());
  const taken = async () => {
    await application(1);
    const [collection] = lab.world.restorePoints.collections.values();
    if (!collection) throw new Error('no collection');
    return collection;
  };

  test('only CrashConsistent may be asked for', async () => {
    const collection = await taken();
    const ask = (mode: string) => lab.world.restorePoints.accept(collection, mode, mode);
    expect(() => ask('ApplicationConsistent')).toThrow('only CrashConsistent');
    expect(ask('CrashConsistent').state).toBe('Creating');
  });

  test('one creation at a time, and 500 of a machine', async () => {
    const collection = await taken();
    lab.world.settings.restorePointsPerHour = 1_000;
    const one = lab.world.restorePoints.accept(collection, 'one', undefined);
    expect(() => lab.world.restorePoints.accept(collection, 'two', undefined)).toThrow('being created already');
    one.state = 'Succeeded';
    for (let number = collection.points.size; number < 500; number++)
      lab.world.restorePoints.accept(collection, `more-${number}`, undefined).state = 'Succeeded';
    expect(() => lab.world.restorePoints.accept(collection, 'one-more', undefined)).toThrow(
      '500 restore points already',
    );
  });

  test('an open disk restore point keeps its restore point from being deleted', async () => {
    const collection = await taken();
    const [point] = collection.points.values();
    if (!point) throw new Error('no point');
    lab.world.grants.begin(`diskRestorePoint/${point.disks[0]?.uniqueId}`, 'one', 'family', 60);
    expect(() => lab.world.restorePoints.assertDeletable([point])).toThrow('active shared access signature');
  });

  test('a machine that does not run has nobody to hold still', async () => {
    await lab.stop();
    expect((await failureOf(application(1))).message).toContain('CrashConsistent only');
  });
});
