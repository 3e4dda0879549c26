/**
 * A disk's whole record at one moment: its state and its digest table in one file, replaced as a whole.
 * Rule: numbered; the journal beside it names the number it goes on from. A file whose checksum is wrong, or that another
 * version wrote, is damage, never "nothing". Never keeps two generations: the journal is emptied only after the file is durable.
 * Never in memory as a whole: the digests are read where they lie.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { corrupt } from '../model/failure.ts';
import { DigestTable, type StoredTable } from './digest-table.ts';
import { hostCall } from './failure.ts';
import { openIfPresent, piecesOf } from './read-in-pieces.ts';
import type { DiskState } from './records.ts';
import { replaceAndKeep } from './replace-file.ts';
import { damaged, isCheck, StoredDigests } from './stored-digests.ts';

/** Its table holds the file open until it is closed. */
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

/** From here on the table's digests are read from the new file. */
export async function writeCheckpoint(path: string, subject: string, checkpoint: Checkpoint): Promise<void> {
  const { number, state, table } = checkpoint;
  const { head: stored, flags, pieces } = table.toStore();
  const head = Buffer.from(`${JSON.stringify({ title, number, table: stored, state } satisfies Head)}\n`);
  const before = createHash('sha256').update(head).update(flags);
  const hash = before.copy();
  let check = Buffer.alloc(0);
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield head;
    yield flags;
    for await (const piece of pieces()) {
      hash.update(piece);
      yield piece;
    }
    check = hash.digest();
    yield check;
  }
  const handle = await hostCall('state.checkpoint', subject, () => replaceAndKeep(path, parts()), path);
  const offset = head.byteLength + flags.byteLength;
  await table.isStored(new StoredDigests({ handle, subject, pieces: stored.pieces, offset, before, check }));
}

/** Undefined when there is none. Throws `Corrupt` when it is damaged. The caller closes the table. */
export async function readCheckpoint(path: string, subject: string): Promise<Checkpoint | undefined> {
  const handle = await hostCall('state.read', subject, () => openIfPresent(path));
  if (handle === undefined) return undefined;
  try {
    const { line, check } = await readSound(handle, subject);
    const { number, state, table } = headOf(line, subject);
    const flags = new Uint8Array(table.blocks);
    const read = () => handle.read(flags, 0, flags.byteLength, line.byteLength);
    if ((await hostCall('state.read', subject, read)).bytesRead < flags.byteLength) throw damaged(subject);
    const before = createHash('sha256').update(line).update(flags);
    const offset = line.byteLength + flags.byteLength;
    const stored = new StoredDigests({ handle, subject, pieces: table.pieces, offset, before, check });
    return { number, state, table: DigestTable.from(table, flags, stored) };
  } catch (error) {
    await hostCall('state.close', subject, () => handle.close());
    throw error;
  }
}

/** The state alone, as `readCheckpoint` would answer it. */
export async function readCheckpointState(path: string, subject: string): Promise<DiskState | undefined> {
  const checkpoint = await readCheckpoint(path, subject);
  await checkpoint?.table.close();
  return checkpoint?.state;
}

/** Reads all of it, and answers its first line and its checksum. Throws `Corrupt` when that is not of the rest. */
async function readSound(handle: FileHandle, subject: string): Promise<{ line: Buffer; check: Buffer }> {
  const hash = createHash('sha256');
  const head: Buffer[] = [];
  let headEnded = false;
  let check = Buffer.alloc(0);
  for await (const piece of piecesOf(handle, 'state.read', subject)) {
    // Of what was read so far the last bytes may be the checksum.
    const bytes = Buffer.concat([check, piece]);
    const content = bytes.subarray(0, Math.max(0, bytes.byteLength - checkBytes));
    check = Buffer.from(bytes.subarray(content.byteLength));
    hash.update(content);
    const end = content.indexOf(lineEnd);
    if (!headEnded) head.push(Buffer.from(end < 0 ? content : content.subarray(0, end + 1)));
    headEnded ||= end >= 0;
  }
  if (!isCheck(hash, check)) throw damaged(subject);
  return { line: Buffer.concat(head), check };
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
