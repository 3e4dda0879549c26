/**
 * The memory bytes pass through, one pool for all disks of the process: page-aligned blocks cut from one WebAssembly.Memory,
 * as O_DIRECT demands (Buffer's own memory is not aligned). What is read back goes through half a block at once.
 * Rule: bounded, whatever the number and the size of the disks. Blocks to fetch into and blocks to read back into are apart:
 * who holds one of the first may wait for a proof, who holds one of the second waits for nothing but the disk, so that
 * nobody waits in a circle. A block a late source may still write into is not lent again before that has ended; one whose
 * holder is stuck on a dead disk is replaced by a new one (L5), as many as the pool has of its kind and no more: where still
 * more are stuck, others have fewer and in the end wait. A few blocks are for cutovers alone. A disk whose source has not
 * answered yet, or failed last, gets memory on trial: one block a disk, two a machine, and one where there are many of those.
 */
import { blockBytes, readBackBytes } from './geometry.ts';
import { noTrial, type Trial, trialBlocks } from './trial.ts';

/** The part of it we use; the language's own declarations count it to the browser. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

const wasmPage = 64 * 1024;

/** Blocks of the process in flight from sources, and being read back: 56 MiB in all. Two disks at full speed fill it. */
export const poolBlocks = { fetch: 12, proof: 4 } as const;
/** Of these so many are for the urgent alone: other machines' sources and disks may hang, a cutover must not wait for them. */
export const urgentBlocks = { fetch: 2, proof: 1 } as const;
type Use = keyof typeof poolBlocks;
const spaceBytes: Readonly<Record<Use, number>> = { fetch: blockBytes, proof: readBackBytes };
/** What a block is for: as its use says, or to clear, in one of those to fetch into, and with no source to wait for. */
export type Need = Use | 'clear';
const useOf = (need: Need): Use => (need === 'proof' ? need : 'fetch');

/** One disk that borrows. */
export interface Share {
  readonly machine: string;
  /** Inside a cutover: served before the others. */
  readonly urgent: boolean;
  /** Whether the last read of its source that ended was good. */
  answers: boolean;
}

export const newShare = (machine: string, urgent: boolean): Share => ({ machine, urgent, answers: false });

interface Waiter {
  readonly need: Need;
  readonly share: Share;
  readonly begin: (block: Buffer) => void;
  readonly refuse: (reason: unknown) => void;
}

/** A block for the time being. */
export interface Lent {
  readonly space: Buffer;
  /**
   * The source's read into it. The block goes back only when that has ended, too: a late source may still write into it. How
   * it ends says whether the source answers.
   */
  filledBy(read: Promise<unknown>): void;
}

interface Loan {
  readonly share: Share;
  /** Until its read is good. */
  onTrial: boolean;
}

interface Shelf {
  readonly free: Buffer[];
  readonly waiting: Waiter[];
}

function memoryOf(bytes: number): ArrayBuffer {
  const pages = bytes / wasmPage;
  return new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer;
}

/** Only a source is put to the trial: who reads the target back, or clears it, waits for none. */
const onTrial = (need: Need, { answers }: Share): boolean => need === 'fetch' && !answers;

/** What one disk waits for comes in the order it asked. */
function firstOfEach(waiting: readonly Waiter[]): Waiter[] {
  const firsts = new Map<Share, Waiter>();
  for (const one of waiting) if (!firsts.has(one.share)) firsts.set(one.share, one);
  return [...firsts.values()];
}

export class BlockPool {
  private readonly shelves: Record<Use, Shelf>;
  private readonly reserved: Readonly<Record<Use, number>>;
  private readonly size: Readonly<Record<Use, number>>;
  private readonly trial: Trial;
  private readonly loans: Record<Use, Map<Buffer, Loan>> = { fetch: new Map(), proof: new Map() };
  /** Held by the stuck, and replaced. */
  private readonly lost: Record<Use, Set<Buffer>> = { fetch: new Set(), proof: new Set() };
  /** Held by the stuck, and not replaced, because so many are already. */
  private readonly missing: Record<Use, Set<Buffer>> = { fetch: new Set(), proof: new Set() };

  /** `reserved`: how many of them are for the urgent alone. */
  constructor(
    blocks: Readonly<Record<Use, number>>,
    reserved: Readonly<Record<Use, number>> = { fetch: 0, proof: 0 },
    trial = noTrial,
  ) {
    this.reserved = reserved;
    this.trial = trial;
    this.size = blocks;
    const fetchBytes = blocks.fetch * spaceBytes.fetch;
    const memory = memoryOf(fetchBytes + blocks.proof * spaceBytes.proof);
    const cut = (use: Use, from: number): Shelf => {
      const bytes = spaceBytes[use];
      const free = Array.from({ length: blocks[use] }, (_, at) => Buffer.from(memory, from + at * bytes, bytes));
      return { free, waiting: [] };
    };
    this.shelves = { fetch: cut('fetch', 0), proof: cut('proof', fetchBytes) };
  }

