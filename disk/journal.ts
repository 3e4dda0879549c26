/**
 * An append-only file of records, one line each: sequence number, checksum, JSON.
 * Rule: a record is on the medium before `append` returns. A torn last line is what a crash leaves and is cut off;
 * a bad line before a good one is damage and makes the whole journal untrusted. Never repairs damage by guessing.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { corrupt } from '../model/failure.ts';
import { hostCall } from './failure.ts';
import { readIfPresent, replaceFile } from './replace-file.ts';

interface Line {
  readonly seq: number;
  readonly record: unknown;
}

/** The salt ties a line to its journal: a block of an older file that shows up again does not pass. */
function checkOf(salt: string, seq: number, json: string): string {
  return createHash('sha256').update(`${salt}\n${seq}\n${json}`).digest('hex').slice(0, 16);
}

const lineOf = (salt: string, seq: number, record: unknown): string => {
  const json = JSON.stringify(record);
  return `${seq} ${checkOf(salt, seq, json)} ${json}\n`;
};

function parseLine(salt: string, text: string): Line | undefined {
  const match = /^(\d+) ([0-9a-f]{16}) (.*)$/.exec(text);
  if (match === null) return undefined;
  const [, seq = '', check = '', json = ''] = match;
  if (checkOf(salt, Number(seq), json) !== check) return undefined;
  return { seq: Number(seq), record: JSON.parse(json) };
}

export interface JournalContent {
  readonly records: readonly unknown[];
  /** Bytes up to the end of the last good line. */
  readonly goodBytes: number;
}

/** Reads all records; undefined when the file does not exist. Throws `Corrupt` on damage before the last line. */
export async function readJournal(path: string, salt: string, subject: string): Promise<JournalContent | undefined> {
  const bytes = await readIfPresent(path, subject);
  if (bytes === undefined) return undefined;
  const records: unknown[] = [];
  let goodBytes = 0;
  let torn = false;
  for (let from = 0; from < bytes.byteLength; ) {
    const newline = bytes.indexOf(10, from);
    const end = newline < 0 ? bytes.byteLength : newline;
    const line = newline < 0 ? undefined : parseLine(salt, bytes.toString('utf8', from, end));
    if (line !== undefined && (torn || line.seq !== records.length)) {
      throw corrupt({
        op: 'journal.read',
        subject,
        message: `line ${records.length} of the journal is damaged or missing, and good lines follow it`,
        hint: 'What the target disk holds is no longer known; copy the disk in full, and look at the mover’s storage.',
      });
    }
    if (line === undefined) torn = true;
    else {
      records.push(line.record);
      goodBytes = end + 1;
    }
    from = end + 1;
  }
  return { records, goodBytes };
}

export class Journal {
  private readonly handle: FileHandle;
  private readonly salt: string;
  private readonly subject: string;
  private seq: number;
  private broken = false;
  bytes: number;

  private constructor(handle: FileHandle, salt: string, subject: string, seq: number, bytes: number) {
    this.handle = handle;
    this.salt = salt;
    this.subject = subject;
    this.seq = seq;
    this.bytes = bytes;
  }

  /** Replaces whatever journal was there by one with a single record. */
  static async create(path: string, salt: string, subject: string, first: unknown): Promise<Journal> {
    const line = lineOf(salt, 0, first);
    return hostCall('journal.create', subject, async () => {
      await replaceFile(path, [Buffer.from(line)]);
      return new Journal(await open(path, 'a'), salt, subject, 1, Buffer.byteLength(line));
    });
  }

  /** Goes on behind the good lines; the torn rest is cut off first. */
  static async resume(path: string, salt: string, subject: string, content: JournalContent): Promise<Journal> {
    return hostCall('journal.open', subject, async () => {
      const handle = await open(path, 'a');
      try {
        await handle.truncate(content.goodBytes);
        await handle.sync();
      } catch (error) {
        await handle.close();
        throw error;
      }
      return new Journal(handle, salt, subject, content.records.length, content.goodBytes);
    });
  }

  /** Durable when it returns. After a failed append nothing more is taken: half a line may be in the file. */
  async append(record: unknown): Promise<void> {
    await hostCall('journal.append', this.subject, async () => {
      if (this.broken) throw new Error('an earlier append failed');
      const line = lineOf(this.salt, this.seq, record);
      this.broken = true;
      await this.handle.appendFile(line);
      await this.handle.datasync();
      this.broken = false;
      this.seq++;
      this.bytes += Buffer.byteLength(line);
    });
  }

  async close(): Promise<void> {
    await hostCall('journal.close', this.subject, () => this.handle.close());
  }
}
