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
  return overTls(proxy) ? throughTlsProxy(proxy, ca, limits) : createDirectTransport(proxy, ca, limits);
}

const overTls = (proxy: string | undefined): proxy is string => proxy?.startsWith('https:') === true;

/**
 * A proxy that is itself spoken to over TLS needs TLS within TLS; the general client does that. It is loaded only where there is
 * such a proxy, because the others have no use for its 4 MiB; Node keeps what it has loaded.
 */
const loadGeneral = () => import('./undici-transport.ts');

/**
 * Awaited when a worker starts, for each site it may read from: later the file may be gone, because an update replaces packages
 * and bundles beneath a running worker, and no read would ever succeed again.
 */
export async function readyTransport({ proxy }: AzureSiteConfig): Promise<void> {
  if (overTls(proxy)) await loadGeneral();
}

function throughTlsProxy(proxy: string, ca: string | undefined, limits: BlobLimits): BlobTransport {
  let made: Promise<BlobTransport> | undefined;
  const client = (): Promise<BlobTransport> => {
    made ??= loadGeneral().then(({ createUndiciTransport }) => createUndiciTransport(proxy, ca, limits));
    return made;
  };
  return {
    limits,
    get: async (...request) => (await client()).get(...request),
    close: async () => await (await made)?.close(),
  };
}
