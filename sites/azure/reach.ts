/**
 * Whether a mover reaches what it will read from: the sign-in, Azure Resource Manager, and the proxy to the disks.
 * Rule: tried by the same clients, trust and proxies as the copy itself uses; whatever answers is reached, also when it
 * says no. The blob endpoint of a disk has no name before the first grant on it, so only the proxy before it is tried.
 */
import { connect } from 'node:net';
import { createDefaultHttpClient, createPipelineRequest } from '@azure/core-rest-pipeline';
import type { AzureSiteConfig } from '../../model/inventory.ts';
import type { EndpointSeen } from '../../model/mover-seen.ts';
import type { Work } from '../source.ts';
import { ask } from './call.ts';
import type { AzureClients } from './client.ts';
import { azureFailure } from './failure.ts';

/** A connection that is filtered without a word ends here. */
const proxyTimeoutMs = 10_000;

const addressOf = (url: URL): string => `${url.hostname}:${url.port || (url.protocol === 'http:' ? 80 : 443)}`;

export async function observeReach(
  azure: AzureClients,
  { endpoint, authority, proxy }: Pick<AzureSiteConfig, 'endpoint' | 'authority' | 'proxy'>,
  work: Work,
): Promise<EndpointSeen[]> {
  const login = await tried('the sign-in', new URL(authority), work, () => azure.login(work));
  // Without a token no call leaves, so nothing could be said of the rest.
  if (login.problem !== undefined) return [login];
  const arm = tried('Azure Resource Manager', new URL(endpoint), work, () => anyAnswer(azure, endpoint, work));
  const through =
    proxy === undefined
      ? []
      : [tried('the proxy to the disks', new URL(proxy), work, () => connected(new URL(proxy), work))];
  return [login, ...(await Promise.all([arm, ...through]))];
}

async function tried(name: string, url: URL, work: Work, attempt: () => Promise<void>): Promise<EndpointSeen> {
  const address = addressOf(url);
  const began = performance.now();
  try {
    await attempt();
    return { name, address, ms: Math.round(performance.now() - began) };
  } catch (error) {
    work.signal.throwIfAborted();
    const { message, hint } = azureFailure({ op: 'reach', subject: address }, error);
    return { name, address, ms: Math.round(performance.now() - began), problem: message, hint };
  }
}

/** Any status is an answer: what the identity may do there is asked by other checks. */
async function anyAnswer(azure: AzureClients, endpoint: string, work: Work): Promise<void> {
  const url = new URL(`/subscriptions/${azure.subscriptionId}?api-version=2022-12-01`, endpoint);
  await ask({ op: 'reach', subject: addressOf(url) }, work, async ({ abortSignal }) => {
    const request = createPipelineRequest({ url: url.href, method: 'GET', abortSignal });
    await azure.compute.pipeline.sendRequest(createDefaultHttpClient(), request);
  });
}

async function connected(url: URL, { signal }: Work): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const [host, port] = [url.hostname.replace(/^\[|\]$/g, ''), Number(addressOf(url).split(':').at(-1))];
  const socket = connect({ host, port, timeout: proxyTimeoutMs, signal });
  socket.once('connect', () => resolve()).once('error', reject);
  socket.once('timeout', () =>
    reject(Object.assign(new Error(`no connection within ${proxyTimeoutMs} ms`), { code: 'ETIMEDOUT' })),
  );
  try {
    await promise;
  } finally {
    socket.destroy();
  }
}
