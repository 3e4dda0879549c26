/**
 * A digest of ranges in the order they come in, a start and an end of 8 bytes each.
 * Rule: how many come at once changes nothing.
 */
import { createHash } from 'node:crypto';

const rangesAtOnce = 1024;

export class RangeHash {
  private readonly hash = createHash('sha256');
  private readonly waiting = new Float64Array(2 * rangesAtOnce);
  private filled = 0;

  add(start: number, end: number): void {
    this.waiting[this.filled++] = start;
    this.waiting[this.filled++] = end;
    if (this.filled === this.waiting.length) this.flush();
  }

  /** Hexadecimal; nothing is added behind it. */
  end(): string {
    this.flush();
    return this.hash.digest('hex');
  }

  private flush(): void {
    this.hash.update(new Uint8Array(this.waiting.buffer, 0, 8 * this.filled));
    this.filled = 0;
  }
}
