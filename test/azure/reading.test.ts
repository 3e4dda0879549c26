/** Reading recovery points over the lab's blob endpoint: whole, as deltas, and while things go wrong. */
import { randomBytes } from 'node:crypto';
import { type PointReader, SourceSilent } from '../../disk/point-reader.ts';
import type { DiskPoint } from '../../model/machine.ts';
import { parseId } from '../../sites/azure/arm-id.ts';
import { blobLimits, createBlobTransport } from '../../sites/azure/blob-transport.ts';
import { azureFailure } from '../../sites/azure/failure.ts';
import type { AzureReaderParts } from '../../sites/azure/point-source.ts';
import type { PointRequest } from '../../sites/source.ts';
import { type AzureLab, apply, dataBytes, failureOf, group, mib, openAzureLab, quiet, sha256 } from './azure-lab.ts';

const disk = 'erp-db-data';
const { signal } = new AbortController();
let lab: AzureLab;
let request: PointRequest;
let shared: ReturnType<AzureLab['reader']>;
let still: DiskPoint;
let number = 0;
const open: PointReader[] = [];

beforeAll(async () => {
  lab = await openAzureLab();
  await lab.write(disk, 0, randomBytes(mib));
  await lab.write(disk, 3 * mib - 512, randomBytes(mib + 512));
  await lab.write(disk, dataBytes - 512, randomBytes(512));
  request = await lab.pointRequest();
  shared = lab.reader();
  number = 100;
  still = await takePoint();
  number = 0;
});
afterEach(async () => {
  lab.faults.remove();
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => lab.close());

async function takePoint(): Promise<DiskPoint> {
  number += 1;
  const point = await lab.source.ensureRecoveryPoint({ ...request, number }, quiet());
  const only = point.disks.find((one) => one.disk === 'data-0');
  if (!only) throw new Error('no disk in the point');
  return only;
}

async function openPoint(point: DiskPoint, base?: DiskPoint, extra?: Partial<AzureReaderParts>): Promise<PointReader> {
  const from = extra === undefined ? shared : lab.reader(extra);
  const reader = await from.openPoint({ point, disk: 'data-0', ...(base ? { base } : {}) }, quiet());
  open.push(reader);
  return reader;
}

const brokenLineage = { kind: 'Corrupt', op: 'lineage' };
const remove = (point: DiskPoint): Promise<void> =>
  lab.world.deleteSnapshot(lab.world.snapshot(group, parseId(point.id).name));
const activeGrants = (): string[] => lab.world.grants.names();
const piece = Buffer.alloc(64 * 1024);

test('S3 the whole list and the reads of a point rebuild the disk byte for byte, without its footer', async () => {
  const point = await takePoint();
  const reader = await openPoint(point);
  expect(reader.sizeBytes).toBe(dataBytes);
  const image = Buffer.alloc(dataBytes);
  const extents = await apply(image, reader);
  expect(extents.every(({ offset, length }) => offset + length <= dataBytes)).toBe(true);
  expect(sha256(image)).toBe(await lab.sha256(disk));
});

test('S10 a delta with interleaved cleared ranges, read in small pieces, turns the old image into the new one', async () => {
  const base = await takePoint();
  const image = Buffer.alloc(dataBytes);
  await apply(image, await openPoint(base));
  for (let at = 0; at < 20; at++)
    if (at % 2) await lab.discard(disk, at * 32_768, 16_384);
    else await lab.write(disk, at * 32_768, randomBytes(4_096));
  const point = await takePoint();
  lab.calls();
  const extents = await apply(image, await openPoint(point, base, { entriesAPiece: 3 }));
  expect(extents.filter((extent) => extent.kind === 'zero').length).toBeGreaterThanOrEqual(5);
  expect(lab.calls().filter((call) => call === 'blob.pageListDiff').length).toBeGreaterThan(4);
  expect(sha256(image)).toBe(await lab.sha256(disk));
});

test('S9 of two disks of one point the first may have changed nowhere and the second somewhere', async () => {
  const pointOf = (): ReturnType<AzureLab['source']['ensureRecoveryPoint']> =>
    lab.source.ensureRecoveryPoint({ ...request, number: ++number }, quiet());
  const base = await pointOf();
  await lab.write(disk, 4_096, randomBytes(1_024));
  const point = await pointOf();
  const changed: Record<string, number> = {};
  for (const [index, one] of point.disks.entries()) {
    const reader = await shared.openPoint(
      { disk: one.disk, point: one, base: base.disks[index] as DiskPoint },
      quiet(),
    );
    open.push(reader);
    let bytes = 0;
    for await (const { length } of reader.changes(signal)) bytes += length;
    changed[one.disk] = bytes;
  }
  expect(changed).toEqual({ os: 0, 'data-0': 1_024 });
});

test('a delta in which nothing changed is empty', async () => {
  const [base, point] = [await takePoint(), await takePoint()];
  expect(await apply(Buffer.alloc(dataBytes), await openPoint(point, base))).toEqual([]);
});

test('S11 closing gives both grants back, and closing twice is the same', async () => {
  const [base, point] = [await takePoint(), await takePoint()];
  const reader = await openPoint(point, base);
  expect(activeGrants()).toHaveLength(2);
  await reader.close();
  await reader.close();
  expect(activeGrants()).toEqual([]);
});

test('S9 a base that is gone, or that is newer, is Corrupt and leaves no grant behind', async () => {
  const [base, point] = [await takePoint(), await takePoint()];
  expect(await failureOf(openPoint(base, point))).toMatchObject(brokenLineage);
  await remove(base);
  expect(await failureOf(openPoint(point, base))).toMatchObject(brokenLineage);
  const { kind, op } = await failureOf(openPoint(base));
  expect([kind, op]).toEqual(['Corrupt', 'open a recovery point']);
  expect(activeGrants()).toEqual([]);
});

test('S3 S9 a moment of another size than recorded, or with other sectors, is not opened', async () => {
  const point = await takePoint();
  const larger = { ...point, sizeBytes: point.sizeBytes + 512 };
  expect((await failureOf(openPoint(larger))).message).toContain('another size than recorded');
  const { snapshots } = lab.world;
  for (const [key, one] of snapshots)
    if (one.name === parseId(point.id).name)
      snapshots.set(key, { ...one, source: { ...one.source, sectorBytes: 4096 } });
  expect((await failureOf(openPoint(point))).message).toContain('has 4096-byte sectors');
  expect(activeGrants()).toEqual([]);
});

test('S9 a base that vanishes between two reads is a broken lineage', async () => {
  const [base, point] = [await takePoint(), await takePoint()];
  lab.fault('snapshots.grantAccess', { status: 404, code: 'ResourceNotFound' }, { resource: parseId(base.id).name });
  expect(await failureOf(openPoint(point, base))).toMatchObject(brokenLineage);
  expect(activeGrants()).toEqual([]);
  const reader = await openPoint(point, base);
  lab.world.grants.expireAll();
  await remove(base);
  expect(await failureOf(apply(Buffer.alloc(dataBytes), reader))).toMatchObject(brokenLineage);
});

test('S9 a base that is another one when its grant is renewed ends the list, though Azure would go on from it', async () => {
  const base = await takePoint();
  await lab.write(disk, 0, randomBytes(4_096));
  const [other, point] = [await takePoint(), await takePoint()];
  const reader = await openPoint(point, base);
  const { snapshots } = lab.world;
  const [mine, its] = [base, other].map(({ id }) => lab.world.snapshot(group, parseId(id).name));
  if (!mine || !its) throw new Error('no snapshot');
  lab.world.grants.expireAll();
  for (const [key, one] of snapshots) if (one === mine) snapshots.set(key, { ...its, name: mine.name });
  expect(await failureOf(apply(Buffer.alloc(dataBytes), reader))).toMatchObject(brokenLineage);
});

test('S9 a snapshot that was made anew under its name is not the recorded one', async () => {
  const [base, point] = [await takePoint(), await takePoint()];
  expect(point.identity).toMatch(/^[0-9a-f-]{36}$/);
  const unlike = (one: DiskPoint): DiskPoint => ({ ...one, identity: 'what it was' });
  expect(await failureOf(openPoint(point, unlike(base)))).toMatchObject(brokenLineage);
  expect((await failureOf(openPoint(unlike(point)))).kind).toBe('Corrupt');
  expect(activeGrants()).toEqual([]);
});

test.each([
  'PreviousSnapshotNotFound',
  'PreviousSnapshotCannotBeNewer',
  'PreviousSnapshotOperationNotSupported',
  'SnapshotsHaveDifferentFamilies',
  'BlobOverwritten',
])('S9 a diff refused with %s asks for a full transfer', async (code) => {
  const [base, point] = [await takePoint(), await takePoint()];
  const reader = await openPoint(point, base);
  lab.fault('blob.pageListDiff', { status: 409, code }, { count: 99 });
  expect(await failureOf(apply(Buffer.alloc(dataBytes), reader))).toMatchObject(brokenLineage);
});

test('a grant left by a process that died is revoked and granted anew', async () => {
  const point = await takePoint();
  await shared.openPoint({ point, disk: 'data-0' }, quiet());
  const reader = await openPoint(point);
  await reader.read(0, piece, signal);
  expect(activeGrants()).toHaveLength(1);
});

test('S8 two attempts on one point take the grant from each other, and both go on reading', async () => {
  const point = await takePoint();
  const [older, newer] = [await openPoint(point), await openPoint(point)];
  for (const reader of [older, newer, older, newer]) await reader.read(0, piece, signal);
  await older.close();
  await newer.read(0, piece, signal);
});

test('reads go on when all grants expire in the middle, with one renewal for all of them', async () => {
  const point = await takePoint();
  const reader = await openPoint(point);
  await reader.read(0, piece, signal);
  lab.world.grants.expireAll();
  lab.calls();
  const image = Buffer.alloc(mib);
  await Promise.all(
    [0, 1, 2, 3].map((at) => reader.read((at * mib) / 4, image.subarray((at * mib) / 4, ((at + 1) * mib) / 4), signal)),
  );
  expect(lab.calls().filter((call) => call === 'snapshots.grantAccess')).toHaveLength(1);
  expect(image.equals(await lab.world.disk(group, disk).data.read(0, mib))).toBe(true);
});

test('both grants of a delta are renewed when they expire before the list is read', async () => {
  const [base, point] = [await takePoint(), await takePoint()];
  const reader = await openPoint(point, base);
  lab.world.grants.expireAll();
  expect(await apply(Buffer.alloc(dataBytes), reader)).toEqual([]);
});

test('a grant is renewed before it ends', async () => {
  const point = await takePoint();
  const reader = await openPoint(point, undefined, { config: { ...lab.config, grantSeconds: 3 } });
  await new Promise((resolve) => setTimeout(resolve, 2_450));
  lab.calls();
  await reader.read(0, piece, signal);
  const calls = lab.calls();
  expect(calls).toContain('snapshots.grantAccess');
  expect(calls.filter((call) => call === 'blob.getRange')).toHaveLength(1);
});

test('L5 S8 who holds memory waits for a new grant no longer than for an answer, and who holds none sees it through', async () => {
  const reader = await openPoint(await takePoint(), undefined, { limits: { stallMs: 300, repeatMs: 20 } });
  lab.fault('snapshots.grantAccess', { delayMs: 1_500 });
  lab.world.grants.expireAll();
  lab.calls();
  const began = performance.now();
  await expect(reader.read(0, piece, signal)).rejects.toBeInstanceOf(SourceSilent);
  await expect(reader.read(0, piece, signal)).rejects.toBeInstanceOf(SourceSilent);
  expect(performance.now() - began).toBeLessThan(1_200);
  await reader.waitsFor?.();
  expect(performance.now() - began).toBeGreaterThan(1_400);
  expect(reader.waitsFor?.()).toBe(undefined);
  await reader.read(0, piece, signal);
  expect(lab.calls().filter((call) => call === 'snapshots.grantAccess')).toHaveLength(1);
});

test('a read that is refused again after a new grant is Refused, and shows no grant', async () => {
  const reader = await openPoint(still);
  lab.fault('blob.getRange', { status: 403, code: 'AuthenticationFailed' }, { count: 9 });
  expect((await failureOf(reader.read(0, piece, signal))).kind).toBe('Refused');
});

const once: readonly [string, object][] = [
  ['a flipped byte', { flipByte: 100 }],
  ['a truncated body', { truncateBytes: 1_000 }],
  ['another range', { wrongRange: true }],
  ['status 200 instead of 206', { ignoreRange: true }],
  ['a connection cut before the answer', { drop: 'before' }],
  ['a connection cut after the work', { drop: 'after' }],
  ['429 without a time', { status: 429, retryAfter: 'none' }],
  ['503 with a short time', { status: 503, retryAfter: 1 }],
  ['500', { status: 500 }],
];
test.each(once)('%s once is cured by reading again', async (_name, action) => {
  const reader = await openPoint(still);
  lab.fault('blob.getRange', action);
  await reader.read(3 * mib, piece, signal);
  expect(piece.equals(await lab.world.disk(group, disk).data.read(3 * mib, piece.length))).toBe(true);
});

const always: readonly [string, object, string][] = [
  ['a flipped byte', { flipByte: 100 }, 'Corrupt'],
  ['another range', { wrongRange: true }, 'Corrupt'],
  ['status 200 instead of 206', { ignoreRange: true }, 'Corrupt'],
  ['a truncated body', { truncateBytes: 1_000 }, 'Transient'],
  ['a cut connection', { drop: 'before' }, 'Transient'],
  ['429 without a time', { status: 429, retryAfter: 'none' }, 'Transient'],
  ['404', { status: 404, code: 'BlobNotFound' }, 'Refused'],
];
test.each(always)('%s every time ends as a failure of the right kind', async (_name, action, kind) => {
  const reader = await openPoint(still);
  lab.fault('blob.getRange', action, { count: 99 });
  expect((await failureOf(reader.read(512, piece, signal))).kind).toBe(kind);
});

test('an ETag that changes under the reads is Corrupt', async () => {
  const reader = await openPoint(still);
  await reader.read(0, piece, signal);
  lab.fault('blob.getRange', { staleEtag: true }, { count: 99 });
  expect((await failureOf(reader.read(0, piece, signal))).kind).toBe('Corrupt');
});

test('a long wait asked for by a busy service is left to Temporal', async () => {
  const reader = await openPoint(still);
  lab.fault('blob.getRange', { status: 503, retryAfter: 120 }, { count: 99 });
  expect(await failureOf(reader.read(0, piece, signal))).toMatchObject({ kind: 'Transient', retryAfterMs: 120_000 });
});

test('a connection that stalls is given up by the reader’s own deadline', async () => {
  const reader = await openPoint(still, undefined, { limits: { stallMs: 300, requestMs: 400, repeatMs: 20 } });
  lab.fault('blob.getRange', { stallMs: 3_000 }, { count: 99 });
  const started = Date.now();
  expect((await failureOf(reader.read(0, piece, signal))).kind).toBe('Transient');
  expect(Date.now() - started).toBeLessThan(9_000);
});

test('a page list that arrives cut off is asked for again, and Transient when it stays so', async () => {
  const point = still;
  const reader = await openPoint(point);
  lab.fault('blob.pageList', { truncateBytes: 60 });
  expect((await apply(Buffer.alloc(dataBytes), reader)).length).toBeGreaterThan(0);
  lab.fault('blob.pageList', { truncateBytes: 60 }, { count: 99 });
  expect((await failureOf(apply(Buffer.alloc(dataBytes), reader))).kind).toBe('Transient');
});

test('L5 of three connections a point that is not answered has one, and leaves one to the first read of an urgent one', async () => {
  const own = lab.reader({ limits: { connections: 3 } });
  const { disks } = await lab.source.ensureRecoveryPoint({ ...request, number: ++number }, quiet());
  const [silent, urgent] = await Promise.all(
    disks.map((point, at) => own.openPoint({ point, disk: point.disk, machine: 'one', urgent: at > 0 }, quiet())),
  );
  if (!silent || !urgent) throw new Error('no two disks in the point');
  const stop = new AbortController();
  lab.fault('blob.getRange', { stallMs: 10_000 }, { count: 9, resource: parseId(disks[0]?.id ?? '').name });
  const reads = Array.from({ length: 4 }, (_, at) => silent.read(at * mib, Buffer.alloc(512), stop.signal));
  let ended = 0;
  for (const read of reads) read.catch(() => undefined).then(() => ended++);
  await urgent.read(0, piece, signal);
  expect(ended).toBe(0);
  stop.abort();
  for (const { status } of await Promise.allSettled(reads)) expect(status).toBe('rejected');
  await own.close();
});

test('a read that is told to stop ends at once with the caller’s reason', async () => {
  const reader = await openPoint(still);
  lab.fault('blob.getRange', { stallMs: 5_000 }, { count: 9 });
  const stop = new AbortController();
  const started = Date.now();
  setTimeout(() => stop.abort(new Error('told to stop')), 150);
  await expect(reader.read(0, piece, stop.signal)).rejects.toThrow('told to stop');
  expect(Date.now() - started).toBeLessThan(1_900);
});

test('opening a point whose grant fails says so without showing one', async () => {
  const point = still;
  lab.fault(
    'snapshots.grantAccess',
    { lroFail: { code: 'TooManyActiveSas', message: 'five are open: https://x/y?sig=abc' } },
    { count: 9 },
  );
  const failure = await failureOf(openPoint(point));
  expect(failure.kind).toBe('Transient');
  expect(failure.message).not.toContain('abc');
});

test('a read outside the disk is our own defect', async () => {
  const reader = await openPoint(still);
  expect((await failureOf(reader.read(dataBytes - 512, piece, signal))).kind).toBe('Defect');
});

test('a blob endpoint whose certificate nobody vouches for is refused, through the proxy too', async () => {
  const transport = createBlobTransport(lab.config, undefined, blobLimits);
  const url = new URL('https://md-0.blob.storage.azure.net/c/abcd?sig=topsecret');
  const act = transport
    .get(url, {}, signal, async () => undefined)
    .catch((error: unknown) => {
      throw azureFailure({ op: 'read', subject: 'x' }, error);
    });
  const failure = await failureOf(act);
  expect(failure).toMatchObject({ kind: 'Refused', hint: expect.stringContaining('caFile') });
  await transport.close();
});
