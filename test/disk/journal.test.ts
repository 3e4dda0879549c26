/**
 * The journal after a crash: a torn last line is cut off, damage before a good line is told.
 * Rule: S9: what the journal cannot prove is unknown, never guessed.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal, readJournal } from '../../disk/journal.ts';
import type { Failure } from '../../model/failure.ts';
import { systemError, watchHost } from './host-edge.ts';
import { failureOf } from './workbench.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'homeward-journal-'));
  path = join(folder, 'journal');
  const journal = await Journal.create(path, 'salt', 'erp/os', { n: 0 });
  for (let n = 1; n < 5; n++) await journal.append({ n });
  await journal.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** All records and where the journal goes on. */
async function readAll() {
  const list: unknown[] = [];
  const end = await readJournal(path, 'salt', 'erp/os', (record, seq) => {
    expect(seq).toBe(list.push(record) - 1);
  });
  return end && { list, end };
}
const records = async () => (await readAll())?.list;

describe('a journal', () => {
  test('gives back what was appended', async () => {
    expect(await records()).toEqual([0, 1, 2, 3, 4].map((n) => ({ n })));
  });

  test('with lines longer than what is read at once gives all of them back', async () => {
    const long = [1, 7, 300, 600].map((kib) => ({ n: String(kib).repeat(1000 * kib) }));
    const journal = await Journal.create(path, 'salt', 'erp/os', { n: 0 });
    for (const record of long) await journal.append(record);
    await journal.close();
    const whole = await readAll();
    expect(whole?.list).toEqual([{ n: 0 }, ...long]);
    expect(whole?.end).toEqual({ records: 5, goodBytes: readFileSync(path).byteLength });
  });

  test('cut at any byte of its last line loses that line only, and goes on', async () => {
    const whole = readFileSync(path);
    const lastLine = whole.lastIndexOf(10, whole.byteLength - 2) + 1;
    for (let cut = lastLine; cut < whole.byteLength; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const content = await readAll();
      if (content === undefined) throw new Error('the journal is gone');
      expect(content.list).toHaveLength(4);
      const journal = await Journal.resume(path, 'salt', 'erp/os', content.end);
      await journal.append({ n: 'again' });
      await journal.close();
      expect((await records())?.at(-1)).toEqual({ n: 'again' });
    }
  });

  test('with rubbish behind its last line ignores the rubbish', async () => {
    appendFileSync(path, Buffer.alloc(700));
    expect(await records()).toHaveLength(5);
  });

  test('with one flipped bit before a good line is corrupt', async () => {
    const whole = readFileSync(path);
    const second = whole.indexOf(10) + 1;
    for (const at of [0, second, second + 25]) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      expect(await failureOf(readAll())).toBe('Corrupt journal.read');
    }
  });

  test('with a strange line before a good one is corrupt', async () => {
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [...lines.slice(0, 2), 'strange', ...lines.slice(2)].join('\n'));
    expect(await failureOf(readAll())).toBe('Corrupt journal.read');
  });

  test('that lost a whole line in its middle is corrupt', async () => {
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [...lines.slice(0, 2), ...lines.slice(3)].join('\n'));
    expect(await failureOf(readAll())).toBe('Corrupt journal.read');
  });

  test('L2 takes nothing more once an append failed: behind half a line it would be damage, and a full copy', async () => {
    const before = (await readAll())?.end ?? { records: 0, goodBytes: 0 };
    const journal = await Journal.resume(path, 'salt', 'erp/os', before);
    let room = false;
    const restore = await watchHost(async (call) => {
      if (call.name !== 'append' || call.path !== path || room) return call.all();
      await call.first(9);
      throw systemError('ENOSPC');
    });
    try {
      const failed: unknown = await journal.append({ n: 'half' }).catch((error: unknown) => error);
      expect(failed).toMatchObject({ op: 'journal.append', hint: expect.stringMatching(/on the mover.*state folder/) });
      expect((failed as Failure).hint).toContain(`(${folder})`);
      room = true;
      expect(await failureOf(journal.append({ n: 'behind it' }))).toContain('journal.append');
      await journal.close();
    } finally {
      restore();
    }
    expect(await readAll()).toEqual({ list: [0, 1, 2, 3, 4].map((n) => ({ n })), end: before });
  });

  test('takes no line of another journal', async () => {
    const other = join(folder, 'other');
    const journal = await Journal.create(other, 'pepper', 'erp/os', { n: 0 });
    for (let n = 1; n < 6; n++) await journal.append({ n });
    await journal.close();
    const [line = ''] = readFileSync(other, 'utf8').split('\n').slice(5);
    appendFileSync(path, `${line}\n`);
    expect(await records()).toHaveLength(5);
  });
});
