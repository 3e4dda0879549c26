/**
 * All that is asked of one snapshot is answered of one content: each piece of its page list and each range carries the ETag
 * of the first one, or is not believed.
 */
import { randomBytes } from 'node:crypto';
import type { PointReader } from '../../disk/point-reader.ts';
import { type AzureLab, apply, dataBytes, failureOf, openAzureLab, quiet } from './azure-lab.ts';

const { signal } = new AbortController();
const spots = 9;
let lab: AzureLab;
let point: Awaited<ReturnType<AzureLab['source']['ensureRecoveryPoint']>>;
const open: PointReader[] = [];

beforeAll(async () => {
  lab = await openAzureLab();
  for (let at = 0; at < spots; at++) await lab.write('erp-db-data', at * 65_536, randomBytes(4_096));
  point = await lab.source.ensureRecoveryPoint(await lab.pointRequest(), quiet());
});
afterEach(async () => {
  lab.faults.remove();
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => lab.close());

/** Its page list comes in pieces of three. */
async function opened(): Promise<PointReader> {
  const disk = point.disks.find((one) => one.disk === 'data-0');
  if (!disk) throw new Error('no disk in the point');
  const reader = await lab.reader({ entriesAPiece: 3 }).openPoint({ point: disk, disk: 'data-0' }, quiet());
  open.push(reader);
  return reader;
}

async function listOf(reader: PointReader): Promise<number> {
  let extents = 0;
  for await (const { length } of reader.changes(signal)) extents += length > 0 ? 1 : 0;
  return extents;
}
const read = (reader: PointReader): Promise<void> => reader.read(0, Buffer.alloc(4_096), signal);
const otherEtag = { kind: 'Corrupt', message: expect.stringContaining('another ETag than before') };

test('S9 a later piece of a page list that is of another content is Corrupt, and asked for again first', async () => {
  lab.fault('blob.pageList', { staleEtag: true }, { skip: 1, count: 99 });
  expect(await failureOf(listOf(await opened()))).toMatchObject(otherEtag);
  lab.faults.remove();
  lab.fault('blob.pageList', { staleEtag: true }, { skip: 1 });
  expect(await listOf(await opened())).toBe(spots);
});

test('S9 a range that is of another content than the page list is Corrupt', async () => {
  const reader = await opened();
  expect(await listOf(reader)).toBe(spots);
  lab.fault('blob.getRange', { staleEtag: true }, { count: 99 });
  expect(await failureOf(read(reader))).toMatchObject(otherEtag);
});

test('S9 a page list that is of another content than a range is Corrupt', async () => {
  const reader = await opened();
  await read(reader);
  lab.fault('blob.pageList', { staleEtag: true }, { count: 99 });
  expect(await failureOf(listOf(reader))).toMatchObject(otherEtag);
});

test('S9 the service itself is asked for no other content: where the first answer was of another one it refuses the rest', async () => {
  const reader = await opened();
  lab.fault('blob.pageList', { staleEtag: true });
  const refusal = { kind: 'Corrupt', message: expect.stringContaining('412 ConditionNotMet') };
  expect(await failureOf(listOf(reader))).toMatchObject(refusal);
  expect(await failureOf(read(reader))).toMatchObject(refusal);
});

test('S9 a point and the moment its changes are listed of have an ETag each', async () => {
  await lab.write('erp-db-data', 0, randomBytes(4_096));
  const request = { ...(await lab.pointRequest()), number: 2 };
  const next = await lab.source.ensureRecoveryPoint(request, quiet());
  const [base, until] = [point, next].map(({ disks }) => disks.find((one) => one.disk === 'data-0'));
  if (!base || !until) throw new Error('no disk in the points');
  const order = { point: base, base: until, around: { since: base, until }, disk: 'data-0' };
  const reader = await lab.reader({ entriesAPiece: 3 }).openPoint(order, quiet());
  open.push(reader);
  expect(await apply(Buffer.alloc(dataBytes), reader)).toEqual([{ offset: 0, length: 4_096, kind: 'data' }]);
});
