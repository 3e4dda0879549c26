/**
 * The service's CRC64 over bytes. What lies in shared memory (the mover's blocks) is computed by a thread of its own, so
 * that the main thread's time is left for TLS: there it would be a third of all it does.
 * Rule: one thread a process, started with the first such block; it keeps no process alive. When it fails, or answers
 * nobody for too long, the main thread computes: the check is never left out.
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

interface SharedBytes {
  readonly memory: SharedArrayBuffer;
  readonly at: number;
  readonly length: number;
}

export interface ChecksumQuestion extends SharedBytes {
  readonly id: number;
}

/** Less than this is computed faster than it is handed over. */
const worthwhileBytes = 64 * 1024;
/** A block takes some milliseconds; a thread that needs so long for one hangs. */
const longestMs = 10_000;

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
    });
    const end = (error: unknown): void => this.end(error);
    this.worker.once('error', end).once('exit', end);
  }

  private end(error: unknown): void {
    this.gone = true;
    for (const { reject } of this.asked.values()) reject(error);
  }

  /** Ends with an error of the thread, or when it takes longer than `mostMs`, or with the signal's reason. */
  async ask(bytes: SharedBytes, signal: AbortSignal | undefined, mostMs: number): Promise<string> {
    const id = this.next++;
    const answer = Promise.withResolvers<string>();
    const stop = (): void => answer.reject(signal?.reason);
    const timer = setTimeout(() => this.giveUp(), mostMs);
    signal?.addEventListener('abort', stop, { once: true });
    this.asked.set(id, answer);
    this.worker.ref();
    this.worker.postMessage({ id, ...bytes } satisfies ChecksumQuestion);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      this.asked.delete(id);
      if (this.asked.size === 0) this.worker.unref();
    }
  }

  /** It hangs: the next block has a new one. */
  private giveUp(): void {
    this.end(new Error('the thread that computes checksums hangs'));
    void this.worker.terminate();
    if (thread === this) thread = undefined;
  }
}

let thread: ChecksumThread | undefined;

/** The thread that computes, once it was needed. */
export const checksumThread = (): Worker | undefined => thread?.worker;

/**
 * The same for bytes that nobody changes until it has answered. Rejects only with the reason of `signal`. `mostMs`: how long
 * the thread may take; the default suits, a shorter one is for tests.
 */
export async function crc64(bytes: Uint8Array, signal?: AbortSignal, mostMs = longestMs): Promise<string> {
  const { buffer: memory, byteOffset: at, byteLength: length } = bytes;
  if (!(memory instanceof SharedArrayBuffer) || length < worthwhileBytes || thread?.gone) return crc64Of(bytes);
  signal?.throwIfAborted();
  try {
    thread ??= new ChecksumThread();
    return await thread.ask({ memory, at, length }, signal, mostMs);
  } catch {
    signal?.throwIfAborted();
    return crc64Of(bytes);
  }
}
