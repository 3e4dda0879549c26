/**
 * Which reader serves a site: our own, which lets bodies land in the caller's memory, or the general client.
 * Rule: both keep the same port and pass the same tests (test/azure/wire.test.ts).
 */
import type { AzureSiteConfig } from '../../model/inventory.ts';
import type { BlobLimits, BlobTransport } from './blob-port.ts';
import { createDirectTransport } from './direct-transport.ts';

export { type BlobLimits, blobLimits } from './blob-port.ts';

/** `ca`: an authority in PEM to be trusted on top of the usual ones. */
export function createBlobTransport(
  config: Pick<AzureSiteConfig, 'proxy'>,
  ca: string | undefined,
  limits: BlobLimits,
): BlobTransport {
  const { proxy } = config;
  return proxy?.startsWith('https:') ? throughTlsProxy(proxy, ca, limits) : createDirectTransport(proxy, ca, limits);
}

/**
 * A proxy that is itself spoken to over TLS needs TLS within TLS; the general client does that. It is loaded with the first
 * request, because the others have no use for its 4 MiB.
 */
function throughTlsProxy(proxy: string, ca: string | undefined, limits: BlobLimits): BlobTransport {
  let made: Promise<BlobTransport> | undefined;
  const client = (): Promise<BlobTransport> => {
    made ??= import('./undici-transport.ts').then(({ createUndiciTransport }) =>
      createUndiciTransport(proxy, ca, limits),
    );
    return made;
  };
  return {
    limits,
    get: async (...request) => (await client()).get(...request),
    close: async () => await (await made)?.close(),
  };
}
