/**
 * The service's own checksum over one range, asked for and verified on arrival.
 * Rule: bytes are believed only after they match; where the service gives no checksum there is nothing to match.
 * MD5 is no protection against intent and needs none here: TLS is; it finds what storage and proxies do to bytes.
 */
import { createHash } from 'node:crypto';

/** The service computes a range's MD5 for at most 4 MiB (Get Blob, x-ms-range-get-content-md5). */
export const largestCheckedBytes = 4 * 1024 * 1024;

export const checksumWanted = { 'x-ms-range-get-content-md5': 'true' } as const;

/** Whether the bytes match what the service said; true when it said nothing. */
export function matches(header: (name: string) => string | undefined, bytes: Uint8Array): boolean {
  const said = header('content-md5');
  return said === undefined || said === createHash('md5').update(bytes).digest('base64');
}
