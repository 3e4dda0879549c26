/**
 * The port to a disk's blob endpoint: one GET with a deadline of its own, its body straight into the caller's memory.
 * Rule: a request that makes no progress ends by itself, long before anyone's heartbeat is missed; once it has ended,
 * nothing is written into the caller's memory any more.
 * Never repeats what the service answered, and never lets an address out: it carries the SAS (S13).
 */

export interface BlobLimits {
  /** Longest silence of a connection, in milliseconds. */
  readonly stallMs: number;
  /** Longest time of one request, in milliseconds. */
  readonly requestMs: number;
  readonly connections: number;
  /** The first pause before a read is repeated, in milliseconds; each further one is twice as long. */
  readonly repeatMs: number;
}

/** 4 MiB in a minute is 70 KiB/s: slower than that is broken. */
export const blobLimits: BlobLimits = { stallMs: 15_000, requestMs: 60_000, connections: 32, repeatMs: 150 };

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
  /** `url` is a secret. `take` must read the whole body; a body left unread costs its connection. */
  get<T>(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    take: (answer: BlobAnswer) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
}
