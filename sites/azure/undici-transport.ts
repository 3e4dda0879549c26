/**
 * GETs by undici: for sites whose proxy is itself spoken to over TLS, and the reference our own reader is tested against.
 * Rule: the same port, the same deadlines, the same errors as the direct transport.
 */
import { Agent, type Dispatcher, errors, ProxyAgent } from 'undici';
import type { BlobAnswer, BlobLimits, BlobTransport } from './blob-port.ts';
import { flowOfMover } from './flow.ts';
import { bodyText, Space } from './http-body.ts';
import { FellSilent, withinDeadline } from './request-deadline.ts';
import { trustContext } from './trust.ts';

const silences = [errors.HeadersTimeoutError, errors.BodyTimeoutError, errors.ConnectTimeoutError];

export function createUndiciTransport(
  proxy: string | undefined,
  ca: string | undefined,
  limits: BlobLimits,
): BlobTransport {
  const trust = trustContext(ca);
  const pool = { connections: limits.connections, headersTimeout: limits.stallMs, bodyTimeout: limits.stallMs };
  const dispatcher: Dispatcher =
    proxy === undefined
      ? new Agent({ ...pool, connect: { ...trust, timeout: limits.stallMs } })
      : new ProxyAgent({ ...pool, uri: proxy, requestTls: { ...trust, timeout: limits.stallMs } });
  const flow = flowOfMover(limits);
  return {
    limits,
    get(url, headers, signal, take, share) {
      const ours = new AbortController();
      const stop = (reason: unknown): void => ours.abort(reason);
      const send = async () => {
        try {
          return await request();
        } catch (error) {
          throw silences.some((kind) => error instanceof kind) ? new FellSilent('the connection fell silent') : error;
        }
      };
      const request = async () => {
        const path = `${url.pathname}${url.search}`;
        const asked = { origin: url.origin, path, method: 'GET', headers, signal: ours.signal } as const;
        const response = await dispatcher.request(asked);
        // A body that is given up says so as an error event; with nobody to hear it, it would end the whole mover.
        response.body.on('error', () => undefined);
        try {
          return await take(answerOf(response));
        } finally {
          // Does nothing to a body that was read to its end.
          response.body.destroy();
        }
      };
      return flow.run(signal, () => withinDeadline(limits.requestMs, signal, stop, send), share);
    },
    close: () => dispatcher.destroy(),
  };
}

function answerOf({ statusCode, headers, body }: Dispatcher.ResponseData): BlobAnswer {
  const fill = async (into: Uint8Array): Promise<number> => {
    const space = new Space(into);
    for await (const part of body as AsyncIterable<Uint8Array>) space.put(part);
    return space.filled;
  };
  return {
    status: statusCode,
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    fill,
    text: (mostBytes) => bodyText(fill, mostBytes),
  };
}
