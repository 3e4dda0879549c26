/** Looks over the network, against real servers on the loopback interface. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, createServer as createPlain, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../lab/certificates.ts';
import { lookAtPort, lookAtUrl } from '../../sites/network-look.ts';

const { signal } = new AbortController();
const open: Server[] = [];
afterAll(() => {
  for (const server of open) server.close();
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
}
const url = (address: string, status = 200, acceptAnyCertificate = false) =>
  lookAtUrl({ url: address, status, acceptAnyCertificate }, 2_000, signal);

test('C25 a port that takes connections passes, a closed one fails with what was seen', async () => {
  const port = await listen(createPlain());
  expect(await lookAtPort({ host: '127.0.0.1', port }, 2_000, signal)).toEqual({
    passed: true,
    seen: `127.0.0.1:${port} takes connections`,
  });
  open.pop()?.close();
  expect(await lookAtPort({ host: '127.0.0.1', port }, 2_000, signal)).toEqual({
    passed: false,
    seen: `127.0.0.1:${port}: ECONNREFUSED`,
  });
});

test('C25 a URL passes with the status that is wanted and with no other, and redirects are not followed', async () => {
  const port = await listen(
    createServer((request, response) => {
      response.writeHead(request.url === '/moved' ? 302 : request.url === '/ok' ? 200 : 503, { location: '/ok' });
      response.end('x'.repeat(100_000));
    }),
  );
  const at = `http://127.0.0.1:${port}`;
  expect(await url(`${at}/ok`)).toEqual({ passed: true, seen: `${at}/ok answers 200` });
  expect(await url(`${at}/sick`)).toEqual({ passed: false, seen: `${at}/sick answers 503` });
  expect(await url(`${at}/moved`)).toMatchObject({ passed: false });
  expect(await url(`${at}/moved`, 302)).toMatchObject({ passed: true });
});

test('S13 what is seen of a URL tells neither its query nor its fragment', async () => {
  const server = createServer((_request, response) => response.end());
  const port = await listen(server);
  const at = `http://127.0.0.1:${port}/health`;
  expect((await url(`${at}?token=secret#top`)).seen).toBe(`${at} answers 200`);
  open.pop()?.close();
  server.closeAllConnections();
  expect((await url(`${at}?token=secret`)).seen).toBe(`${at}: ECONNREFUSED`);
});

test('a server that takes the connection and says nothing fails the probe in time', async () => {
  const port = await listen(createPlain(() => undefined));
  const begun = performance.now();
  const seen = await lookAtUrl(
    { url: `http://127.0.0.1:${port}/`, status: 200, acceptAnyCertificate: false },
    300,
    signal,
  );
  expect(seen.passed).toBe(false);
  expect(performance.now() - begun).toBeLessThan(2_000);
});

test('a certificate that nobody trusts fails the probe, unless the probe says that it takes any', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-probe-'));
  const { certFile, keyFile } = await makeCertificates(folder);
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  await rm(folder, { recursive: true });
  const port = await listen(createSecure({ cert, key }, (_request, response) => response.end('well')));
  const at = `https://localhost:${port}/`;
  expect(await url(at)).toMatchObject({ passed: false, seen: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED/) });
  expect(await url(at, 200, true)).toEqual({ passed: true, seen: `${at} answers 200, certificate not checked` });
});

test('a look that its caller gives up ends at once with the caller’s reason', async () => {
  const port = await listen(createPlain(() => undefined));
  const stop = new AbortController();
  const reason = new Error('no longer wanted');
  setTimeout(() => stop.abort(reason), 50);
  const at = { url: `http://127.0.0.1:${port}/`, status: 200, acceptAnyCertificate: false };
  await expect(lookAtUrl(at, 5_000, stop.signal)).rejects.toBe(reason);
  await expect(lookAtPort({ host: '127.0.0.1', port }, 5_000, stop.signal)).rejects.toBe(reason);
});
