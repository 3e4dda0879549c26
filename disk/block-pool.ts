/**
 * The memory bytes pass through, one pool for all disks of the process: page-aligned blocks cut from one WebAssembly.Memory,
 * as O_DIRECT demands (Buffer's own memory is not aligned).
 * Rule: bounded, whatever the number and the size of the disks. Blocks to fetch into and blocks to read back into are apart:
 * who holds one of the first may wait for a proof, who holds one of the second waits for nothing but the disk, so that
 * nobody waits in a circle. A block a late source may still write into is not lent again before that has ended; one whose
 * holder is stuck on a dead disk is replaced by a new one (L5), as many as the pool has of its kind and no more: where still
 * more are stuck, others have fewer and in the end wait. A few blocks are for cutovers alone.
 */
import { blockBytes } from './geometry.ts';

/** The part of it we use; the language's own declarations count it to the browser. */
declare const WebAssembly: {
  readonly Memory: new (size: {
    initial: number;
    maximum: number;
    shared: boolean;
  }) => { readonly buffer: SharedArrayBuffer };
};

const wasmPage = 64 * 1024;

/** Blocks of the process in flight from sources, and being read back: 64 MiB in all. One disk and a half at full speed fill it. */
export const poolBlocks = { fetch: 12, proof: 4 } as const;
/** Of these so many are for the urgent alone: other machines' sources and disks may hang, a cutover must not wait for them. */
export const urgentBlocks = { fetch: 2, proof: 1 } as const;
export type Use = keyof typeof poolBlocks;

/** What one disk has of the pool. */
export interface Share {
  /** Inside a cutover: served before the others. */
  readonly urgent: boolean;
  readonly held: Readonly<Record<Use, Set<Buffer>>>;
}

export const newShare = (urgent: boolean): Share => ({ urgent, held: { fetch: new Set(), proof: new Set() } });

interface Waiter {
  readonly share: Share;
  readonly begin: (block: Buffer) => void;
  readonly refuse: (reason: unknown) => void;
}

/** A block for the time being. */
export interface Lent {
  readonly space: Buffer;
  /** The block goes back only when this has ended, too: something may still write into it. */
  until(work: Promise<unknown>): void;
}

interface Shelf {
  readonly free: Buffer[];
  readonly waiting: Waiter[];
}

/** Shared, so that another thread can compute over a block while this one goes on. */
function memoryOf(blocks: number): SharedArrayBuffer {
  const pages = (blocks * blockBytes) / wasmPage;
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
}

export class BlockPool {
  private readonly shelves: Record<Use, Shelf>;
  private readonly reserved: Readonly<Record<Use, number>>;
  private readonly size: Readonly<Record<Use, number>>;
  /** Held by the stuck, and replaced. */
  private readonly lost: Record<Use, Set<Buffer>> = { fetch: new Set(), proof: new Set() };
  /** Held by the stuck, and not replaced, because so many are already. */
  private readonly missing: Record<Use, Set<Buffer>> = { fetch: new Set(), proof: new Set() };

  /** `reserved`: how many of them are for the urgent alone. */
  constructor(blocks: Readonly<Record<Use, number>>, reserved: Readonly<Record<Use, number>> = { fetch: 0, proof: 0 }) {
    this.reserved = reserved;
    this.size = blocks;
    const memory = memoryOf(blocks.fetch + blocks.proof);
    const cut = (from: number, count: number): Shelf => ({
      free: Array.from({ length: count }, (_, at) => Buffer.from(memory, (from + at) * blockBytes, blockBytes)),
      waiting: [],
    });
    this.shelves = { fetch: cut(0, blocks.fetch), proof: cut(blocks.fetch, blocks.proof) };
  }

  /**
   * Lends a block for the time of `work`. Waits for one: the urgent come first, then who holds fewest, then who came first.
   * `signal` ends the waiting with its reason.
   */
  async lend<T>(use: Use, share: Share, signal: AbortSignal | undefined, work: (lent: Lent) => Promise<T>): Promise<T> {
    const space = this.mayTake(use, share) ? this.shelves[use].free.pop() : undefined;
    const block = space ?? (await this.wait(use, share, signal));
    share.held[use].add(block);
    const after: Promise<unknown>[] = [];
    try {
      return await work({ space: block, until: (late) => void after.push(late) });
    } finally {
      const back = (): void => this.giveBack(use, share, block);
      if (after.length === 0) back();
      else void Promise.allSettled(after).then(back);
    }
  }

