/**
 * What a server, a proxy or a cable may do to an answer, done to both readers: our own and the general client.
 * Rule: the server here speaks raw bytes over real TLS, so that nothing repairs what a test breaks. Each fault is judged
 * by what the caller gets: the right bytes, or an error of a broken connection, never other bytes.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createPlain, type Server as PlainServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { newShare, type Share } from '../../disk/block-pool.ts';
import { makeCertificates } from '../../lab/certificates.ts';
import { type BlobLimits, type BlobTransport, blobLimits } from '../../sites/azure/blob-port.ts';
import { createDirectTransport } from '../../sites/azure/direct-transport.ts';
import { azureFailure } from '../../sites/azure/failure.ts';
import { flowOfDisk } from '../../sites/azure/flow.ts';
import { OneContent } from '../../sites/azure/one-content.ts';
import { FellSilent, TooSlow } from '../../sites/azure/request-deadline.ts';
import { getFromSnapshot } from '../../sites/azure/snapshot-get.ts';
import { createUndiciTransport } from '../../sites/azure/undici-transport.ts';
import { patternImage } from '../disk/workbench.ts';

const body = patternImage(5, 200_000);
const headed = (rest: string, status = '206 Partial Content'): string => `HTTP/1.1 ${status}\r\n${rest}\r\n\r\n`;
const whole = headed(`Content-Length: ${body.byteLength}`);

/** What the server does with the n-th request it hears on the whole (from 1) and on that connection. */
type Script = (socket: TLSSocket, nth: number, onSocket: number, request: string) => void;

let folder = '';
let ca = '';
let server: Server;
let proxy: PlainServer;
let script: Script = () => undefined;
let connections = 0;
let heard = 0;
const sockets = new Set<Socket>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-wire-'));
  const files = await makeCertificates(folder);
  const text = (file: string): Promise<string> => readFile(file, 'utf8');
  ca = await text(files.caFile);
  server = createServer({ cert: await text(files.certFile), key: await text(files.keyFile) }, (socket) => {
    connections++;
    let onSocket = 0;
    let seen = '';
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('data', (piece) => {
        seen += piece.toString('latin1');
        for (let end = seen.indexOf('\r\n\r\n'); end >= 0; end = seen.indexOf('\r\n\r\n')) {
          const request = seen.slice(0, end);
          seen = seen.slice(end + 4);
          script(socket, ++heard, ++onSocket, request);
        }
      });
  });
  proxy = createPlain().on('connect', (request, socket: Socket, rest: Buffer) => {
    if (request.headers['proxy-authorization'] !== `Basic ${Buffer.from('me:secret').toString('base64')}`)
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    const on = connect(portOf(server), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      on.write(rest);
      socket.pipe(on).pipe(socket);
    });
    for (const one of [on, socket]) sockets.add(one.on('error', () => undefined));
  });
  for (const each of [server, proxy]) await once(each.listen(0, '127.0.0.1'), 'listening');
});
beforeEach(() => {
  [connections, heard] = [0, 0];
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});
afterAll(async () => {
  server.close();
  proxy.close();
  await rm(folder, { recursive: true, force: true });
});

const portOf = (one: Server | PlainServer): number => (one.address() as AddressInfo).port;
const url = (): URL => new URL(`https://localhost:${portOf(server)}/c/disk?sv=1&sig=topsecret`);
const never = new AbortController().signal;
const nothing = async (): Promise<void> => undefined;
const limits: BlobLimits = { ...blobLimits, stallMs: 1_500, requestMs: 5_000 };

type Made = (limits: BlobLimits) => BlobTransport;
const login = (): string => `http://me:secret@127.0.0.1:${portOf(proxy)}`;
const readers: readonly [string, Made][] = [
  ['our own reader', (limits) => createDirectTransport(undefined, ca, limits)],
  ['our own reader through a proxy', (limits) => createDirectTransport(login(), ca, limits)],
  ['the general client', (limits) => createUndiciTransport(undefined, ca, limits)],
];

interface Got {
  readonly status: number;
  readonly bytes: Buffer;
  readonly etag: string | undefined;
}

/** One GET; the body into a space of the body's size unless told otherwise. */
function fetchOnce(transport: BlobTransport, signal = never, room = body.byteLength): Promise<Got> {
  return transport.get(url(), { 'x-ms-version': '2020-10-02' }, signal, async (answer) => {
    const space = Buffer.alloc(room);
    const filled = await answer.fill(space);
    return { status: answer.status, bytes: space.subarray(0, filled), etag: answer.header('etag') };
  });
}

