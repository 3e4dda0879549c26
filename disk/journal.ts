/**
 * An append-only file of records, one line each: sequence number, checksum, JSON.
 * Rule: a record is on the medium before `append` returns. A torn last line is what a crash leaves and is cut off;
 * a bad line before a good one is damage and makes the whole journal untrusted. Never repairs damage by guessing.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { corrupt } from '../model/failure.ts';
import { hostCall } from './failure.ts';
import { openIfPresent, piecesOf } from './read-in-pieces.ts';
import { replaceFile } from './replace-file.ts';

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

/** Where a journal goes on. */
export interface JournalEnd {
  readonly records: number;
  /** Bytes up to the end of the last good line. */
  readonly goodBytes: number;
}

/** All lines in order, the newline left on; the last one may lack it. A long file is never in memory as a whole. */
async function* linesOf(handle: FileHandle, subject: string): AsyncGenerator<Buffer, void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const piece of piecesOf(handle, 'journal.read', subject)) {
    const bytes = Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      yield bytes.subarray(from, end + 1);
      from = end + 1;
    }
    rest = bytes.subarray(from);
  }
  if (rest.byteLength > 0) yield rest;
}

/**
 * Hands every record to `each`, with its number from 0 on, and keeps none; undefined when the file does not exist. Throws
 * `Corrupt` on damage before the last line, after the records before it were handed out.
 */
export async function readJournal(
  path: string,
  salt: string,
  subject: string,
  each: (record: unknown, seq: number) => void,
): Promise<JournalEnd | undefined> {
  const handle = await hostCall('journal.read', subject, () => openIfPresent(path));
  if (handle === undefined) return undefined;
  let [records, goodBytes, torn] = [0, 0, false];
  try {
    for await (const bytes of linesOf(handle, subject)) {
      const line = bytes.at(-1) === 10 ? parseLine(salt, bytes.toString('utf8', 0, bytes.byteLength - 1)) : undefined;
      if (line !== undefined && (torn || line.seq !== records)) {
        throw corrupt({
          op: 'journal.read',
          subject,
          message: `line ${records} of the journal is damaged or missing, and good lines follow it`,
          hint: 'What the target disk holds is no longer known; copy the disk in full, and look at the mover’s storage.',
        });
      }
      if (line === undefined) torn = true;
      else {
        each(line.record, records++);
        goodBytes += bytes.byteLength;
      }
    }
  } finally {
    await hostCall('journal.close', subject, () => handle.close());
  }
  return { records, goodBytes };
}

/** A write returns when it is on the medium: one call instead of two. */
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_DSYNC;

export class Journal {
  private readonly path: string;
  private readonly handle: FileHandle;
  private readonly salt: string;
  private readonly subject: string;
  private seq: number;
  private broken = false;
  bytes: number;

  private constructor(
    path: string,
    handle: FileHandle,
    place: { readonly salt: string; readonly subject: string },
    seq: number,
    bytes: number,
  ) {
    this.path = path;
    this.handle = handle;
    this.salt = place.salt;
    this.subject = place.subject;
    this.seq = seq;
    this.bytes = bytes;
  }

  /** Replaces whatever journal was there by one with a single record. */
  static async create(path: string, salt: string, subject: string, first: unknown): Promise<Journal> {
    const line = lineOf(salt, 0, first);
    const make = async (): Promise<Journal> => {
      await replaceFile(path, [Buffer.from(line)]);
      return new Journal(path, await open(path, appending), { salt, subject }, 1, Buffer.byteLength(line));
    };
    return hostCall('journal.create', subject, make, path);
  }

  /** Goes on behind the good lines; the torn rest is cut off first. */
  static async resume(path: string, salt: string, subject: string, end: JournalEnd): Promise<Journal> {
    const goOn = async (): Promise<Journal> => {
      const handle = await open(path, appending);
      try {
        await handle.truncate(end.goodBytes);
        await handle.sync();
      } catch (error) {
        await handle.close();
        throw error;
      }
      return new Journal(path, handle, { salt, subject }, end.records, end.goodBytes);
    };
    return hostCall('journal.open', subject, goOn, path);
  }

  /** Durable when it returns. After a failed append nothing more is taken: half a line may be in the file. */
  async append(record: unknown): Promise<void> {
    const add = async (): Promise<void> => {
      if (this.broken) throw new Error('an earlier append failed');
      const line = lineOf(this.salt, this.seq, record);
      this.broken = true;
      await this.handle.appendFile(line);
      this.broken = false;
      this.seq++;
      this.bytes += Buffer.byteLength(line);
    };
    await hostCall('journal.append', this.subject, add, this.path);
  }

  async close(): Promise<void> {
    await hostCall('journal.close', this.subject, () => this.handle.close());
  }
}
