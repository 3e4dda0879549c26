/**
 * What became of each leaf of a target, as its host saw it: written, flushed since, read back since.
 * Rule: a leaf is durable once a flush that began after its last write had returned has returned, and proven once a read of all
 * of it began after that. Knows nothing of what the engine says of itself.
 */
import { blockBytes, type Geometry } from '../../disk/geometry.ts';
import { leafBytes } from '../../disk/leaves.ts';
import type { HostCall } from './host-edge.ts';

interface Leaf {
  /** Writes on their way. */
  writing: number;
  /** When the last of them returned, and when it was durable; 0: not since. */
  writtenAt: number;
  durableAt: number;
  proven: boolean;
  /** Since the attempt began. */
  open: boolean;
}

export class TargetLog {
  private readonly geometry: Geometry;
  private readonly leaves = new Map<number, Leaf>();
  private now = 0;
  private weights: ReadonlyMap<number, number> = new Map();
  /** Calls on their way. */
  underWay = 0;
  /** Of the blocks that were open at once, the most bytes, if it was more than one of them. */
  mostOpen = 0;
  /** Since the attempt began: whether bytes of the disk were written, and flushes that began after one that failed. */
  wrote = false;
  flushesTooMany = 0;
  private flushFailed = false;

  constructor(geometry: Geometry) {
    this.geometry = geometry;
  }

  /** `weights`: what each block of the round counts while it is written and not durable. */
  beginAttempt(weights: ReadonlyMap<number, number>): void {
    this.weights = weights;
    [this.mostOpen, this.wrote, this.flushesTooMany, this.flushFailed] = [0, false, 0, false];
    for (const leaf of this.leaves.values()) leaf.open = false;
  }

  /** Whether a call is about what may be written while the disk is open. */
  isInside({ offset }: Pick<HostCall, 'offset'>): boolean {
    return offset >= this.geometry.headEnd && offset < this.geometry.tailStart;
  }

  async see(call: HostCall, act: () => Promise<unknown>): Promise<unknown> {
    this.underWay++;
    try {
      if (call.name === 'flush') return await this.flush(act);
      if (call.name === 'read') return await this.read(call, act);
      if ((call.name === 'write' || call.name === 'punch') && this.isInside(call)) return await this.write(call, act);
      return await act();
    } finally {
      this.underWay--;
    }
  }

  private async write({ offset, length }: HostCall, act: () => Promise<unknown>): Promise<unknown> {
    this.wrote = true;
    const touched: Leaf[] = [];
    for (let at = Math.floor(offset / leafBytes); at * leafBytes < offset + length; at++) {
      const leaf = this.leaves.get(at) ?? { writing: 0, writtenAt: 0, durableAt: 0, proven: false, open: false };
      this.leaves.set(at, leaf);
      touched.push(leaf);
      Object.assign(leaf, { writing: leaf.writing + 1, durableAt: 0, proven: false, open: true });
    }
    this.countOpen();
    try {
      return await act();
    } finally {
      const now = ++this.now;
      for (const leaf of touched) Object.assign(leaf, { writing: leaf.writing - 1, writtenAt: now });
    }
  }

  private countOpen(): void {
    const blocks = new Set<number>();
    for (const [at, { open }] of this.leaves) if (open) blocks.add(Math.floor((at * leafBytes) / blockBytes));
    const bytes = [...blocks].reduce((sum, block) => sum + (this.weights.get(block) ?? 0), 0);
    if (blocks.size > 1) this.mostOpen = Math.max(this.mostOpen, bytes);
  }

  private async flush(act: () => Promise<unknown>): Promise<unknown> {
    if (this.flushFailed) this.flushesTooMany++;
    const begunAt = ++this.now;
    try {
      await act();
    } catch (error) {
      this.flushFailed = true;
      throw error;
    }
    const now = ++this.now;
    for (const leaf of this.leaves.values())
      if (leaf.writing === 0 && leaf.writtenAt < begunAt && leaf.durableAt === 0)
        Object.assign(leaf, { durableAt: now, open: false });
    return undefined;
  }

  private async read({ offset, length }: HostCall, act: () => Promise<unknown>): Promise<unknown> {
    const begunAt = ++this.now;
    const answer = await act();
    const end = offset + length < this.geometry.sizeBytes ? offset + length : Number.POSITIVE_INFINITY;
    for (let at = Math.ceil(offset / leafBytes); (at + 1) * leafBytes <= end; at++) {
      if (at * leafBytes >= this.geometry.sizeBytes) break;
      const leaf = this.leaves.get(at);
      if (leaf !== undefined && leaf.durableAt > 0 && leaf.durableAt < begunAt) leaf.proven = true;
    }
    return answer;
  }

  /** Leaves that were written and not proven since. */
  get unproven(): number[] {
    return [...this.leaves].filter(([, { proven }]) => !proven).map(([at]) => at);
  }
}
