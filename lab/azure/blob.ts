/**
 * The blob endpoint of exported disks: HEAD, ranges with checksums, page lists, and pages of an upload.
 * Rule: nothing is served without a live grant; a checksum is the checksum of the true bytes, whatever a fault does later.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { askedRange, type BlobAnswer, version } from './blob-request.ts';
import { putPage } from './blob-write.ts';
import { crc64 } from './crc64.ts';
import { type ExportedDisk, footerBytes, openExported, readExported } from './exported-disk.ts';
import type { FaultAction } from './faults.ts';
import type { Range } from './intervals.ts';
import { pageList } from './page-list.ts';
import { Refusal } from './refusal.ts';
import type { World } from './world.ts';
import type { Settings } from './world-file.ts';

const checksumLimit = 4 * 1024 * 1024;
/** Ranges up to this size are read at once; bigger ones go out piece by piece. */
const atOnceBytes = 8 * 1024 * 1024;

export interface BlobRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly fault: FaultAction | undefined;
}

export const blobOperations = ['blob.head', 'blob.put', 'blob.getRange', 'blob.pageList', 'blob.pageListDiff'] as const;

export class Blob {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** Name of the operation, for faults and the audit. */
  static operation(method: string, url: URL, headers: IncomingHttpHeaders): (typeof blobOperations)[number] {
    if (method === 'HEAD') return 'blob.head';
    if (method === 'PUT') return 'blob.put';
    if (url.searchParams.get('comp') !== 'pagelist') return 'blob.getRange';
    return headers['x-ms-previous-snapshot-url'] === undefined ? 'blob.pageList' : 'blob.pageListDiff';
  }

  resource(url: URL): string {
    return this.world.grants.find(url)?.name ?? url.hostname;
  }

  async answer(request: BlobRequest): Promise<BlobAnswer> {
    const { method, url, headers, body, fault } = request;
    const grant = this.world.grants.check(url);
    const exported = openExported(this.world, grant);
    assertMatches(headers, exported.etag);
    if (method === 'PUT') {
      const put = await putPage(exported, url.searchParams.get('comp'), headers, body);
      return withBasics(put, headers, openExported(this.world, grant).etag);
    }
    if (method !== 'GET' && method !== 'HEAD')
      throw new Refusal(403, 'AuthorizationPermissionMismatch', 'The grant allows nothing of this kind.');
    const etag = fault?.staleEtag ? `"0x${'0'.repeat(15)}1"` : exported.etag;
    if (method === 'HEAD') {
      const length = String(exported.sizeBytes + footerBytes);
      return withBasics({ status: 200, headers: { 'Content-Length': length } }, headers, etag);
    }
    if (url.searchParams.get('comp') === 'pagelist')
      return withBasics(pageList(this.world, exported, url, headers, fault), headers, etag);
    return withBasics(await range(exported, headers, this.world.settings.checksums, fault), headers, etag);
  }
}

function assertMatches(headers: IncomingHttpHeaders, etag: string): void {
  const wanted = headers['if-match'];
  if (wanted !== undefined && wanted !== '*' && wanted !== etag)
    throw new Refusal(412, 'ConditionNotMet', 'The condition specified using HTTP conditional header(s) is not met.');
}

const withBasics = (answer: BlobAnswer, headers: IncomingHttpHeaders, etag: string): BlobAnswer => ({
  ...answer,
  headers: {
    ETag: etag,
    'Last-Modified': new Date(0).toUTCString(),
    'x-ms-version': version(headers),
    'x-ms-blob-type': 'PageBlob',
    'x-ms-blob-sequence-number': '0',
    'Accept-Ranges': 'bytes',
    ...answer.headers,
  },
});

async function range(
  exported: ExportedDisk,
  headers: IncomingHttpHeaders,
  known: Settings['checksums'],
  fault?: FaultAction,
): Promise<BlobAnswer> {
  const total = exported.sizeBytes + footerBytes;
  const asked = fault?.ignoreRange ? undefined : askedRange(headers, total);
  const served = shifted(asked ?? { from: 0, to: total }, total, fault);
  const { from, to } = served;
  // Who ignores the range ignores what was asked about it.
  if (!fault?.ignoreRange) assertChecksumSize(headers, to - from);
  const type = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(to - from) };
  const where = asked ? { 'Content-Range': `bytes ${from}-${to - 1}/${total}` } : {};
  const status = asked ? 206 : 200;
  if (to - from > atOnceBytes) return { status, headers: { ...type, ...where }, body: pieces(exported, served) };
  const body = await readExported(exported, from, to);
  const sums = fault?.ignoreRange ? {} : checksums(headers, body, known);
  if (fault?.flipByte !== undefined && fault.flipByte < body.length)
    body[fault.flipByte] = (body[fault.flipByte] ?? 0) ^ 1;
  return { status, headers: { ...type, ...where, ...sums }, body };
}

/** The `wrongRange` fault: the same length, one page further (or back, at the end). */
function shifted({ from, to }: Range, total: number, fault: FaultAction | undefined): Range {
  if (!fault?.wrongRange) return { from, to };
  const by = to + footerBytes <= total ? footerBytes : -footerBytes;
  return { from: Math.max(0, from + by), to: to + by };
}

async function* pieces(exported: ExportedDisk, { from, to }: Range): AsyncIterable<Buffer> {
  for (let at = from; at < to; at += atOnceBytes)
    yield await readExported(exported, at, Math.min(at + atOnceBytes, to));
}

const wanted = (headers: IncomingHttpHeaders, sum: 'md5' | 'crc64'): boolean =>
  headers[`x-ms-range-get-content-${sum}`] === 'true';

function assertChecksumSize(headers: IncomingHttpHeaders, length: number): void {
  const [md5, crc] = [wanted(headers, 'md5'), wanted(headers, 'crc64')];
  if (md5 && crc) throw new Refusal(400, 'InvalidHeaderValue', 'Ask for MD5 or CRC64, not for both.');
  if ((md5 || crc) && length > checksumLimit)
    throw new Refusal(400, 'OutOfRangeInput', 'A checksum is given for ranges of at most 4 MiB.');
}

function checksums(headers: IncomingHttpHeaders, body: Buffer, known: Settings['checksums']): Record<string, string> {
  if (known === 'none') return {};
  if (wanted(headers, 'md5')) return { 'Content-MD5': createHash('md5').update(body).digest('base64') };
  if (wanted(headers, 'crc64') && known === 'crc64') return { 'x-ms-content-crc64': crc64(body).toString('base64') };
  return {};
}
