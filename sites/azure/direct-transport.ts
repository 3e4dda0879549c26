/**
 * GETs on our own kept TLS connections, straight or through a proxy's tunnel, bodies landing in the caller's memory.
 * Rule: at most `connections` requests at once; a kept connection that the server has closed meanwhile is replaced once,
 * and only when no byte of an answer had come. Everything else is the caller's to repeat.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { BlobAnswer, BlobLimits, BlobTransport } from './blob-port.ts';
import { flowOfMover } from './flow.ts';
import { BodyCutOff, bodyText, Space } from './http-body.ts';
import { type Exchange, HttpConnection, StaleConnection } from './http-connection.ts';
import type { Head } from './http-head.ts';
import { tunnel } from './proxy-tunnel.ts';
import { FellSilent, withinDeadline } from './request-deadline.ts';
import { trustContext } from './trust.ts';

export function createDirectTransport(
  proxy: string | undefined,
  ca: string | undefined,
  limits: BlobLimits,
): BlobTransport {
  const trust = trustContext(ca);
  const kept = new KeptConnections((url, connection) => dial(url, proxy, trust, limits, connection));
  const flow = flowOfMover(limits);
  return {
    limits,
    get(url, headers, signal, take, share) {
      const request = requestText(url, headers);
      const stopping = new AbortController();
      const stop = (reason: unknown): void => stopping.abort(reason);
      const send = () => kept.use(url, request, stopping.signal, take);
      return flow.run(signal, () => withinDeadline(limits.requestMs, signal, stop, send), share);
    },
    async close() {
      kept.close();
    },
  };
}

function requestText(url: URL, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  // A value with a line break would be a header of somebody else's choice.
  if (lines.some((line) => /[\r\n]/.test(line))) throw new TypeError('a header holds a line break');
  return [`GET ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`, ...lines, '', ''].join('\r\n');
}

/** Opens a socket for the connection: TLS to the host, straight or inside a tunnel. Aborts with the connection. */
async function dial(
  url: URL,
  proxy: string | undefined,
  trust: ConnectionOptions,
  limits: BlobLimits,
  connection: HttpConnection,
): Promise<void> {
  const port = Number(url.port || 443);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const name = isIP(host) === 0 ? { servername: host } : {};
  const options = { ...trust, ...name, host, port, ALPNProtocols: ['http/1.1'] };
  const watch = (socket: Socket): void => {
    // Counts from the last byte in either direction, the handshake's too.
    socket.setTimeout(limits.stallMs, () => connection.destroy(new FellSilent('the connection fell silent')));
    socket.setNoDelay(true);
  };
  if (proxy === undefined) {
    // The types leave `onread` out; tls.connect documents it.
    const reading = { ...options, onread: connection.onread };
    return speak(connection, connect(reading), watch, false);
  }
  const { hostname, port: proxyPort, username, password } = new URL(proxy);
  const plain = connectPlain({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(proxyPort || 80) });
  watch(plain);
  connection.hold(plain);
  const login = username === '' ? undefined : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  await tunnel(plain, `${url.hostname}:${port}`, login);
  // From here on the TLS layer reads the handle itself, and the plain socket would seem silent.
  plain.setTimeout(0);
  // Node writes into memory of ours only from sockets of its own; inside a tunnel the bytes are copied once more.
  speak(connection, connect({ ...options, socket: plain }), watch, true);
}

/** S13: nothing is said before the host has proven who it is; what is written earlier goes out with the handshake. */
function speak(
  connection: HttpConnection,
  socket: TLSSocket,
  watch: (socket: Socket) => void,
  tunnelled: boolean,
): void {
  watch(socket);
  connection.hold(socket);
  socket.once('secureConnect', () => connection.attach(socket, tunnelled));
}

type Dial = (url: URL, connection: HttpConnection) => Promise<void>;

class KeptConnections {
  private readonly dial: Dial;
  private readonly idle = new Map<string, HttpConnection[]>();
  private readonly all = new Set<HttpConnection>();
  private closed = false;

  constructor(dial: Dial) {
    this.dial = dial;
  }

  async use<T>(url: URL, request: string, signal: AbortSignal, take: (answer: BlobAnswer) => Promise<T>): Promise<T> {
    const idle = this.idle.get(url.origin)?.pop();
    if (idle === undefined) return this.exchange(this.fresh(url), url, request, signal, take);
    try {
      return await this.exchange(idle, url, request, signal, take);
    } catch (error) {
      if (!(error instanceof StaleConnection) || signal.aborted) throw error;
    }
    return this.exchange(this.fresh(url), url, request, signal, take);
  }

  private fresh(url: URL): HttpConnection {
    if (this.closed) throw new BodyCutOff('the transport was closed');
    const connection = new HttpConnection();
    this.all.add(connection);
    connection.whenGone(() => {
      this.all.delete(connection);
      const idle = this.idle.get(url.origin) ?? [];
      const at = idle.indexOf(connection);
      if (at >= 0) idle.splice(at, 1);
      if (idle.length === 0) this.idle.delete(url.origin);
    });
    this.dial(url, connection).catch((error: unknown) => connection.destroy(error));
    return connection;
  }

  private async exchange<T>(
    connection: HttpConnection,
    url: URL,
    request: string,
    signal: AbortSignal,
    take: (answer: BlobAnswer) => Promise<T>,
  ): Promise<T> {
    const stop = (): void => connection.destroy(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const exchange = connection.send(request);
      return await take(answerOf(connection, exchange, await exchange.head.promise));
    } finally {
      signal.removeEventListener('abort', stop);
      connection.release();
      if (connection.usable) this.keep(url.origin, connection);
    }
  }

  private keep(origin: string, connection: HttpConnection): void {
    const idle = this.idle.get(origin) ?? [];
    idle.push(connection);
    this.idle.set(origin, idle);
  }

  close(): void {
    this.closed = true;
    for (const connection of this.all) connection.destroy(new BodyCutOff('the transport was closed'));
  }
}

function answerOf(connection: HttpConnection, exchange: Exchange, head: Head): BlobAnswer {
  const fill = async (into: Uint8Array): Promise<number> => {
    const space = new Space(into);
    const read = exchange.into(space);
    connection.resume();
    await read;
    return space.filled;
  };
  return {
    status: head.status,
    header: head.header,
    fill,
    text: (mostBytes) => bodyText(fill, mostBytes),
  };
}