  private mayTake(use: Use, { urgent }: Share): boolean {
    return this.shelves[use].free.length > (urgent ? 0 : this.reserved[use]);
  }

  private giveBack(use: Use, share: Share, space: Buffer): void {
    share.held[use].delete(space);
    const [lost, missing] = [this.lost[use], this.missing[use]];
    missing.delete(space);
    const replaced = lost.delete(space);
    const [other] = missing;
    if (replaced && other === undefined) return;
    // Where one is missing, this one replaces it.
    if (replaced && other !== undefined) {
      missing.delete(other);
      lost.add(other);
    }
    this.serve(use, space);
  }

  private serve(use: Use, space: Buffer): void {
    const { free, waiting } = this.shelves[use];
    free.push(space);
    const better = (a: Waiter, b: Waiter): Waiter => {
      if (a.share.urgent !== b.share.urgent) return a.share.urgent ? a : b;
      return b.share.held[use].size < a.share.held[use].size ? b : a;
    };
    const [first, ...others] = waiting.filter(({ share }) => this.mayTake(use, share));
    if (first === undefined) return;
    const next = others.reduce(better, first);
    const block = free.pop();
    waiting.splice(waiting.indexOf(next), 1);
    if (block !== undefined) next.begin(block);
  }

  /**
   * L5: its calls on the disk no longer return. What it holds is its own until they do (S8), and the others get new blocks
   * instead, as long as there are any to give; what it waits for it does not get.
   */
  writeOff(share: Share, reason: unknown): void {
    for (const use of ['fetch', 'proof'] as const) {
      const { waiting } = this.shelves[use];
      for (const mine of waiting.filter((one) => one.share === share)) {
        waiting.splice(waiting.indexOf(mine), 1);
        mine.refuse(reason);
      }
      for (const space of share.held[use]) {
        if (this.lost[use].has(space)) continue;
        if (this.lost[use].size >= this.size[use]) {
          this.missing[use].add(space);
          continue;
        }
        this.lost[use].add(space);
        this.serve(use, Buffer.from(memoryOf(1), 0, blockBytes));
      }
    }
  }

  private async wait(use: Use, share: Share, signal: AbortSignal | undefined): Promise<Buffer> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const { waiting } = this.shelves[use];
    const mine: Waiter = { share, begin: resolve, refuse: reject };
    const leave = (): void => {
      const at = waiting.indexOf(mine);
      // Served at the same moment: the block is ours, and its owner meets the signal itself.
      if (at < 0) return;
      waiting.splice(at, 1);
      reject(signal?.reason);
    };
    waiting.push(mine);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }
}

let shared: BlockPool | undefined;

/** The pool of this process; made when the first disk is held. */
export function processPool(): BlockPool {
  shared ??= new BlockPool(poolBlocks, urgentBlocks);
  return shared;
}

const sectors: Buffer[] = [];
const sectorsAPage = wasmPage / 4096;

/** Lends an aligned page of 4096 bytes, for single sectors: the marker, the boot sector. */
export async function withSector<T>(work: (sector: Buffer) => Promise<T>): Promise<T> {
  if (sectors.length === 0) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    for (let at = 0; at < sectorsAPage; at++) sectors.push(Buffer.from(memory.buffer, at * 4096, 4096));
  }
  const sector = sectors.pop() ?? Buffer.alloc(0);
  try {
    return await work(sector);
  } finally {
    sectors.push(sector);
  }
}

/** A block of zeros, for comparing; never written into. */
export const zeroBlock = Buffer.alloc(blockBytes);

/** Whether every byte is zero; at most one block long. */
export function isAllZero(bytes: Uint8Array): boolean {
  return zeroBlock.subarray(0, bytes.byteLength).equals(bytes);
}
