/**
 * The thread that computes CRC64 over memory it shares with the mover's main thread.
 * Rule: it only reads, and answers each question once, in the order they came.
 */
import { parentPort } from 'node:worker_threads';
import { type ChecksumQuestion, crc64Of } from './crc64.ts';

parentPort?.on('message', ({ id, memory, at, length }: ChecksumQuestion) => {
  crc64Of(new Uint8Array(memory, at, length)).then((sum) => parentPort?.postMessage({ id, sum }));
});
