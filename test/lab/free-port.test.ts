/** A port for a program that cannot choose one must still be free when that program has started. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from '../../lab/free-port.ts';

test('a free port is none that the system hands out by itself, and can be taken', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(16_384);
    // The system's own range begins here on Linux, later elsewhere.
    expect(port).toBeLessThan(32_768);
  }
  const server = createServer().listen(ports[0], '127.0.0.1');
  await once(server, 'listening');
  server.close();
});
