/**
 * A forward proxy that leads the disks' host names to the simulator, so that clients see Azure's own names.
 * Rule: it connects to nothing else; every other host is refused.
 */
import { createServer, type Server as PlainServer } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { blobHostSuffix } from './grants.ts';

export function startProxy(front: Server): PlainServer {
  const proxy = createServer((_request, response) => {
    response.writeHead(501);
    response.end('Only CONNECT is answered here.\n');
  });
  proxy.on('connect', (request, socket: Duplex) => {
    const host = (request.url ?? '').replace(/:\d+$/, '');
    if (!host.endsWith(`.${blobHostSuffix}`)) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    front.emit('connection', socket);
  });
  return proxy;
}
