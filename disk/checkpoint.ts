/**
 * A disk's whole record at one moment: its state and its digest table in one file, replaced as a whole.
 * Rule: numbered; the journal beside it names the number it goes on from. A file whose checksum is wrong, or that another
 * version wrote, is damage, never "nothing". Never keeps two generations: the journal is emptied only after the file is durable.
 */
import { createHash, type Hash } from 'node:crypto';
import { corrupt } from '../model/failure.ts';
import { DigestTable, type StoredTable } from './digest-table.ts';
import { hostCall } from './failure.ts';
import { openIfPresent, piecesOf } from './read-in-pieces.ts';
import type { DiskState } from './records.ts';
import { readIfPresent, replaceFile } from './replace-file.ts';

export interface Checkpoint {
  readonly number: number;
  readonly state: DiskState;
  readonly table: DigestTable;
}

const title = 'homeward disk record 3';
const checkBytes = 32;
const lineEnd = 10;

/** The first line. */
interface Head {
  readonly title: string;
  readonly number: number;
  readonly table: StoredTable;
  readonly state: DiskState;
}

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
  assertSound(createHash('sha256').update(content), bytes.subarray(content.byteLength), subject);
  const headEnd = content.indexOf(lineEnd) + 1;
  const { number, state, table } = headOf(content.subarray(0, headEnd), subject);
  return { number, state, table: DigestTable.from(table, content.subarray(headEnd)) };
}

/** The state alone, as `readCheckpoint` would answer it; the table is read for the checksum and not kept. */
export async function readCheckpointState(path: string, subject: string): Promise<DiskState | undefined> {
  const handle = await hostCall('state.read', subject, () => openIfPresent(path));
  if (handle === undefined) return undefined;
  const hash = createHash('sha256');
  const head: Buffer[] = [];
  let headEnded = false;
  let check = Buffer.alloc(0);
  try {
    for await (const piece of piecesOf(handle, 'state.read', subject)) {
      // Of what was read so far the last bytes may be the checksum.
      const bytes = Buffer.concat([check, piece]);
      const content = bytes.subarray(0, Math.max(0, bytes.byteLength - checkBytes));
      check = Buffer.from(bytes.subarray(content.byteLength));
      hash.update(content);
      const end = content.indexOf(lineEnd);
      if (!headEnded) head.push(Buffer.from(end < 0 ? content : content.subarray(0, end)));
      headEnded ||= end >= 0;
    }
  } finally {
    await hostCall('state.close', subject, () => handle.close());
  }
  assertSound(hash, check, subject);
  return headOf(Buffer.concat(head), subject).state;
}

function assertSound(hash: Hash, found: Uint8Array, subject: string): void {
  if (hash.digest().equals(found)) return;
  throw corrupt({
    op: 'state.checkpoint',
    subject,
    message: 'the record of this disk is damaged',
    hint: 'What the target disk holds is no longer known; copy the disk in full, and look at the mover’s storage.',
  });
}

/** The checksum says that we wrote it, so its shape is ours. */
function headOf(line: Buffer, subject: string): Head {
  const head = JSON.parse(line.toString('utf8')) as Head;
  if (head.title === title) return head;
  throw corrupt({
    op: 'state.checkpoint',
    subject,
    message: 'the record of this disk was written by another version of Homeward',
    hint: 'The next round copies the disk in full.',
  });
}
