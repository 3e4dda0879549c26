/**
 * Checks the record of a run without trusting anybody: the chain from entry to entry, and the digest a commit approved.
 * Rule (S12): it recomputes every digest; a record is whole or it is named where it breaks.
 */
import { type EvidenceEntry, evidenceOfDisks, firstBroken } from '../model/evidence.ts';
import type { Status } from '../model/status.ts';

export interface RecordVerdict {
  readonly whole: boolean;
  readonly entries: number;
  /** The last entry's digest. Keep it elsewhere: a record cut off at its end is only seen against it. */
  readonly head?: string;
  readonly firstBroken?: Pick<EvidenceEntry, 'seq' | 'key' | 'at'>;
  /** The evidence digest computed from the seals, once there are any. */
  readonly evidence?: string;
  /** What is wrong, one sentence each; empty when whole. */
  readonly findings: readonly string[];
}

export function verifyRecord(status: Pick<Status, 'record' | 'seals' | 'evidence'>): RecordVerdict {
  const broken = firstBroken(status.record);
  const head = status.record.at(-1)?.digest;
  const evidence = status.seals.length > 0 ? evidenceOfDisks(status.seals) : undefined;
  const findings: string[] = [];
  if (broken) findings.push(`entry ${broken.seq} (${broken.key}) does not follow from the entries before it`);
  if (evidence !== undefined && status.evidence !== undefined && evidence !== status.evidence)
    findings.push(`the seals give the evidence digest ${evidence}, but the run says ${status.evidence}`);
  return {
    whole: findings.length === 0,
    entries: status.record.length,
    ...(head === undefined ? {} : { head }),
    ...(broken ? { firstBroken: { seq: broken.seq, key: broken.key, at: broken.at } } : {}),
    ...(evidence === undefined ? {} : { evidence }),
    findings,
  };
}
