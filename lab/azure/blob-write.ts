/**
 * Put Page into a disk that is being filled by upload: update and clear.
 * Rule: whole pages of 512 bytes, at most 4 MiB a call, inside the blob; a checksum that came along is checked first.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { askedRange, type BlobAnswer } from './blob-request.ts';
import { crc64 } from './crc64.ts';
import { type ExportedDisk, footerBytes } from './exported-disk.ts';
import { Refusal } from './refusal.ts';

const pageBytes = 512;
const mostBytes = 4 * 1024 * 1024;

function assertChecksums(headers: IncomingHttpHeaders, body: Buffer): void {
  const md5 = headers['content-md5'];
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64'))
    throw new Refusal(400, 'Md5Mismatch', 'The MD5 value specified in the request did not match the calculated one.');
  const crc = headers['x-ms-content-crc64'];
  if (crc !== undefined && crc !== crc64(body).toString('base64'))
    throw new Refusal(
      400,
      'Crc64Mismatch',
      'The CRC64 value specified in the request did not match the calculated one.',
    );
}

export async function putPage(
  exported: ExportedDisk,
  comp: string | null,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<BlobAnswer> {
  const { upload, data } = exported.disk;
  if (exported.access !== 'Write' || !upload)
    throw new Refusal(403, 'AuthorizationPermissionMismatch', 'The grant allows reading only.');
  if (comp !== 'page') throw new Refusal(400, 'InvalidQueryParameterValue', 'Into a disk only pages can be put.');
  const { sizeBytes } = exported;
  const range = askedRange(headers, sizeBytes + footerBytes);
  if (!range || range.from % pageBytes !== 0 || range.to % pageBytes !== 0)
    throw new Refusal(416, 'InvalidPageRange', 'The page range specified is invalid.');
  const { from, to } = range;
  const clears = headers['x-ms-page-write'] === 'clear';
  if (!clears && (body.length !== to - from || body.length > mostBytes))
    throw new Refusal(413, 'RequestBodyTooLarge', 'The body must be the range, and at most 4 MiB.');
  assertChecksums(headers, body);
  const dataEnd = Math.min(to, sizeBytes);
  if (from < dataEnd) {
    if (clears) await data.discard(from, dataEnd - from);
    else await data.write(from, body.subarray(0, dataEnd - from));
  }
  if (to > sizeBytes)
    upload.footer = clears ? Buffer.alloc(footerBytes) : Buffer.from(body.subarray(body.length - footerBytes));
  upload.writes++;
  return { status: 201, headers: {} };
}
