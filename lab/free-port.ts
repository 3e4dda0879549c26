/**
 * Finds a free port on the loopback interface, for programs that cannot choose one themselves.
 * Rule: asked for one at a time and used at once; the system does not hand the same one out twice in a row.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port could be had');
  return address.port;
}
