/**
 * Windows of writes: what was written since the last flush is flushed, journaled, read back and journaled again together, once it
 * is enough, or its first block has waited for some seconds: behind a slow limit that is all that is seen, and that a kill leaves.
 * Rule: L2, what is being written, or is and not durable, is two windows at most, so a kill costs at most 64 MiB; two more are
 * being proven, and a kill costs them a look. Nobody waits for a window but who finds no room: a flush takes what has returned
 * by then, and what is still being written belongs to the next one.
 * S8, the fence is asked right before each block's write, however long its source took. Never counts a block whose write has
 * not returned. Never flushes again after a flush that failed: the second may say good of what the first one lost.
 */
import { untilAborted } from './attempts.ts';
import type { HeldDisk } from './held-disk.ts';
import { proveWindow, type TouchedLeaves } from './proof.ts';
import { type DurableWindow, partsLength, type WrittenBlock } from './records.ts';

/** Counted in whole leaves: a leaf that a kill leaves half written is sent whole, however small its change was. */
const windowBytes = 16 * 1024 * 1024;
/** So long a block waits for its window to fill. */
const patienceMs = 5_000;
/** Of blocks that are being written, or are and not durable. */
const openLimit = 2 * windowBytes;

export interface BlockWork {
  readonly written: WrittenBlock;
  readonly touched: TouchedLeaves;
  readonly copiedBytes: number;
  readonly zeroedBytes: number;
  readonly usedBytes: number;
}

/** A block whose write has returned. */
interface Written {
  readonly work: BlockWork;
  /** Of the leaves it touches. */
  readonly bytes: number;
}

const bytesOf = (blocks: readonly Written[]): number => blocks.reduce((sum, { bytes }) => sum + bytes, 0);

export class Windows {
  private readonly held: HeldDisk;
  private openBytes = 0;
  private readonly written: Written[] = [];
  /** One that failed stays. */
  private syncing: Promise<void> | undefined;
  /** Those of the last two windows. */
  private proofs: readonly [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];
  private failed: { readonly error: unknown } | undefined;
  private over = false;
  /** Set while blocks wait for their window to fill. */
  private soon: NodeJS.Timeout | undefined;
  /** They have waited long enough. */
  private due = false;
  /** Resolves once there may be room, or none any more. */
  private change = Promise.withResolvers<void>();
  private next: number;

  constructor(held: HeldDisk) {
    this.held = held;
    this.next = 1 + Math.max(0, ...held.ledger.state.unproven.map(({ window }) => window));
  }

  /**
   * Does one block's write: waits for room, asks the fence, then lets `write` write and say what it wrote. `bytes` is the
   * length of the leaves it touches. Once `signal` has fired no write begins.
   */
  async run(bytes: number, signal: AbortSignal, write: () => Promise<BlockWork>): Promise<void> {
    await this.enter(bytes, signal);
    try {
      await this.held.fence();
      signal.throwIfAborted();
      const work = await write();
      this.written.push({ work, bytes });
    } catch (error) {
      this.leave(bytes);
      throw error;
    }
    this.commitInTime();
  }

  private async enter(bytes: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      // L7: who waited for room while the attempt was stopped does not even look whose disk it is.
      signal.throwIfAborted();
      if (this.failed !== undefined) throw this.failed.error;
      if (this.openBytes === 0 || this.openBytes + bytes <= openLimit) break;
      await untilAborted(this.change.promise, signal);
    }
    this.openBytes += bytes;
  }

  private leave(bytes: number): void {
    this.openBytes -= bytes;
    this.wake();
  }

  private fail(error: unknown): void {
    this.failed ??= { error };
    this.wake();
  }

  private wake(): void {
    this.change.resolve();
    this.change = Promise.withResolvers<void>();
  }

  private commitInTime(): void {
    if (this.due || bytesOf(this.written) >= windowBytes) this.commit();
    else if (this.written.length > 0 && !this.over) this.soon ??= setTimeout(() => this.commitDue(), patienceMs);
  }

  /** While another window is being made durable this one waits for no more than its end. */
  private commitDue(): void {
    this.due = true;
    this.commit();
  }

  private commit(): void {
    if (this.syncing !== undefined || this.over || this.written.length === 0) return;
    clearTimeout(this.soon);
    this.soon = undefined;
    this.due = false;
    const window = this.takeWindow();
    this.syncing = this.sync(window.map(({ work }) => work)).then(() => {
      this.syncing = undefined;
      this.leave(bytesOf(window));
      this.commitInTime();
    });
    this.syncing.catch((error: unknown) => this.fail(error));
  }

  /** As many as fit, and one at least. */
  private takeWindow(): Written[] {
    let [count, sum] = [0, 0];
    for (const { bytes } of this.written) {
      if (count > 0 && sum + bytes > windowBytes) break;
      count++;
      sum += bytes;
    }
    return this.written.splice(0, count);
  }

  private async sync(blocks: readonly BlockWork[]): Promise<void> {
    const { held } = this;
    await held.target.flush();
    const sum = (of: (block: BlockWork) => number): number => blocks.reduce((bytes, block) => bytes + of(block), 0);
    const durable: DurableWindow = {
      t: 'durable',
      window: this.next++,
      blocks: blocks.map(({ written }) => written),
      copiedBytes: sum(({ copiedBytes }) => copiedBytes),
      zeroedBytes: sum(({ zeroedBytes }) => zeroedBytes),
      ...(held.ledger.state.round?.used ? { usedBytes: sum(({ usedBytes }) => usedBytes) } : {}),
    };
    await held.ledger.append(durable);
    const [older, newer] = this.proofs;
    await older;
    const proof = this.prove(durable, new Map(blocks.map(({ written, touched }) => [written.block, touched])));
    proof.catch((error: unknown) => this.fail(error));
    this.proofs = [newer, proof];
  }

  private async prove(durable: DurableWindow, touched: ReadonlyMap<number, TouchedLeaves>): Promise<void> {
    if (!(await proveWindow(this.held, durable, touched))) return;
    const bytes = durable.blocks.reduce((sum, block) => sum + partsLength(block), 0);
    this.held.meter.done(bytes, true, durable.copiedBytes);
  }

  /**
   * Commits what is left and proves it; after a stop it only commits (L7): a stopped attempt loses nothing it has written, and
   * leaves the proof to the next one. So whoever drains asks afterwards whether it was stopped. No block may be on its way.
   */
  async drain(): Promise<void> {
    try {
      // The end of one window may begin the next one, which nobody else waits for.
      while (this.syncing !== undefined || this.written.length > 0) {
        this.commit();
        await this.syncing;
      }
      await Promise.all(this.proofs);
    } finally {
      await this.settle();
    }
  }

  /** Waits for what is on its way and begins no more: an attempt must not end while it may still touch the disk. */
  async settle(): Promise<void> {
    this.over = true;
    clearTimeout(this.soon);
    await this.syncing?.catch(() => undefined);
    await Promise.allSettled(this.proofs);
  }
}
