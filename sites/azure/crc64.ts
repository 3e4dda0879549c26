/**
 * The service's CRC64 over bytes. What lies in shared memory (the mover's blocks) is computed by a thread of its own, so
 * that the main thread's time is left for TLS: there it would be a third of all it does.
 * Rule: one thread a process, started with the first such block; it keeps no process alive. When it fails, the main
 * thread computes: the check is never left out.
 */
import { Worker } from 'node:worker_threads';
import { createCRC64, type IHasher } from 'hash-wasm';

/** CRC-64/NVME, reflected: the one the service calls CRC64. */
const polynomial = '9a6c9329ac4bc9b5';

let loading: Promise<IHasher> | undefined;

/** The checksum as the service writes it: eight bytes, lowest first, in base64. */
export async function crc64Of(bytes: Uint8Array): Promise<string> {
  loading ??= createCRC64(polynomial);
  const hasher = await loading;
  return Buffer.from(hasher.init().update(bytes).digest('binary')).reverse().toString('base64');
}

export interface ChecksumQuestion {
  readonly id: number;
  readonly memory: SharedArrayBuffer;
  readonly at: number;
  readonly length: number;
}

/** Less than this is computed faster than it is handed over. */
const worthwhileBytes = 64 * 1024;

class ChecksumThread {
  readonly worker: Worker;
  private readonly asked = new Map<number, PromiseWithResolvers<string>>();
  private next = 0;
  gone = false;

  constructor() {
    this.worker = new Worker(new URL('./checksum-thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });

    this.worker.on('message', ({ id, sum }: { id: number; sum: string }) => {
      this.asked.get(id)?.resolve(sum);
      this.asked.delete(id);
      if (this.asked.size === 0) this.worker.unref();
    });
    const end = (error: unknown): void => {
      this.gone = true;
      for (const { reject } of this.asked.values()) reject(error);
      this.asked.clear();
    };
    this.worker.once('error', end).once('exit', end);
  }

  ask(memory: SharedArrayBuffer, at: number, length: number): Promise<string> {
    const id = this.next++;
    const answer = Promise.withResolvers<string>();
    this.asked.set(id, answer);
    this.worker.ref();
    this.worker.postMessage({ id, memory, at, length } satisfies ChecksumQuestion);
    return answer.promise;
  }
}

let thread: ChecksumThread | undefined;

/** The thread that computes, once it was needed. */
export const checksumThread = (): Worker | undefined => thread?.worker;

/** The same for bytes that nobody changes until it has answered. */
export async function crc64(bytes: Uint8Array): Promise<string> {
  const { buffer, byteOffset, byteLength } = bytes;
  if (!(buffer instanceof SharedArrayBuffer) || byteLength < worthwhileBytes || thread?.gone) return crc64Of(bytes);
  try {
    thread ??= new ChecksumThread();
    return await thread.ask(buffer, byteOffset, byteLength);
  } catch {
    return crc64Of(bytes);
  }
}
