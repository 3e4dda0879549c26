/**
 * The service's own checksum over one range, asked for and verified on arrival.
 * Rule: bytes are believed only after they match. Only a service that answers neither a CRC64 nor an MD5 for the very
 * range is believed without one, and never one that has given a checksum before (S3).
 * CRC64 first, because it costs a tenth of MD5's CPU. Neither is protection against intent and none is needed here: TLS is;
 * they find what storage and proxies do to bytes.
 */
import { createHash } from 'node:crypto';
import { crc64 } from './crc64.ts';

/** The service computes a range's checksum for at most 4 MiB (Get Blob, x-ms-range-get-content-crc64 and -md5). */
export const largestCheckedBytes = 4 * 1024 * 1024;

type Kind = 'crc64' | 'md5';
const answered: Readonly<Record<Kind, string>> = { crc64: 'x-ms-content-crc64', md5: 'content-md5' };

/** `ask again`: the service said nothing to this question; the range is to be asked for with the next one. */
export type Verdict = 'right' | 'wrong' | 'missing' | 'ask again';

type ReadHeader = (name: string) => string | undefined;

/** What one request asks the service to say of its range. */
export interface ChecksumQuestion {
  readonly headers: Readonly<Record<string, string>>;
  /** What the answer to that request is worth. `missing`: no checksum from a service that gave some before. */
  judge(header: ReadHeader, bytes: Uint8Array): Promise<Verdict>;
}

/** What is known of one disk's service: which checksum it gives. */
export class RangeChecksum {
  /** An older service may not know CRC64, and then says nothing; MD5 it has always had. */
  private kind: Kind = 'crc64';
  private given = false;

  /** Each request judges its own answer by what it asked itself: others may have learned more meanwhile. */
  question(): ChecksumQuestion {
    const { kind } = this;
    return {
      headers: { [`x-ms-range-get-content-${kind}`]: 'true' },
      judge: (header, bytes) => this.judge(kind, header, bytes),
    };
  }

  private async judge(asked: Kind, header: ReadHeader, bytes: Uint8Array): Promise<Verdict> {
    const [crc, md5] = [header(answered.crc64), header(answered.md5)];
    if (crc === undefined && md5 === undefined) {
      if (asked === 'md5') return this.given ? 'missing' : 'right';
      this.kind = 'md5';
      return 'ask again';
    }
    this.given = true;
    if (crc !== undefined && crc !== (await crc64(bytes))) return 'wrong';
    return md5 === undefined || md5 === createHash('md5').update(bytes).digest('base64') ? 'right' : 'wrong';
  }
}
