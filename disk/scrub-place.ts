/**
 * How far a disk's background scrub is, on the mover's own disk, so that a killed or interrupted pass goes on.
 * Rule: it belongs to one copy of the disk (the record's id); of another copy, or damaged, it says nothing and the pass
 * begins anew, which costs time and is never wrong. Never a part of the proof: that a block was read is not what it was.
 */
import { createHash } from 'node:crypto';
import { hostCall } from './failure.ts';
import { readIfPresent, replaceFile } from './replace-file.ts';

export interface ScrubPlace {
  /** `DiskState.id` of the copy it speaks of. */
  readonly id: string;
  readonly pass: number;
  /** The first block this pass has not read; all blocks: it is done. */
  readonly next: number;
  readonly bytes: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Set when the pass is done. */
  readonly endedAt?: string;
}

const checkOf = (json: string): string => createHash('sha256').update(json).digest('hex').slice(0, 32);

export async function readScrubPlace(path: string, subject: string): Promise<ScrubPlace | undefined> {
  const [json, check] = (await readIfPresent(path, subject))?.toString('utf8').split('\n') ?? [];
  if (json === undefined || check !== checkOf(json)) return undefined;
  // The checksum says that we wrote it, so its shape is ours.
  return JSON.parse(json) as ScrubPlace;
}

export async function writeScrubPlace(path: string, subject: string, place: ScrubPlace): Promise<void> {
  const json = JSON.stringify(place);
  await hostCall('state.scrub', subject, () => replaceFile(path, [Buffer.from(`${json}\n${checkOf(json)}\n`)]), path);
}
