/**
 * The record of a disk over checkpoints: folded when the journal grows long, and right whatever moment a crash chose.
 * Rule: what is read again equals what was in memory; nothing is counted twice (S9).
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeView, Ledger, type LedgerView, viewLedger } from '../../disk/ledger.ts';
import type { DiskRecord, DiskState } from '../../disk/records.ts';
import { type StateFolder, stateFolder } from '../../disk/state-folder.ts';
import { type HostCall, systemError, watchHost } from './host-edge.ts';
import { failureOf } from './workbench.ts';

const fresh: DiskState = {
  ...{ id: 'a'.repeat(32), machine: 'erp', disk: 'os', run: 'run-1', sizeBytes: 8_388_608, algorithm: 'blake3-64k' },
  ...{ direct: true, epoch: 1, phase: 'opening', point: null, rounds: 0, round: null, unproven: [] },
  ...{ lastProof: null, sealing: null, sealProof: null, brokenBecause: null },
};

let root = '';
let folder: StateFolder;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'homeward-ledger-'));
  folder = stateFolder(root, 'erp', 'os');
  mkdirSync(folder.path, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const digest = Buffer.alloc(32, 7).toString('base64');
const counts = { copiedBytes: 100, zeroedBytes: 10 };
const work: readonly DiskRecord[] = [
  { t: 'opened', blank: false },
  { t: 'round', point: 'p0', base: null },
  { t: 'plan', plan: 'x', changedBytes: 512 },
  { t: 'durable', window: 1, blocks: [{ block: 0, parts: [[1_048_576, 512]], digest }], ...counts },
  { t: 'proven', window: 1, blocks: [[0, digest]] },
  { t: 'durable', window: 2, blocks: [{ block: 1, parts: [[4_194_304, 512]], digest }], ...counts },
];

type Known = LedgerView & { readonly known: true };

/** Closed when it is answered; `look` is given it before. */
async function seen(look: (view: Known) => void = () => undefined): Promise<Known> {
  const view = await viewLedger(folder, 'erp/os');
  if (!view.known) throw new Error(view.because);
  look(view);
  await closeView(view);
  return view;
}

async function reread(): Promise<[DiskState, boolean[]]> {
  let proven: boolean[] = [];
  const { state } = await seen(({ checkpoint: { table } }) => {
    proven = [0, 1].map((block) => table.isProvenInRound(block));
  });
  return [state, proven];
}

