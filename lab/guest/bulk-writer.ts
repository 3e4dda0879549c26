/**
 * A job inside the guest that writes so many bytes a second, in one stream through the data disk and round again: for rounds
 * that are to have more to move than a link lets through.
 * Rule: it writes between the records and never into one; what a busy computer does not let it write in time it leaves out.
 */
import type { GuestDisk } from './guest-disk.ts';
import { type LogLayout, recordBytes, slotOffset } from './record.ts';
import { pauseUnless, TurnsOfWriting } from './turns-of-writing.ts';

const everyMs = 100;
/** How much of what it could not write in time it still writes. */
const catchUpMs = 500;

export class BulkWriter {
  private readonly disk: GuestDisk;
  private readonly layout: LogLayout;
  private readonly turns = new TurnsOfWriting();
  private bytesPerSecond = 0;
  /** Pieces written so far: where the next one goes, and what it holds, so that every pass changes every byte. */
  private pieces = 0;
  private stopping = new AbortController();
  private running: Promise<void> | undefined;
  private failed: unknown;

  constructor(disk: GuestDisk, layout: LogLayout) {
    this.disk = disk;
    this.layout = layout;
  }

  /** From now on; 0 ends it. */
  write(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond;
    if (bytesPerSecond === 0) this.stopping.abort();
    if (bytesPerSecond === 0 || (this.running && !this.stopping.signal.aborted)) return;
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    this.running = Promise.resolve(this.running)
      .then(() => this.untilStopped(signal))
      .catch((error: unknown) => {
        this.failed = error;
      });
  }

  /** Waits for the write in flight. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  quiesced<T>(act: () => Promise<T>): Promise<T> {
    return this.turns.run(act);
  }

  failure(): unknown {
    return this.failed;
  }

  private async untilStopped(signal: AbortSignal): Promise<void> {
    let due = 0;
    const perMs = (): number => this.bytesPerSecond / 1000;
    for (let last = performance.now(); !signal.aborted; await pauseUnless(signal, everyMs)) {
      const now = performance.now();
      due = Math.min(due + (now - last) * perMs(), Math.max(catchUpMs * perMs(), this.pieceBytes));
      last = now;
      due -= await this.turns.run(() => this.upTo(due));
    }
  }

  private get pieceBytes(): number {
    return this.layout.strideBytes - recordBytes;
  }

  /** Whole pieces, no more than `bytes` in all; answers what it wrote. */
  private async upTo(bytes: number): Promise<number> {
    const length = this.pieceBytes;
    const count = Math.floor(bytes / length);
    for (let piece = 0; piece < count; piece++, this.pieces++) {
      const offset = slotOffset(this.layout, this.pieces % this.layout.slots) + recordBytes;
      const pass = Math.floor(this.pieces / this.layout.slots);
      await this.disk.write(offset, Buffer.alloc(length, 1 + (pass % 255)));
    }
    if (count > 0) await this.disk.flush();
    return count * length;
  }
}