  /**
   * Lends a block for the time of `work`. Waits for one: the urgent come first, then the machine that holds fewest, then the
   * disk that does, then who came first. `signal` ends the waiting with its reason.
   */
  async lend<T>(
    need: Need,
    share: Share,
    signal: AbortSignal | undefined,
    work: (lent: Lent) => Promise<T>,
  ): Promise<T> {
    const use = useOf(need);
    const free = this.mayTake(need, share) ? this.take(need, share) : undefined;
    const space = free ?? (await this.wait(need, share, signal));
    const reads: Promise<void>[] = [];
    const filledBy = (read: Promise<unknown>): void => {
      const heard = (answers: boolean): void => this.heard(use, space, answers);
      reads.push(
        read.then(
          () => heard(true),
          () => heard(false),
        ),
      );
    };
    try {
      return await work({ space, filledBy });
    } finally {
      const back = (): void => this.giveBack(use, space);
      if (reads.length === 0) back();
      else void Promise.all(reads).then(back);
    }
  }

  private mayTake(need: Need, share: Share): boolean {
    const use = useOf(need);
    if (this.shelves[use].free.length <= (share.urgent ? 0 : this.reserved[use])) return false;
    return !onTrial(need, share) || this.hasTrial(share);
  }

  /** L5: what a silent source holds, it holds for long; so there is room for other machines' trials, and for whoever is answered. */
  private hasTrial(mine: Share): boolean {
    const alike = [...this.loans.fetch.values()].filter((loan) => loan.onTrial && loan.share.urgent === mine.urgent);
    const count = (same: (share: Share) => boolean): number => alike.filter(({ share }) => same(share)).length;
    const ofMine = count(({ machine }) => machine === mine.machine);
    if (ofMine === 0) return alike.length < this.trial.inAll;
    const { ofDisk, ofMachine, manyFrom } = this.trial;
    return alike.length < manyFrom && ofMine < ofMachine && count((share) => share === mine) < ofDisk;
  }

  private heard(use: Use, space: Buffer, answers: boolean): void {
    const loan = this.loans[use].get(space);
    if (loan === undefined) return;
    loan.share.answers = answers;
    if (answers) loan.onTrial = false;
    this.serve(use);
  }

  private take(need: Need, share: Share): Buffer | undefined {
    const use = useOf(need);
    const space = this.shelves[use].free.pop();
    if (space !== undefined) this.loans[use].set(space, { share, onTrial: onTrial(need, share) });
    return space;
  }

  private giveBack(use: Use, space: Buffer): void {
    this.loans[use].delete(space);
    const [lost, missing] = [this.lost[use], this.missing[use]];
    missing.delete(space);
    const replaced = lost.delete(space);
    const [other] = missing;
    // Where one is missing, this one replaces it.
    if (replaced && other !== undefined) {
      missing.delete(other);
      lost.add(other);
    }
    if (!replaced || other !== undefined) this.shelves[use].free.push(space);
    this.serve(use);
  }

  /** An answer may be what several wait for: all that can be served are. */
  private serve(use: Use): void {
    const { waiting } = this.shelves[use];
    for (;;) {
      const [first, ...others] = firstOfEach(waiting).filter(({ need, share }) => this.mayTake(need, share));
      if (first === undefined) return;
      const next = others.reduce((best, one) => (this.goesBefore(use, one.share, best.share) ? one : best), first);
      const space = this.take(next.need, next.share);
      waiting.splice(waiting.indexOf(next), 1);
      if (space !== undefined) next.begin(space);
    }
  }

  private goesBefore(use: Use, one: Share, other: Share): boolean {
    if (one.urgent !== other.urgent) return one.urgent;
    const held = (mine: (share: Share) => boolean): number =>
      [...this.loans[use].values()].filter(({ share }) => mine(share)).length;
    const ofMachine = (of: Share): number => held(({ machine }) => machine === of.machine);
    const ofDisk = (of: Share): number => held((share) => share === of);
    return (ofMachine(one) - ofMachine(other) || ofDisk(one) - ofDisk(other)) < 0;
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
      for (const [space, loan] of this.loans[use]) {
        if (loan.share !== share || this.lost[use].has(space)) continue;
        if (this.lost[use].size >= this.size[use]) {
          this.missing[use].add(space);
          continue;
        }
        this.lost[use].add(space);
        loan.onTrial = false;
        this.shelves[use].free.push(Buffer.from(memoryOf(spaceBytes[use])));
      }
      this.serve(use);
    }
  }

  private async wait(need: Need, share: Share, signal: AbortSignal | undefined): Promise<Buffer> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const { waiting } = this.shelves[useOf(need)];
    const mine: Waiter = { need, share, begin: resolve, refuse: reject };
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
  shared ??= new BlockPool(poolBlocks, urgentBlocks, trialBlocks);
  return shared;
}

const sectors: Buffer[] = [];

/** Lends an aligned page of 4096 bytes, for single sectors: the marker, the boot sector. */
export async function withSector<T>(work: (sector: Buffer) => Promise<T>): Promise<T> {
  if (sectors.length === 0) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    for (let at = 0; at < wasmPage / 4096; at++) sectors.push(Buffer.from(memory.buffer, at * 4096, 4096));
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
