/**
 * The service's own checksum over one range, asked for and verified on arrival.
 * Rule: bytes are believed only after they match; where the service gives no checksum there is nothing to match.
 * CRC64 first, because it costs 0.6 of MD5's CPU. Neither is protection against intent and none is needed here: TLS is;
 * they find what storage and proxies do to bytes.
 */
import { createHash } from 'node:crypto';
import { crc64 } from './crc64.ts';

/** The service computes a range's checksum for at most 4 MiB (Get Blob, x-ms-range-get-content-crc64 and -md5). */
export const largestCheckedBytes = 4 * 1024 * 1024;

type Kind = 'crc64' | 'md5';
const answered: Readonly<Record<Kind, string>> = { crc64: 'x-ms-content-crc64', md5: 'content-md5' };

/** What to ask one disk's service for, and whether what it answered is right. */
export class RangeChecksum {
  /** An older service may not know CRC64, and then says nothing; MD5 it has always had. */
  private kind: Kind = 'crc64';

  get wanted(): Readonly<Record<string, string>> {
    return { [`x-ms-range-get-content-${this.kind}`]: 'true' };
  }

  /** Whether the bytes match all that the service said of them; true when it said nothing. */
  async matches(header: (name: string) => string | undefined, bytes: Uint8Array): Promise<boolean> {
    const [crc, md5] = [header(answered.crc64), header(answered.md5)];
    if (crc === undefined && md5 === undefined) this.kind = 'md5';
    if (crc !== undefined && crc !== (await crc64(bytes))) return false;
    return md5 === undefined || md5 === createHash('md5').update(bytes).digest('base64');
  }
}
