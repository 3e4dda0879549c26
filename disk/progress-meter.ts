/**
 * Counts bytes and says so at a bearable pace.
 * Rule: at most one report in 250 ms, but every change of stage at once; time is monotonic.
 * Never throws into the copy: progress is for people.
 */
import type { TransferProgress } from '../model/progress.ts';

const reportEveryMs = 250;
/** The rate is that of the last few seconds, so that a stall shows. */
const rateOverMs = 5000;

export class ProgressMeter {
  private readonly disk: string;
  private readonly report: (progress: TransferProgress) => void;
  private stage: TransferProgress['stage'] = 'waiting';
  private doneBytes = 0;
  private totalBytes = 0;
  private reportedAt = Number.NEGATIVE_INFINITY;
  private samples: { at: number; bytes: number; sent: number }[] = [];
  epoch = 0;
  repairedBlocks = 0;
  /** What the source's list names, once it is read. */
  listedBytes: number | undefined;

  /** What is to be fetched, once it is planned. */
  fetchBytes: number | undefined;
  /**
   * From when on the rate counts: since bytes can move, or the first piece would look endlessly fast; later since the last piece
   * before the samples, because each of them took the time from the one before it.
   */
  private since = performance.now();

  constructor(disk: string, report: (progress: TransferProgress) => void) {
    this.disk = disk;
    this.report = report;
  }

  enter(stage: TransferProgress['stage'], totalBytes = this.totalBytes): void {
    if (this.stage === 'waiting' || this.stage === 'listing') this.since = performance.now();
    this.stage = stage;
    this.totalBytes = totalBytes;
    this.say(performance.now());
  }

  /** `moved: false` for bytes that were done before and must not count as speed; `sent`: of them, what the source sent. */
  done(bytes: number, moved = true, sent = bytes): void {
    this.doneBytes += bytes;
    const now = performance.now();
    if (moved) this.samples.push({ at: now, bytes, sent });
    if (now - this.reportedAt >= reportEveryMs) this.say(now);
  }

  /** A block is sent whole instead of in part: `moreBytes` and `moreFetched` on top of what was planned. */
  repair(moreBytes: number, moreFetched: number): void {
    this.repairedBlocks++;
    this.more(moreBytes, moreFetched);
  }

  /** More was found to do than was planned. */
  more(bytes: number, fetched: number): void {
    this.totalBytes += bytes;
    if (this.fetchBytes !== undefined) this.fetchBytes += fetched;
  }

  private say(now: number): void {
    this.reportedAt = now;
    for (let first = this.samples[0]; first && now - first.at >= rateOverMs; first = this.samples[0]) {
      this.since = first.at;
      this.samples.shift();
    }
    const perSecond = (bytes: number): number => Math.round((bytes * 1000) / Math.max(reportEveryMs, now - this.since));
    const total = (of: 'bytes' | 'sent'): number => this.samples.reduce((sum, sample) => sum + sample[of], 0);
    this.report({
      disk: this.disk,
      stage: this.stage,
      doneBytes: this.doneBytes,
      totalBytes: this.totalBytes,
      bytesPerSecond: perSecond(total('bytes')),
      sentPerSecond: perSecond(total('sent')),
      epoch: this.epoch,
      ...(this.listedBytes !== undefined && { listedBytes: this.listedBytes }),
      ...(this.fetchBytes !== undefined && { fetchBytes: this.fetchBytes }),
      ...(this.repairedBlocks > 0 && { repairedBlocks: this.repairedBlocks }),
    });
  }
}