/** Sends the body to each socket of `sending`, which holds how far it is, so that all share `bytesPerMs`. */
function evenly(sending: Map<TLSSocket, number>, bytesPerMs: number): NodeJS.Timeout {
  let last = Date.now();
  return setInterval(() => {
    const budget = bytesPerMs * (Date.now() - last);
    last = Date.now();
    const share = Math.floor(budget / sending.size);
    for (const [socket, from] of sending) {
      if (socket.writable) socket.write(body.subarray(from, from + share));
      sending.set(socket, from + share);
      if (!socket.writable || from + share >= body.byteLength) sending.delete(socket);
    }
  }, 10);
}

/** What kind of failure it ended as; nothing of the error may show the grant (S13). */
async function kindOf(act: Promise<Got>): Promise<string> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) throw new Error('it did not fail');
  if (inspect(error, { depth: 9, showHidden: true }).includes('topsecret')) throw new Error('the grant is visible');
  return azureFailure({ op: 'read', subject: 'x' }, error).kind;
}

describe.each(readers)('%s', (_name, make) => {
  let transport: BlobTransport;
  beforeEach(() => {
    transport = make(limits);
  });
  afterEach(() => transport.close());

  test('reads a body that comes in pieces of any size behind an interim answer', async () => {
    script = (socket, nth) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n');
      const head = headed(`ETag: "0x1"\r\nContent-Length: ${body.byteLength}`);
      const bytes = Buffer.concat([Buffer.from(head), body]);
      const step = nth === 1 ? 7_001 : bytes.byteLength;
      for (let at = 0; at < bytes.byteLength; at += step) socket.write(bytes.subarray(at, at + step));
    };
    for (let turn = 0; turn < 3; turn++) {
      const { status, bytes, etag } = await fetchOnce(transport);
      expect([status, etag, bytes.equals(body)]).toEqual([206, '"0x1"', true]);
    }
    expect(heard).toBe(3);
  });

  test('reads a head that comes byte by byte', async () => {
    script = async (socket) => {
      socket.setNoDelay(true);
      for (const byte of whole) await new Promise<void>((done) => void socket.write(byte, 'latin1', () => done()));
      socket.write(body);
    };
    expect((await fetchOnce(transport)).bytes.equals(body)).toBe(true);
  });

  test('reads a chunked body, its extensions and trailers', async () => {
    script = (socket) => {
      socket.write(headed('Transfer-Encoding: chunked'));
      for (let at = 0; at < body.byteLength; at += 60_000) {
        const piece = body.subarray(at, at + 60_000);
        socket.write(`${piece.byteLength.toString(16)};name=value\r\n`);
        socket.write(piece);
        socket.write('\r\n');
      }
      socket.write('0\r\nX-Trailer: 1\r\n\r\n');
    };
    for (let turn = 0; turn < 2; turn++) expect((await fetchOnce(transport)).bytes.equals(body)).toBe(true);
  });

  test('reads a body that ends with its connection, and asks again on a new one', async () => {
    script = (socket) => {
      socket.write(headed('Connection: close'));
      socket.end(body);
    };
    for (let turn = 0; turn < 2; turn++) expect((await fetchOnce(transport)).bytes.equals(body)).toBe(true);
    expect(connections).toBe(2);
  });

  test('gives the text of an error answer, but not one without end', async () => {
    script = (socket, nth) => {
      const text = nth === 1 ? '<Error><Code>ServerBusy</Code></Error>' : 'x'.repeat(20_000);
      socket.write(headed(`Content-Length: ${text.length}`, '503 Server Busy') + text);
    };
    const text = (): Promise<string> => transport.get(url(), {}, never, (answer) => answer.text(16_384));
    expect(await text()).toContain('ServerBusy');
    await expect(text()).rejects.toThrow(RangeError);
  });

  test('refuses a body longer than the space for it, announced or not, and writes nothing behind the space', async () => {
    script = (socket, nth) => {
      if (nth === 1) socket.write(whole);
      else socket.write(headed('Connection: close'));
      socket.end(body);
    };
    for (let turn = 0; turn < 2; turn++) {
      const room = Buffer.alloc(body.byteLength);
      const read = transport.get(url(), {}, never, (answer) => answer.fill(room.subarray(0, 100_000)));
      await expect(read).rejects.toThrow(RangeError);
      expect(room.subarray(100_000).equals(Buffer.alloc(100_000))).toBe(true);
    }
  });

  test.each<[string, (socket: TLSSocket) => void]>([
    ['closes before it answers', (socket) => socket.end()],
    ['resets before it answers', (socket) => socket.destroy()],
    ['closes in the middle of the head', (socket) => socket.end(whole.slice(0, 30))],
    ['closes in the middle of the body', (socket) => socket.end(Buffer.concat([Buffer.from(whole), body.subarray(9)]))],
    ['closes in the middle of a chunk', (socket) => socket.end(`${headed('Transfer-Encoding: chunked')}ffff\r\nabc`)],
    ['falls silent before it answers', () => undefined],
    ['falls silent in the middle of the body', (socket) => void socket.write(whole + 'abc')],
    ['speaks no HTTP', (socket) => socket.end('SSH-2.0-x\r\n\r\n')],
    ['sends a chunk whose size is none', (socket) => socket.end(`${headed('Transfer-Encoding: chunked')}zz\r\nabc`)],
    ['sends two lengths', (socket) => socket.end(headed('Content-Length: 3\r\nContent-Length: 4') + 'abcd')],
  ])('calls it a broken connection when the server %s', async (_what, act) => {
    script = act;
    expect(await kindOf(fetchOnce(transport))).toBe('Transient');
  });

  test('L5 says of a silence that it was one, so that nobody waits for it with memory in hand', async () => {
    for (const head of ['', `${whole}abc`]) {
      script = (socket) => void socket.write(head);
      await expect(fetchOnce(transport)).rejects.toBeInstanceOf(FellSilent);
    }
  });

  test('L5 forty disks that nobody answers keep no place from one that is answered, nor from an urgent one that asks first', async () => {
    const patient = make(blobLimits);
    let unanswered = 0;
    script = (socket, _nth, _onSocket, request) =>
      request.includes('silent') ? void unanswered++ : socket.write(`${headed('Content-Length: 2')}ok`);
    const stop = new AbortController();
    const ask = (path: string, share: Share): Promise<string> =>
      patient.get(new URL(path, url()), {}, stop.signal, (answer) => answer.text(9), share);
    const well = newShare('well', false);
    await ask('/well', well);
    const silent = Array.from({ length: 40 }, (_, at) => ask('/silent', newShare(`silent-${at}`, false)));
    for (let turn = 0; turn < 9; turn++) await Promise.all(Array.from({ length: 8 }, () => ask('/well', well)));
    expect(await ask('/cutover', newShare('cutover', true))).toBe('ok');
    // Nor did anybody wait until one of them was given up.
    expect(unanswered).toBeLessThanOrEqual(12);
    stop.abort();
    await Promise.allSettled([...silent, patient.close()]);
  });

  test('calls a head without end a broken connection', async () => {
    script = (socket) => {
      socket.write('HTTP/1.1 206 Partial Content\r\n');
      for (let line = 0; line < 5_000; line++) socket.write(`X-${line}: ${'y'.repeat(60)}\r\n`);
    };
    expect(await kindOf(fetchOnce(transport))).toBe('Transient');
  });

  test('drops the connection of a body that was longer than announced, and none of it becomes another answer', async () => {
    script = (socket, nth) =>
      void socket.write(Buffer.concat([Buffer.from(whole), body, Buffer.alloc(nth === 1 ? 9 : 0)]));
    expect((await fetchOnce(transport)).bytes.equals(body)).toBe(true);
    // Whether the surplus is met at once or with the next request is the wire's choice.
    for (let turn = 0; turn < 2; turn++) {
      const next = await fetchOnce(transport).catch((error: unknown) => error);
      if (next instanceof Error) expect(await kindOf(Promise.reject(next))).toBe('Transient');
      else expect((next as Got).bytes.equals(body)).toBe(true);
    }
    expect((await fetchOnce(transport)).bytes.equals(body)).toBe(true);
  });

  test('ends a request whose answer drips on for longer than its time, and calls it too slow, not silent', async () => {
    const brief = make({ ...limits, requestMs: 400 });
    script = (socket) => {
      socket.write(whole);
      const drip = setInterval(() => socket.write('x'), 20);
      socket.once('close', () => clearInterval(drip));
    };
    const error = await fetchOnce(brief).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TooSlow);
    expect(error).not.toBeInstanceOf(FellSilent);
    await brief.close();
  });

  test('ends at once with the reason of the one who stops it, and touches the space no more', async () => {
    const stop = new AbortController();
    script = (socket) => {
      socket.write(whole);
      socket.write(body.subarray(0, 50_000), () => stop.abort(new RangeError('told to stop')));
    };
    await expect(fetchOnce(transport, stop.signal)).rejects.toThrow('told to stop');
    await expect(fetchOnce(transport, stop.signal)).rejects.toThrow('told to stop');
  });
});

