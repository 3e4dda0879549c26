/**
 * A disk's whole record at one moment: its state and its digest table in one file, replaced as a whole.
 * Rule: numbered; the journal beside it names the number it goes on from. A file whose checksum is wrong, or that another
 * version wrote, is damage, never "nothing". Never keeps two generations: the journal is emptied only after the file is durable.
 */
import { createHash } from 'node:crypto';
import { corrupt } from '../model/failure.ts';
import { DigestTable, type StoredTable } from './digest-table.ts';
import { hostCall } from './failure.ts';
import type { DiskState } from './records.ts';
import { readIfPresent, replaceFile } from './replace-file.ts';

export interface Checkpoint {
  readonly number: number;
  readonly state: DiskState;
  readonly table: DigestTable;
}

const title = 'homeward disk record 3';
const checkBytes = 32;

export async function writeCheckpoint(path: string, subject: string, checkpoint: Checkpoint): Promise<void> {
  const { number, state, table } = checkpoint;
  const stored = table.stored();
  const head = Buffer.from(`${JSON.stringify({ title, number, table: stored.head, state })}\n`);
  const parts = [head, ...stored.bytes];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  await hostCall('state.checkpoint', subject, () => replaceFile(path, [...parts, hash.digest()]), path);
}

/** Undefined when there is none. Throws `Corrupt` when it is damaged. */
export async function readCheckpoint(path: string, subject: string): Promise<Checkpoint | undefined> {
  const bytes = await readIfPresent(path, subject);
  if (bytes === undefined) return undefined;
  const content = bytes.subarray(0, Math.max(0, bytes.byteLength - checkBytes));
  const check = createHash('sha256').update(content).digest();
  if (!check.equals(bytes.subarray(content.byteLength))) {
    throw corrupt({
      op: 'state.checkpoint',
      subject,
      message: 'the record of this disk is damaged',
      hint: 'What the target disk holds is no longer known; copy the disk in full, and look at the mover’s storage.',
    });
  }
  const headEnd = content.indexOf(10) + 1;
  // The checksum says that we wrote it, so its shape is ours.
  const head = JSON.parse(content.toString('utf8', 0, headEnd)) as {
    title: string;
    number: number;
    table: StoredTable;
    state: DiskState;
  };
  if (head.title !== title)
    throw corrupt({
      op: 'state.checkpoint',
      subject,
      message: 'the record of this disk was written by another version of Homeward',
      hint: 'The next round copies the disk in full.',
    });
  return { number: head.number, state: head.state, table: DigestTable.from(head.table, content.subarray(headEnd)) };
}
