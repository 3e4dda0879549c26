/**
 * Ranges read from services that give both checksums, only the older one, or none: what can be checked is checked.
 * Rule: the bytes are damaged after the service computed its checksum, so that nothing but the checksum can tell.
 */
import { randomBytes } from 'node:crypto';
import { type PointReader, SourceSilent } from '../../disk/point-reader.ts';
import { type AzureLab, failureOf, mib, openAzureLab, quiet } from './azure-lab.ts';

const { signal } = new AbortController();
const pieceBytes = 64 * 1024;
const atOnce = 8;
let lab: AzureLab;
let written: Buffer;
let point: Awaited<ReturnType<AzureLab['source']['ensureRecoveryPoint']>>;
const open: PointReader[] = [];

beforeAll(async () => {
  lab = await openAzureLab();
  written = randomBytes(mib);
  await lab.write('erp-db-data', 0, written);
  point = await lab.source.ensureRecoveryPoint(await lab.pointRequest(), quiet());
});
afterEach(async () => {
  lab.faults.remove();
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => lab.close());

/** A reader that has asked this service for nothing yet. */
async function firstReader(checksums: 'crc64' | 'md5' | 'none'): Promise<PointReader> {
  lab.world.settings.checksums = checksums;
  const disk = point.disks.find((one) => one.disk === 'data-0');
  if (!disk) throw new Error('no disk in the point');
  const reader = await lab.reader().openPoint({ point: disk, disk: 'data-0' }, quiet());
  open.push(reader);
  lab.calls();
  return reader;
}

/** The first ranges of the disk, all at once, as a copy asks for them. */
async function readFirst(reader: PointReader): Promise<Buffer> {
  const into = Buffer.alloc(atOnce * pieceBytes);
  const pieces = Array.from({ length: atOnce }, (_, at) => into.subarray(at * pieceBytes, (at + 1) * pieceBytes));
  await Promise.all(pieces.map((piece, at) => reader.read(at * pieceBytes, piece, signal)));
  return into;
}
const rangesAsked = (): number => lab.calls().filter((call) => call === 'blob.getRange').length;

test.each(['crc64', 'md5'] as const)(
  'S3 of a service that gives %s not one range is believed unchecked, the first ones neither',
  async (checksums) => {
    const reader = await firstReader(checksums);
    lab.fault('blob.getRange', { flipByte: 9 }, { count: atOnce });
    expect((await readFirst(reader)).equals(written.subarray(0, atOnce * pieceBytes))).toBe(true);
    lab.fault('blob.getRange', { flipByte: 9 }, { count: 99 });
    expect(await failureOf(reader.read(0, Buffer.alloc(pieceBytes), signal))).toMatchObject({
      kind: 'Corrupt',
      hint: expect.stringContaining('look at the proxy'),
    });
  },
);

test('S3 a service without CRC64 is asked twice for its first ranges only', async () => {
  const reader = await firstReader('md5');
  await readFirst(reader);
  expect(rangesAsked()).toBeLessThanOrEqual(2 * atOnce);
  await readFirst(reader);
  expect(rangesAsked()).toBe(atOnce);
});

test('S3 a service that gives no checksum at all is still read, and one that stops giving them is not believed', async () => {
  expect((await readFirst(await firstReader('none'))).equals(written.subarray(0, atOnce * pieceBytes))).toBe(true);
  const reader = await firstReader('crc64');
  await readFirst(reader);
  lab.world.settings.checksums = 'none';
  const failure = await failureOf(reader.read(0, Buffer.alloc(pieceBytes), signal));
  expect(failure).toMatchObject({
    kind: 'Corrupt',
    message: expect.stringContaining('no checksum, which this service'),
  });
});

test('R11 tells of each answer that was sent for nothing, and of no other: wrong, cut off, or unchecked', async () => {
  const reader = await firstReader('crc64');
  const wasted: number[] = [];
  const read = async (): Promise<number[]> => {
    await reader.read(0, Buffer.alloc(pieceBytes), signal, (bytes) => wasted.push(bytes));
    return wasted.splice(0);
  };
  expect(await read()).toEqual([]);
  lab.fault('blob.getRange', { flipByte: 9 }, { count: 2 });
  expect(await read()).toEqual([pieceBytes, pieceBytes]);
  lab.fault('blob.getRange', { truncateBytes: 5_000 }, { count: 1 });
  expect(await read()).toEqual([pieceBytes]);
  lab.fault('blob.getRange', { status: 503 }, { count: 1 });
  expect(await read()).toEqual([]);
  const older = await firstReader('md5');
  await older.read(0, Buffer.alloc(pieceBytes), signal, (bytes) => wasted.push(bytes));
  expect(wasted).toEqual([pieceBytes]);
});

test.each([
  ['meets silence', { stallMs: 1_000 }],
  ['only trickles in', { stallMs: 9_000, requestMs: 1_000 }],
])('L5 a range that %s is not asked for again by the reader: its memory is of use to others', async (_, limits) => {
  const disk = point.disks.find((one) => one.disk === 'data-0');
  if (!disk) throw new Error('no disk in the point');
  const reader = await lab
    .reader({ limits: { ...limits, repeatMs: 5 } })
    .openPoint({ point: disk, disk: 'data-0' }, quiet());
  open.push(reader);
  lab.calls();
  lab.fault('blob.getRange', { stallMs: 5_000 }, { count: 9 });
  const read = reader.read(0, Buffer.alloc(pieceBytes), signal);
  await expect(read).rejects.toBeInstanceOf(SourceSilent);
  expect(rangesAsked()).toBe(1);
});
