/** The checksum of a range on arrival: which one is asked for, and that each is really compared. */
import { createHash } from 'node:crypto';
import { RangeChecksum } from '../../sites/azure/range-checksum.ts';

const bytes = Buffer.from('123456789');
/** The check value of CRC-64/NVME in the catalogue of CRCs, ae8b14860a799888, as the service writes it. */
const crc = Buffer.from('8898790a86148bae', 'hex').toString('base64');
const md5 = createHash('md5').update(bytes).digest('base64');
const saying = (headers: Readonly<Record<string, string>>) => (name: string) => headers[name];
const askCrc = { 'x-ms-range-get-content-crc64': 'true' };
const askMd5 = { 'x-ms-range-get-content-md5': 'true' };

test('S3 the service’s CRC64 is asked for, and a range that does not match it is not believed', async () => {
  const checksum = new RangeChecksum();
  expect(checksum.wanted).toEqual(askCrc);
  expect(await checksum.matches(saying({ 'x-ms-content-crc64': crc }), bytes)).toBe(true);
  expect(await checksum.matches(saying({ 'x-ms-content-crc64': crc }), Buffer.from('123456788'))).toBe(false);
  expect(checksum.wanted).toEqual(askCrc);
});

test('S3 MD5 is asked for where the service answers without a CRC64, and compared', async () => {
  const checksum = new RangeChecksum();
  expect(await checksum.matches(saying({}), bytes)).toBe(true);
  expect(checksum.wanted).toEqual(askMd5);
  expect(await checksum.matches(saying({ 'content-md5': md5 }), bytes)).toBe(true);
  expect(await checksum.matches(saying({ 'content-md5': md5 }), Buffer.from('12345678'))).toBe(false);
});

test('S3 a checksum that was not asked for is compared as well', async () => {
  const both = { 'x-ms-content-crc64': crc, 'content-md5': createHash('md5').update('other').digest('base64') };
  expect(await new RangeChecksum().matches(saying(both), bytes)).toBe(false);
});
