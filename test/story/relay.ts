/**
 * A line to a server that can be cut: a process that is started with its address is cut off, and nobody else.
 * Rule: while it is cut nothing passes and nobody is told, as behind a firewall that drops; mended, it takes new calls.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Relay {
  /** host:port. */
  readonly address: string;
  cut(): void;
  mend(): void;
  close(): void;
}

export async function relayTo(address: string): Promise<Relay> {
  const [host = '127.0.0.1', port = ''] = address.split(':');
  const sockets = new Set<Socket>();
  let cut = false;
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('data', (bytes) => void (cut || other.write(bytes)));
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hangUp = (): void => sockets.forEach((socket) => void socket.destroy());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      cut = true;
    },
    // What was dropped in the middle of a stream is lost for good.
    mend() {
      cut = false;
      hangUp();
    },
    close() {
      server.close();
      hangUp();
    },
  };
}
