/**
 * The side file in which the application acknowledges what it has made durable, one line an event.
 * Rule: a line `seq slot sum` is written only after the disk's flush returned; `?` lines announce what may happen.
 * Never rewrites a line; a torn last line (the process was killed) is ignored by the reader.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { writeFully } from './file-io.ts';

/** What a slot was acknowledged to hold; `discarded` means zeros. */
export interface Acknowledged {
  readonly seq: number;
  readonly slot: number;
  readonly sum: string;
}

export type LogEvent =
  /** The application started: what follows up to the next `live` is what it found on the disk. */
  | { readonly kind: 'boot'; readonly side: string }
  | { readonly kind: 'found'; readonly at: Acknowledged }
  | { readonly kind: 'live' }
  /** A discard is about to be sent: from here on the slot may read as zeros. */
  | { readonly kind: 'intent'; readonly seq: number; readonly slot: number }
  | { readonly kind: 'done'; readonly at: Acknowledged };

export const discarded = '-';

const lineOf = (event: LogEvent): string => {
  switch (event.kind) {
    case 'boot':
      return `# boot ${event.side}`;
    case 'live':
      return '# live';
    case 'found':
      return `= ${event.at.seq} ${event.at.slot} ${event.at.sum}`;
    case 'intent':
      return `? ${event.seq} ${event.slot}`;
    case 'done':
      return `${event.at.seq} ${event.at.slot} ${event.at.sum}`;
  }
};

function eventOf(line: string): LogEvent | undefined {
  const words = line.split(' ');
  const at = (from: number): Acknowledged => ({
    seq: Number(words[from]),
    slot: Number(words[from + 1]),
    sum: words[from + 2] ?? '',
  });
  if (line === '# live') return { kind: 'live' };
  if (words[0] === '#') return { kind: 'boot', side: words[2] ?? '' };
  if (words[0] === '=') return { kind: 'found', at: at(1) };
  if (words[0] === '?') return { kind: 'intent', seq: Number(words[1]), slot: Number(words[2]) };
  return words.length === 3 ? { kind: 'done', at: at(0) } : undefined;
}

export interface AcknowledgementFile {
  /** Appends the events and returns when they are in the file. */
  append(events: readonly LogEvent[]): Promise<void>;
  close(): Promise<void>;
}

export async function openAcknowledgements(path: string): Promise<AcknowledgementFile> {
  const handle: FileHandle = await open(path, 'a');
  return {
    async append(events) {
      if (events.length === 0) return;
      await writeFully(handle, Buffer.from(events.map((event) => `${lineOf(event)}\n`).join('')), 0);
    },
    close: () => handle.close(),
  };
}

/** All whole lines of a side file, in the order they were written; none when the file does not exist yet. */
export async function readAcknowledgements(path: string): Promise<LogEvent[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .flatMap((line) => eventOf(line) ?? []);
}