describe('our own reader', () => {
  test('L1 over a line too slow for eight bodies at once each of them arrives in the end, by fewer at once', async () => {
    const slow = { ...limits, requestMs: 300, repeatMs: 5 };
    const transport = createDirectTransport(undefined, ca, slow);
    const sas = async () => ({ url: url(), serial: 1 });
    const lease = { name: 's', sas, waitsFor: () => undefined, renew: nothing, close: nothing };
    const sending = new Map<TLSSocket, number>();
    script = (socket) => {
      socket.write(whole);
      sending.set(socket, 0);
    };
    // 1.6 MB at once do not pass in 300 ms here, and 0.4 MB do.
    const line = evenly(sending, 2_000);
    const flow = flowOfDisk(slow);
    const one = (): Promise<boolean> =>
      getFromSnapshot(
        { transport, lease, content: new OneContent(), flow },
        { what: { op: 'read', subject: 's' } },
        never,
        async (answer) => {
          const space = Buffer.alloc(body.byteLength);
          return (await answer.fill(space)) === body.byteLength && space.equals(body);
        },
      ).catch(() => one());
    expect(await Promise.all(Array.from({ length: 12 }, one))).toEqual(Array.from({ length: 12 }, () => true));
    expect(flow.atOnce).toBeLessThan(8);
    clearInterval(line);
    await transport.close();
  });

  test('asks once more when a kept connection was closed meanwhile, and only when nothing had been answered', async () => {
    const transport = createDirectTransport(undefined, ca, limits);
    script = (socket, nth) => {
      // The second request meets a server that hangs up on it; the fourth gets half a head first.
      if (nth === 2) return void socket.destroy();
      if (nth === 5) return void socket.end(whole.slice(0, 20));
      socket.write(Buffer.concat([Buffer.from(whole), body]));
    };
    for (let turn = 0; turn < 3; turn++) expect((await fetchOnce(transport)).bytes.equals(body)).toBe(true);
    expect([connections, heard]).toEqual([2, 4]);
    expect(await kindOf(fetchOnce(transport))).toBe('Transient');
    expect(heard).toBe(5);
    await transport.close();
  });

  test('sends at most so many requests at once, the others in order', async () => {
    const transport = createDirectTransport(undefined, ca, { ...limits, connections: 2 });
    const waiting: TLSSocket[] = [];
    script = (socket) => void waiting.push(socket);
    const all = Promise.all(Array.from({ length: 5 }, () => fetchOnce(transport)));
    let most = 0;
    for (let answered = 0; answered < 5; ) {
      await new Promise((turn) => setImmediate(turn));
      most = Math.max(most, waiting.length);
      const socket = heard >= Math.min(5, answered + 2) ? waiting.shift() : undefined;
      if (socket === undefined) continue;
      socket.write(Buffer.concat([Buffer.from(whole), body]));
      answered++;
    }
    expect((await all).every(({ bytes }) => bytes.equals(body))).toBe(true);
    expect([most, connections]).toEqual([2, 2]);
    await transport.close();
  });

  test('says what a proxy answered that lets it through no tunnel', async () => {
    const transport = createDirectTransport(`http://127.0.0.1:${portOf(proxy)}`, ca, limits);
    await expect(fetchOnce(transport)).rejects.toThrow('407');
    await transport.close();
  });

  test('S13 believes no certificate that nobody it trusts vouches for, and has asked such a host for nothing', async () => {
    for (const proxied of [undefined, login()]) {
      const transport = createDirectTransport(proxied, undefined, limits);
      expect(await kindOf(fetchOnce(transport))).toBe('Refused');
      await transport.close();
    }
    expect(heard).toBe(0);
  });

  test('goes on behind a 100, and keeps the connection of a chunked body', async () => {
    const transport = createDirectTransport(undefined, ca, limits);
    script = (socket) => {
      const chunk = `${headed('Transfer-Encoding: chunked')}${body.byteLength.toString(16)}\r\n`;
      socket.write(
        Buffer.concat([Buffer.from(`HTTP/1.1 100 Continue\r\n\r\n${chunk}`), body, Buffer.from('\r\n0\r\n\r\n')]),
      );
    };
    for (let turn = 0; turn < 2; turn++) expect((await fetchOnce(transport)).bytes.equals(body)).toBe(true);
    expect(connections).toBe(1);
    await transport.close();
  });
});
