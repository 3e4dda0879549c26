/** The table of a disk's digests, most of which lie in its checkpoint: right over any order, and small whatever the disk. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../disk/checkpoint.ts';
import { DigestTable, mostFresh, tableBytes } from '../../disk/digest-table.ts';
import { blockBytes } from '../../disk/geometry.ts';
import { Ledger } from '../../disk/ledger.ts';
import type { DiskState } from '../../disk/records.ts';
import { stateFolder } from '../../disk/state-folder.ts';
import { failureOf } from './workbench.ts';

const MiB = 1024 ** 2;
const subject = 'erp/os';
const digest = (of: number): Buffer => createHash('sha256').update(`${of}`).digest();
const state = { id: 'a'.repeat(32), run: 'run-1', phase: 'open', round: null, unproven: [] } as unknown as DiskState;

let root = '';
let path = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'homeward-table-'));
  path = join(root, 'checkpoint');
});
afterEach(() => rmSync(root, { recursive: true }));

const stored = async (table: DigestTable, number = 1): Promise<DigestTable> => {
  await writeCheckpoint(path, subject, { number, state, table });
  return table;
};

async function reopened(): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(path, subject);
  if (checkpoint === undefined) throw new Error('no checkpoint');
  return checkpoint;
}

const blocks = 5_000;
const block = fc.nat({ max: blocks - 1 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ prove: block, of: fc.nat({ max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ zeros: block, count: fc.integer({ min: 1, max: 2_000 }) }) },
  { weight: 2, arbitrary: fc.record({ fill: block, count: fc.integer({ min: 1, max: 2_000 }) }) },
  { weight: 1, arbitrary: fc.constant('round' as const) },
  { weight: 2, arbitrary: fc.constant('store' as const) },
  { weight: 2, arbitrary: fc.constant('reopen' as const) },
);

test('S3 S9 what is known of each block is the same in whatever order it was proven, stored and read again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      let table = await stored(new DigestTable(blocks));
      const right = new Map<number, Buffer>();
      const inRound = new Set<number>();
      const prove = (at: number, bytes: Buffer): void => {
        table.prove(at, bytes);
        right.set(at, bytes);
        inRound.add(at);
      };
      try {
        for (const each of steps) {
          if (each === 'round') {
            table.beginRound();
            inRound.clear();
          } else if (each === 'store') await stored(table);
          else if (each === 'reopen') {
            await stored(table);
            await table.close();
            ({ table } = await reopened());
          } else if ('prove' in each) prove(each.prove, digest(each.of));
          else if ('fill' in each)
            for (let at = each.fill; at < Math.min(blocks, each.fill + each.count); at++) prove(at, digest(at));
          else {
            const count = Math.min(each.count, blocks - each.zeros);
            table.proveZeros(each.zeros, count, digest(-1));
            for (let at = each.zeros; at < each.zeros + count; at++) {
              right.set(at, digest(-1));
              inRound.add(at);
            }
          }
        }
        for (let at = 0; at < blocks; at++) {
          const [known, proven] = [right.get(at), inRound.has(at)];
          expect([table.isKnown(at), table.isProvenInRound(at)]).toEqual([known !== undefined, proven]);
          if (known === undefined) continue;
          const found = table.digestOf(at);
          if (!known.equals(found instanceof Uint8Array ? found : await found)) throw new Error(`block ${at}`);
        }
      } finally {
        await table.close();
      }
    }),
    { numRuns: 30 },
  );
});

test('S3 S9 a record whose pieces lie in the order they were first proven in, as they did before, loses none of them', async () => {
  const first = [4, 0, 2];
  const digests = (piece: number): Buffer[] => Array.from({ length: 1024 }, (_, at) => digest(piece * 1024 + at));
  const flags = Buffer.alloc(blocks);
  for (const piece of first) flags.fill(1, piece * 1024, Math.min(blocks, (piece + 1) * 1024));
  const head = {
    title: 'homeward disk record 3',
    number: 1,
    table: { blocks, zeroDigest: null, pieces: first },
    state,
  };
  const content = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), flags, ...first.flatMap(digests)]);
  writeFileSync(path, Buffer.concat([content, createHash('sha256').update(content).digest()]));
  const { table } = await reopened();
  table.prove(1024, digest(1024));
  table.prove(7, digest(7));
  for (const _ of ['as it was written anew', 'and once more']) {
    await stored(table);
    const again = await reopened();
    for (const at of [0, 7, 1023, 1024, 2048, 3071, 4096, blocks - 1])
      expect([at, await again.table.digestOf(at)]).toEqual([at, new Uint8Array(digest(at))]);
    await again.table.close();
  }
  await table.close();
});

test('S9 digests that went bad in the file since it was read never become part of the next checkpoint', async () => {
  const table = await stored(new DigestTable(blocks));
  for (let at = 0; at < blocks; at++) table.prove(at, digest(at));
  await stored(table);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 1_000) ^ 1, bytes.byteLength - 1_000);
  // In place: the table has this very file open.
  writeFileSync(path, bytes);
  table.prove(7, digest(70));
  expect(await failureOf(stored(table, 2))).toBe('Corrupt state.checkpoint');
  expect(readFileSync(path).equals(bytes)).toBe(true);
  await table.close();
  expect(await failureOf(readCheckpoint(path, subject))).toBe('Corrupt state.checkpoint');
});

test('a record whose fresh digests are many is folded, so that memory holds few of them', async () => {
  const folder = stateFolder(root, 'erp', 'os');
  mkdirSync(folder.path, { recursive: true });
  const ledger = await Ledger.create(folder, subject, 0, state, 3 * mostFresh);
  const before = readFileSync(folder.checkpoint).byteLength;
  for (let first = 0; first < mostFresh; first += 512) {
    const proven = Array.from({ length: 512 }, (_, at) => [first + at, digest(at).toString('base64')] as const);
    await ledger.append({ t: 'proven', window: 1, blocks: proven });
  }
  await ledger.close();
  expect(readFileSync(folder.checkpoint).byteLength).toBeGreaterThan(before + 32 * mostFresh - 1);
  expect(readFileSync(folder.journal).byteLength).toBeLessThan(MiB / 4);
});

/** Bytes in buffers once all that nobody can reach is gone. */
async function held(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let turn = 0; turn < 5; turn++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().arrayBuffers;
}

test('a table that was closed holds no memory, though whoever had it is still there', async () => {
  const before = await held();
  const table = new DigestTable(8 * MiB);
  for (let at = 0; at < mostFresh; at++) table.prove(at, digest(at));
  expect((await held()) - before).toBeGreaterThan(8 * MiB);
  await table.close();
  expect((await held()) - before).toBeLessThan(MiB / 4);
  expect(table.isKnown(7)).toBe(false);
});

test('the table of a disk of 4 TiB that is full of data takes no more memory than its weight says', async () => {
  const sizeBytes = 4 * 1024 ** 4;
  const full = new DigestTable(sizeBytes / blockBytes);
  for (let at = 0; at < full.blocks; at++) full.prove(at, digest(at % 100));
  await (await stored(full)).close();
  const before = await held();
  const { table } = await reopened();
  for (let at = 0; at < table.blocks; at += 1_000) await table.digestOf(at);
  for (let at = 0; at < mostFresh; at++) table.prove(at * 200, digest(at));
  expect((await held()) - before).toBeLessThanOrEqual(tableBytes(sizeBytes));
  expect(tableBytes(sizeBytes)).toBeLessThan(2 * MiB);
  expect(await table.digestOf(123_457)).toEqual(new Uint8Array(digest(57)));
  await table.close();
}, 60_000);
