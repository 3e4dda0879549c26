/**
 * Asks a forward proxy for a tunnel to a host (CONNECT, RFC 9110 §9.3.6).
 * Rule: the socket is handed on exactly behind the proxy's answer. Never sends the proxy anything of the request itself.
 */
import type { Socket } from 'node:net';
import { BodyCutOff } from './http-body.ts';
import { BadAnswer, longestHeadBytes, parseHead } from './http-head.ts';

/** A proxy that will not let us through; its status says why (407: it wants a login). */
export class ProxyRefused extends Error {
  readonly code = 'ECONNREFUSED';
}

/** `authority`: `host:port`. `login`: `user:password`. The caller owns the socket, its deadline and its errors. */
export async function tunnel(socket: Socket, authority: string, login: string | undefined): Promise<void> {
  const auth = login === undefined ? [] : [`Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}`];
  socket.write([`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, ...auth, '', ''].join('\r\n'), 'latin1');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let seen = Buffer.alloc(0);
  const hear = (piece: Buffer): void => {
    seen = Buffer.concat([seen, piece]);
    const end = seen.indexOf('\r\n\r\n');
    try {
      if ((end < 0 ? seen.byteLength : end) > longestHeadBytes) throw new BadAnswer('the proxy’s answer has no end');
      if (end < 0) return;
      const { status } = parseHead(seen.toString('latin1', 0, end));
      if (status < 200 || status > 299)
        throw new ProxyRefused(`the proxy answered ${status} to a request for a tunnel`);
      socket.pause();
      socket.unshift(seen.subarray(end + 4));
      resolve();
    } catch (error) {
      reject(error);
    }
  };
  const lost = (error?: Error): void => reject(error ?? new BodyCutOff('the proxy closed the connection'));
  socket.on('data', hear).once('error', lost).once('close', lost);
  try {
    await promise;
  } finally {
    socket.off('data', hear).off('error', lost).off('close', lost);
  }
}