describe('the record of a disk', () => {
  test('S9 that another version of Homeward wrote is not believed, because its digests may mean something else', async () => {
    const ledger = await Ledger.create(folder, 'erp/os', 0, fresh, 2);
    await ledger.close();
    const content = readFileSync(folder.checkpoint).subarray(0, -32);
    const other = Buffer.from(content.toString('latin1').replace('disk record 3', 'disk record 2'), 'latin1');
    expect(other.equals(content)).toBe(false);
    writeFileSync(folder.checkpoint, Buffer.concat([other, createHash('sha256').update(other).digest()]));
    expect(await viewLedger(folder, 'erp/os')).toMatchObject({
      known: false,
      damaged: true,
      because: expect.stringContaining('another version'),
    });
  });

  test('read again equals the one in memory, before and after it is folded', async () => {
    const ledger = await Ledger.create(folder, 'erp/os', 0, fresh, 2);
    for (const record of work) await ledger.append(record);
    expect(await reread()).toEqual([ledger.state, [true, false]]);
    await ledger.compact();
    await ledger.append({ t: 'proven', window: 2, blocks: [[1, digest]] });
    expect(await reread()).toEqual([ledger.state, [true, true]]);
    expect(ledger.state.round).toMatchObject({ copiedBytes: 200, zeroedBytes: 20, provenBytes: 1024 });
    await ledger.close();
  });

  test('is not counted twice when a crash left the old journal beside the new checkpoint', async () => {
    const ledger = await Ledger.create(folder, 'erp/os', 0, fresh, 2);
    for (const record of work) await ledger.append(record);
    copyFileSync(folder.journal, `${folder.journal}.old`);
    await ledger.compact();
    const state = ledger.state;
    await ledger.close();
    copyFileSync(`${folder.journal}.old`, folder.journal);
    expect(await reread()).toEqual([state, [true, false]]);
    const view = await viewLedger(folder, 'erp/os');
    if (!view.known) throw new Error(view.because);
    const resumed = await Ledger.resume(folder, 'erp/os', view);
    await resumed.append({ t: 'proven', window: 2, blocks: [[1, digest]] });
    await resumed.close();
    expect(await reread()).toEqual([resumed.state, [true, true]]);
  });

  test('S9 is not believed when an older checkpoint stands beside a journal that goes on from a newer one', async () => {
    const ledger = await Ledger.create(folder, 'erp/os', 0, fresh, 2);
    copyFileSync(folder.checkpoint, `${folder.checkpoint}.old`);
    for (const record of work) await ledger.append(record);
    await ledger.compact();
    await ledger.close();
    copyFileSync(`${folder.checkpoint}.old`, folder.checkpoint);
    expect(await viewLedger(folder, 'erp/os')).toMatchObject({
      known: false,
      damaged: true,
      because: expect.stringContaining('goes on from a record that is not there'),
    });
  });

  test.each<[string, (call: HostCall) => boolean]>([
    ['before its new checkpoint is written', ({ name, path }) => name === 'append' && path.endsWith('.new')],
    ['once its new checkpoint is there', ({ name, path }) => name === 'flush' && path === folder.path],
    ['before its new journal is there', ({ name, path }) => name === 'rename' && path.endsWith('journal.new')],
  ])('S3 takes nothing more that nobody would read when it cannot be folded, %s', async (_, fails) => {
    const ledger = await Ledger.create(folder, 'erp/os', 0, fresh, 2);
    for (const record of work) await ledger.append(record);
    const restore = await watchHost(async (call) => {
      if (fails(call)) throw systemError('EIO');
      return call.all();
    });
    try {
      expect(await failureOf(ledger.compact())).toContain('Refused');
    } finally {
      restore();
    }
    const because = 'block 1 reads back as something else';
    const taken = await ledger.append({ t: 'broken', because }).then(
      () => true,
      () => false,
    );
    await ledger.close();
    expect((await seen()).state.phase).toBe(taken ? 'broken' : 'open');
    expect((await seen()).state).toEqual(ledger.state);
  });

  test('between two rounds is folded only when its journal is long: a small round writes no table anew', async () => {
    const ledger = await Ledger.create(folder, 'erp/os', 0, fresh, 2);
    for (const record of work) await ledger.append(record);
    const before = readFileSync(folder.checkpoint);
    await ledger.rest();
    expect(readFileSync(folder.checkpoint).equals(before)).toBe(true);
    await ledger.append({ t: 'plan', plan: 'x'.repeat(300_000), changedBytes: 512 });
    await ledger.rest();
    await ledger.close();
    const view = await seen();
    expect([view.checkpoint.number, view.journal.records]).toEqual([2, 1]);
    expect(view.state).toEqual(ledger.state);
  });

  test('folds itself when its journal grows long, so that a resume stays short', async () => {
    const ledger = await Ledger.create(folder, 'erp/os', 0, fresh, 2);
    for (const record of work.slice(0, 2)) await ledger.append(record);
    const long = 'x'.repeat(3_000_000);
    for (let index = 0; index < 7; index++)
      await ledger.append({ t: 'plan', plan: `${index}${long}`, changedBytes: index });
    await ledger.close();
    const view = await seen();
    expect(view.checkpoint.number).toBe(2);
    expect(view.state.round?.changedBytes).toBe(6);
    expect(view.journal.goodBytes).toBeLessThan(10_000_000);
  });

  test('L5 that is read again keeps what it says and none of the journal’s lines, however many', async () => {
    const ledger = await Ledger.create(folder, 'erp/os', 0, fresh, 2);
    for (const record of work.slice(0, 2)) await ledger.append(record);
    const blocks = [{ block: 0, parts: [[0, 512] as const], digest }];
    for (let window = 1; window <= 100; window++) {
      await ledger.append({ t: 'durable', window, blocks, ...counts });
      if (window < 100) await ledger.append({ t: 'proven', window, blocks: [[0, digest]] });
    }
    await ledger.close();
    const view = await seen();
    expect(view).toMatchObject({ known: true, journal: { records: 202 }, state: { unproven: [{ window: 100 }] } });
    const kept = JSON.stringify(view, (key, value: unknown) => (key === 'table' ? undefined : value));
    expect(readFileSync(folder.journal).byteLength).toBeGreaterThan(10 * kept.length);
  });

  test('of a machine whose name is a path stays inside the state folder', () => {
    for (const name of ['..', '.', '/etc', 'a/../../b', '']) {
      expect(stateFolder('/state', name, '..').path).toMatch(/^\/state\/[^/]+\/%2E\.$/);
    }
  });
});
