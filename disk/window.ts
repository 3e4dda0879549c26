/**
 * Windows of writes: what is written together is flushed, journaled, read back and journaled again together.
 * Rule: L2, at most one window is being made durable while the next one fills, so a kill costs at most 64 MiB; one more is
 * being proven, and a kill costs it a look. A proof is never behind by more than that.
 * S8, the fence is asked right before each block's write: a window stays open for as long as its source takes. Never counts
 * a block whose write has not returned.
 */
import type { HeldDisk } from './held-disk.ts';
import { proveWindow, type TouchedLeaves } from './proof.ts';
import { type DurableWindow, partsLength, type WrittenBlock } from './records.ts';

/** Counted in whole leaves: a leaf that a kill leaves half written is sent whole, however small its change was. */
const windowBytes = 16 * 1024 * 1024;

export interface BlockWork {
  readonly written: WrittenBlock;
  readonly touched: TouchedLeaves;
  readonly copiedBytes: number;
  readonly zeroedBytes: number;
  readonly usedBytes: number;
}

class Window {
  private bytes = 0;
  private pending = 0;
  private readonly done: BlockWork[] = [];
  private readonly idle = Promise.withResolvers<void>();
  private closed = false;

  /** Reserves room for one block's leaves; an empty window takes any. */
  reserve(bytes: number): boolean {
    if (this.bytes > 0 && this.bytes + bytes > windowBytes) return false;
    this.bytes += bytes;
    this.pending++;
    return true;
  }

  settle(work: BlockWork | undefined): void {
    if (work !== undefined) this.done.push(work);
    this.pending--;
    if (this.closed && this.pending === 0) this.idle.resolve();
  }

  /** No more blocks; resolves to those whose writes returned. */
  async close(): Promise<readonly BlockWork[]> {
    this.closed = true;
    if (this.pending === 0) this.idle.resolve();
    await this.idle.promise;
    return this.done;
  }
}

export class Windows {
  private readonly held: HeldDisk;
  private current: Window | undefined;
  /** Being made durable; then waiting until the window before it is proven. */
  private syncing: Promise<void> | undefined;
  private proving: Promise<void> = Promise.resolve();
  private next: number;

  constructor(held: HeldDisk) {
    this.held = held;
    this.next = 1 + Math.max(0, ...held.ledger.state.unproven.map(({ window }) => window));
  }

  /**
   * Does one block's write inside a window: waits for room, asks the fence, then lets `write` write and say what it
   * wrote. `bytes` is the length of the leaves it touches. Once `signal` has fired no write begins.
   */
  async run(bytes: number, signal: AbortSignal, write: () => Promise<BlockWork>): Promise<void> {
    const window = await this.enter(bytes, signal);
    let work: BlockWork | undefined;
    try {
      await this.held.fence();
      signal.throwIfAborted();
      work = await write();
    } finally {
      window.settle(work);
    }
  }

  private async enter(bytes: number, signal: AbortSignal): Promise<Window> {
    for (;;) {
      // L7: who waited for room while the attempt was stopped does not even look whose disk it is.
      signal.throwIfAborted();
      if (this.current?.reserve(bytes)) return this.current;
      if (this.syncing !== undefined) await this.syncing;
      else if (this.current !== undefined) this.commitCurrent();
      else this.current = new Window();
    }
  }

  private commitCurrent(): void {
    const window = this.current;
    this.current = undefined;
    if (window === undefined) return;
    const number = this.next++;
    this.syncing = this.commit(window, number).then(() => {
      this.syncing = undefined;
    });
    // A failed commit stays: everyone who enters afterwards meets it.
    this.syncing.catch(() => undefined);
  }

  private async commit(window: Window, number: number): Promise<void> {
    const done = await window.close();
    if (done.length === 0) return;
    const { held } = this;
    await held.target.flush();
    const durable: DurableWindow = {
      t: 'durable',
      window: number,
      blocks: done.map(({ written }) => written),
      copiedBytes: done.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0),
      zeroedBytes: done.reduce((sum, { zeroedBytes }) => sum + zeroedBytes, 0),
      ...(held.ledger.state.round?.used ? { usedBytes: done.reduce((sum, { usedBytes }) => sum + usedBytes, 0) } : {}),
    };
    await held.ledger.append(durable);
    await this.proving;
    this.proving = this.prove(durable, new Map(done.map(({ written, touched }) => [written.block, touched])));
    // Whoever commits next, drains or settles meets its failure.
    this.proving.catch(() => undefined);
  }

  private async prove(durable: DurableWindow, touched: ReadonlyMap<number, TouchedLeaves>): Promise<void> {
    if (!(await proveWindow(this.held, durable, touched))) return;
    this.held.meter.done(durable.blocks.reduce((sum, block) => sum + partsLength(block), 0));
  }

  /**
   * Commits what is left and proves it; after a stop it only commits (L7): a stopped attempt loses nothing it has written, and
   * leaves the proof to the next one. So whoever drains asks afterwards whether it was stopped.
   */
  async drain(): Promise<void> {
    try {
      await this.syncing;
      this.commitCurrent();
      await this.syncing;
      await this.proving;
    } finally {
      await this.settle();
    }
  }

  /** Waits for a commit on its way and begins none: an attempt must not end while it may still touch the disk. */
  async settle(): Promise<void> {
    await this.syncing?.catch(() => undefined);
    await this.proving.catch(() => undefined);
  }
}
