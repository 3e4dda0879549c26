/**
 * Leases of a process while nobody serves: one that the next step wants again is kept for it, and one that nobody wants is
 * given back behind the caller's back, because each grant and each revocation costs seconds of outage.
 * Rule: a lease on the shelf belongs to nobody; whoever takes it, owns it. Each is revoked in the end: when its time is up,
 * when the process closes, or at the latest with its snapshot (S11).
 */
import { untilAborted } from '../../disk/attempts.ts';
import type { DiskPoint } from '../../model/machine.ts';
import type { Lease } from './grant.ts';

/** From a disk's last transfer to its seal: the slowest disk of the machine is waited for between them. */
const keptMs = 10 * 60 * 1000;
/** L7: a worker that is told to stop must be gone within 10 s, 5 of which its steps have; what is not revoked then goes with its snapshot. */
const closeWithinMs = 2_000;

interface Kept {
  readonly lease: Lease;
  readonly timer: NodeJS.Timeout;
}

const keyOf = ({ id, identity }: DiskPoint): string => `${id} ${identity}`;

export class LeaseShelf {
  private readonly kept = new Map<string, Kept>();
  private readonly leaving = new Set<Promise<void>>();

  /** The lease that an earlier step kept for this point; the caller owns it then. */
  take(point: DiskPoint): Lease | undefined {
    const found = this.kept.get(keyOf(point));
    if (found === undefined) return undefined;
    this.kept.delete(keyOf(point));
    clearTimeout(found.timer);
    return found.lease;
  }

  keep(point: DiskPoint, lease: Lease): void {
    const before = this.take(point);
    if (before !== undefined && before !== lease) void this.giveBack(before);
    const timer = setTimeout(() => {
      const late = this.take(point);
      if (late !== undefined) void this.giveBack(late);
    }, keptMs);
    timer.unref();
    this.kept.set(keyOf(point), { lease, timer });
  }

  /** Revokes, whether or not anybody waits for it; closing a lease never throws. */
  giveBack(lease: Lease): Promise<void> {
    const leaving = lease.close().finally(() => this.leaving.delete(leaving));
    this.leaving.add(leaving);
    return leaving;
  }

  /**
   * Revokes and waits for it, until `signal` fires at the latest: Azure may take half a minute, which an attempt that is
   * paused or whose process ends does not have (L7). The revocation goes on then.
   */
  async giveBackUntil(leases: readonly Lease[], signal: AbortSignal): Promise<void> {
    const leaving = Promise.all(leases.map((lease) => this.giveBack(lease)));
    await untilAborted(leaving, signal).catch(() => undefined);
  }

  /** Safe twice. */
  async close(): Promise<void> {
    for (const { lease, timer } of this.kept.values()) {
      clearTimeout(timer);
      void this.giveBack(lease);
    }
    this.kept.clear();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeWithinMs);
    });
    await Promise.race([Promise.all(this.leaving), late]);
    clearTimeout(timer);
  }
}
