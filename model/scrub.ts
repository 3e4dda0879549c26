/**
 * What is known of a target disk's scrub: whole passes over it that read every byte again and compare it with its digest.
 * Rule: it speaks of the bytes the disk holds now; a full copy of the disk makes everything said before void.
 */
import type { DiskKey, TransferProof } from './machine.ts';

/** One whole pass, as the mover counted it. */
export interface ScrubProof {
  readonly disk: DiskKey;
  /** Counted from 1 over the disk's life. */
  readonly pass: number;
  /** Bytes read past the page cache and found to be what was proven. */
  readonly bytes: number;
  /** ISO 8601, the mover's clock. A pass that gave way to rounds or was killed began when its first part did. */
  readonly startedAt: string;
  readonly endedAt: string;
}

/** How a disk stands; JSON-safe, for status and record. */
export interface ScrubReport {
  readonly disk: DiskKey;
  /** The last whole pass since the disk was last copied in full; absent while there is none. */
  readonly last?: ScrubProof;
  /** What a pass found to be other than proven, while the full copy that cures it is not done. */
  readonly damage?: string;
  /** How often that happened in this run. */
  readonly damages: number;
  /** Why the last try ended without an answer. */
  readonly problem?: string;
}

export const unscrubbed = (disk: DiskKey): ScrubReport => ({ disk, damages: 0 });

/** S3: whether every byte of the disk was read again after it was first written, by a pass in the background. */
export const rereadInFull = (report: ScrubReport | undefined): boolean =>
  report?.last !== undefined && report.damage === undefined;

/** Passes of a disk that are all told; after them one a day. */
const toldOneByOne = 10;

/**
 * Whether a report is worth an event in the story's history: what turned, the first passes, then one pass a day. A machine
 * of 16 disks that is scrubbed every minute would else fill its 51,200 events within half a day.
 */
export function isNews(before: ScrubReport, now: ScrubReport): boolean {
  const stand = ({ damages, damage, problem }: ScrubReport): string =>
    [damages, damage === undefined, problem === undefined].join();
  if (stand(before) !== stand(now)) return true;
  if (now.last === undefined || now.last.pass === before.last?.pass) return false;
  const day = (proof: ScrubProof | undefined): string | undefined => proof?.endedAt.slice(0, 10);
  return now.last.pass <= toldOneByOne || day(now.last) !== day(before.last);
}

/** What is assumed of a target that no scrub has read yet, in bytes a second. */
const assumedBytesPerSecond = 400 * 1024 * 1024;

export interface RereadCost {
  readonly bytes: number;
  readonly seconds: number;
  /** False: no scrub has read this target yet, the pace is an assumption. */
  readonly measured: boolean;
}

/**
 * What reading all of a target again inside the outage takes, `bytes` in all. The pace is that of the last scrubs, with
 * all their rests for rounds, so the true time is rather shorter.
 */
export function rereadCost(bytes: number, reports: readonly ScrubReport[] = []): RereadCost {
  const passes = reports.flatMap(({ last }) => (last ? [last] : []));
  const read = passes.reduce((sum, pass) => sum + pass.bytes, 0);
  const tookMs = passes.reduce((sum, pass) => sum + Date.parse(pass.endedAt) - Date.parse(pass.startedAt), 0);
  const measured = read > 0 && tookMs > 0;
  const pace = measured ? (read / tookMs) * 1000 : assumedBytesPerSecond;
  return { bytes, seconds: Math.ceil(bytes / pace), measured };
}

/** A disk that was just copied in full has been read back, but not again since. */
export const scrubsAfter = (
  reports: readonly ScrubReport[],
  proofs: readonly Pick<TransferProof, 'disk' | 'mode'>[],
): ScrubReport[] =>
  reports.map((report) =>
    proofs.some(({ disk, mode }) => disk === report.disk && mode === 'full')
      ? { disk: report.disk, damages: report.damages }
      : report,
  );
