/**
 * One GET to a disk's blob endpoint: TLS under our trust, through the site's proxy, under a deadline of its own.
 * Rule: a request that makes no progress ends by itself, long before anyone's heartbeat is missed.
 * Never repeats, and never lets an address out: it carries the SAS (S13).
 */
import { createSecureContext } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { AzureSiteConfig } from '../../model/inventory.ts';
import { trustedRoots } from './trust.ts';

export interface BlobLimits {
  /** Longest silence of a connection, in milliseconds. */
  readonly stallMs: number;
  /** Longest time of one request, in milliseconds. */
  readonly requestMs: number;
  readonly connections: number;
  /** The first pause before a read is repeated, in milliseconds; each further one is twice as long. */
  readonly repeatMs: number;
}

/** 4 MiB in a minute is 70 KiB/s: slower than that is broken. */
export const blobLimits: BlobLimits = { stallMs: 15_000, requestMs: 60_000, connections: 32, repeatMs: 150 };

export interface BlobAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface BlobTransport {
  readonly limits: BlobLimits;
  /** `url` is a secret. `take` must read the whole body; a body left unread costs its connection. */
  get<T>(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    take: (answer: BlobAnswer) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
}

/** What a deadline of ours says; classified like any other broken connection. */
class TooSlow extends Error {
  readonly code = 'ETIMEDOUT';
}

export function createBlobTransport(
  config: AzureSiteConfig,
  ca: string | undefined,
  limits: BlobLimits,
): BlobTransport {
  const roots = trustedRoots(ca);
  // One context for all connections: reading all roots anew for each would cost more than the handshake.
  const tls = roots === undefined ? {} : { secureContext: createSecureContext({ ca: roots }) };
  const pool = { connections: limits.connections, headersTimeout: limits.stallMs, bodyTimeout: limits.stallMs };
  const dispatcher: Dispatcher =
    config.proxy === undefined
      ? new Agent({ ...pool, connect: { ...tls, timeout: limits.stallMs } })
      : new ProxyAgent({ ...pool, uri: config.proxy, requestTls: { ...tls, timeout: limits.stallMs } });
  return {
    limits,
    async get(url, headers, signal, take) {
      signal.throwIfAborted();
      const ours = new AbortController();
      const stop = (): void => ours.abort(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
      const late = (): void => ours.abort(new TooSlow('no answer within the time of one request'));
      const timer = setTimeout(late, limits.requestMs);
      try {
        const {
          statusCode,
          headers: got,
          body,
        } = await dispatcher.request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: 'GET',
          headers,
          signal: ours.signal,
        });
        const header = (name: string): string | undefined => {
          const value = got[name];
          return Array.isArray(value) ? value[0] : value;
        };
        try {
          return await take({ status: statusCode, header, body });
        } finally {
          // Does nothing to a body that was read to its end.
          body.destroy();
        }
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
      }
    },
    close: () => dispatcher.destroy(),
  };
}
