/** The checksum of a range on arrival: which one is asked for, and that each is really compared. */

import { createHash } from 'node:crypto';
import { type BlobAnswer, type BlobTransport, blobLimits } from '../../sites/azure/blob-port.ts';
import { OneContent } from '../../sites/azure/one-content.ts';
import { RangeChecksum } from '../../sites/azure/range-checksum.ts';
import { createRangeReader } from '../../sites/azure/range-reader.ts';

const bytes = Buffer.from('123456789');
/** The check value of CRC-64/NVME in the catalogue of CRCs, ae8b14860a799888, as the service writes it. */
const crc = Buffer.from('8898790a86148bae', 'hex').toString('base64');
const md5 = createHash('md5').update(bytes).digest('base64');
const saying = (headers: Readonly<Record<string, string>>) => (name: string) => headers[name];
const askCrc = { 'x-ms-range-get-content-crc64': 'true' };
const askMd5 = { 'x-ms-range-get-content-md5': 'true' };

test('S3 the service’s CRC64 is asked for, and a range that does not match it is not believed', async () => {
  const checksum = new RangeChecksum();
  const { headers, judge } = checksum.question();
  expect(headers).toEqual(askCrc);
  expect(await judge(saying({ 'x-ms-content-crc64': crc }), bytes)).toBe('right');
  expect(await judge(saying({ 'x-ms-content-crc64': crc }), Buffer.from('123456788'))).toBe('wrong');
  expect(checksum.question().headers).toEqual(askCrc);
});

test('S3 of a service that answers without a CRC64 the same range is asked for with MD5, and compared', async () => {
  const checksum = new RangeChecksum();
  expect(await checksum.question().judge(saying({}), bytes)).toBe('ask again');
  const { headers, judge } = checksum.question();
  expect(headers).toEqual(askMd5);
  expect(await judge(saying({ 'content-md5': md5 }), bytes)).toBe('right');
  expect(await judge(saying({ 'content-md5': md5 }), Buffer.from('12345678'))).toBe('wrong');
});

test('S3 each of several first ranges at once is asked for again, however much the others learned meanwhile', async () => {
  const checksum = new RangeChecksum();
  const first = [checksum.question(), checksum.question(), checksum.question()];
  for (const { judge } of first) expect(await judge(saying({}), bytes)).toBe('ask again');
});

test('S3 only a service that has never given a checksum is believed without one', async () => {
  const never = new RangeChecksum();
  expect(await never.question().judge(saying({}), bytes)).toBe('ask again');
  expect(await never.question().judge(saying({}), bytes)).toBe('right');
  const before = new RangeChecksum();
  expect(await before.question().judge(saying({ 'x-ms-content-crc64': crc }), bytes)).toBe('right');
  expect(await before.question().judge(saying({}), bytes)).toBe('ask again');
  expect(await before.question().judge(saying({}), bytes)).toBe('missing');
});

test('S3 a checksum that was not asked for is compared as well', async () => {
  const both = { 'x-ms-content-crc64': crc, 'content-md5': createHash('md5').update('other').digest('base64') };
  expect(await new RangeChecksum().question().judge(saying(both), bytes)).toBe('wrong');
});

test('S3 an answer that ends early is none, also of a service that says neither its length nor a checksum', async () => {
  const bytes = 64 * 1024;
  let asked = 0;
  const answer: BlobAnswer = {
    status: 206,
    header: (name) => (name === 'content-range' ? `bytes 0-${bytes - 1}/${bytes}` : undefined),
    fill: async () => {
      asked++;
      return bytes - 512;
    },
    text: async () => '',
  };
  const transport: BlobTransport = {
    limits: { ...blobLimits, repeatMs: 1 },
    get: (_url, _headers, _signal, take) => take(answer),
    close: async () => undefined,
  };
  const lease = {
    name: 'a-snapshot',
    sas: async () => ({ url: new URL('https://md-1.blob.storage.azure.net/c/abcd'), serial: 1 }),
    waitsFor: () => undefined,
    renew: async () => undefined,
    close: async () => undefined,
  };
  const reader = createRangeReader({ transport, lease, content: new OneContent() }, bytes);
  await expect(reader.read(0, new Uint8Array(bytes), new AbortController().signal)).rejects.toMatchObject({
    kind: 'Transient',
    message: expect.stringContaining('ended after 65024 of 65536 bytes'),
  });
  expect(asked).toBeGreaterThan(1);
});
