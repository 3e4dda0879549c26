/**
 * Finds a free port on the loopback interface, for programs that cannot choose one themselves.
 * Rule: below the range from which systems hand out ports by themselves, so that between the asking and the using (and while
 * a killed program is started again) no connection gets it; by chance, so that two who ask at once hardly get the same one.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Linux hands out ports from 32768 on, others from 49152 on. */
const [first, end] = [16_384, 32_768];
const tries = 100;

/** Throws when none of a hundred was free. */
export async function freePort(): Promise<number> {
  for (let left = tries; left > 0; left--) {
    const port = randomInt(first, end);
    if (await isFree(port)) return port;
  }
  throw new Error('no port could be had');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
