/**
 * The port to a disk's blob endpoint: one GET with a deadline of its own, its body straight into the caller's memory.
 * Rule: a request that makes no progress ends by itself, long before anyone's heartbeat is missed; once it has ended,
 * nothing is written into the caller's memory any more.
 * Never repeats what the service answered, and never lets an address out: it carries the SAS (S13).
 */
import type { Share } from '../../disk/block-pool.ts';

export interface BlobLimits {
  /** Longest silence of a connection, in milliseconds. */
  readonly stallMs: number;
  /** Longest time of one request that is being answered, in milliseconds. Counts from when it may be sent. */
  readonly requestMs: number;
  /** Most requests of this process at once; fewer where the link is slow (flow.ts). */
  readonly connections: number;
  /** The first pause before a read is repeated, in milliseconds; each further one is twice as long. */
  readonly repeatMs: number;
}

/**
 * Silence is broken; slowness is not. A disk's eight ranges of 4 MiB at once arrive in five minutes over 110 KiB/s, and one
 * alone over 14 KiB/s. The service itself gives a read two minutes a MiB (Setting timeouts for Blob service operations).
 */
export const blobLimits: BlobLimits = { stallMs: 15_000, requestMs: 300_000, connections: 32, repeatMs: 150 };

export interface BlobAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /**
   * Reads the body to its end into `space` and returns its length, which may be less than there is room for. Throws a
   * `BodyTooLong` when there is more of it. The body is read once, by this or by `text`.
   */
  fill(space: Uint8Array): Promise<number>;
  /** Reads the body as text. Throws a `BodyTooLong` when it is longer than `mostBytes`. */
  text(mostBytes: number): Promise<string>;
}

export interface BlobTransport {
  readonly limits: BlobLimits;
  /**
   * `share`: the disk that asks, so that one that is not answered keeps few places from the others (L5). `url` is a secret. `take` must read the whole body; a body left unread costs its connection.
   */
  get<T>(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    take: (answer: BlobAnswer) => Promise<T>,
    share?: Share,
  ): Promise<T>;
  close(): Promise<void>;
}
