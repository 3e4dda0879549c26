/** The state at the head of a record, read without its table. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCheckpoint, readCheckpointState, writeCheckpoint } from '../../disk/checkpoint.ts';
import { DigestTable } from '../../disk/digest-table.ts';
import { failureOf } from './workbench.ts';

/** Of 80 GiB: 0.6 MiB, so that it is read in pieces; a head of `headBytes`, so that it may be longer than one. */
async function onRecord(headBytes: number, act: (path: string, state: never) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'homeward-checkpoint-'));
  const path = join(folder, 'checkpoint');
  const table = new DigestTable(20_000);
  for (let block = 0; block < table.blocks; block++) table.prove(block, Buffer.alloc(32, block));
  const state = { run: 'run-1', phase: 'open', brokenBecause: 'x'.repeat(headBytes) } as never;
  try {
    await writeCheckpoint(path, 'erp/os', { number: 7, state, table });
    await act(path, state);
  } finally {
    await table.close();
    rmSync(folder, { recursive: true });
  }
}

test.each([10, 400_000])('S11 the state of a long record is found, with a head of %i bytes', async (headBytes) => {
  await onRecord(headBytes, async (path, state) => {
    expect(await readCheckpointState(path, 'erp/os')).toEqual(state);
    const checkpoint = await readCheckpoint(path, 'erp/os');
    expect(checkpoint?.state).toEqual(state);
    expect(await checkpoint?.table.digestOf(12_345)).toEqual(new Uint8Array(32).fill(12_345));
    await checkpoint?.table.close();
    expect(await readCheckpointState(`${path}-none`, 'erp/os')).toBeUndefined();
  });
});

test('S9 a record with one wrong byte anywhere, or cut short, is damaged, however it is read', async () => {
  await onRecord(10, async (path) => {
    const sound = readFileSync(path);
    for (const at of [0, 300_000, sound.byteLength - 33, sound.byteLength - 1]) {
      const bytes = Buffer.from(sound);
      bytes[at] = (sound[at] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      expect(await failureOf(readCheckpointState(path, 'erp/os'))).toBe('Corrupt state.checkpoint');
      expect(await failureOf(readCheckpoint(path, 'erp/os'))).toBe('Corrupt state.checkpoint');
    }
    for (const length of [0, 31, 32, 300_000]) {
      writeFileSync(path, sound.subarray(0, length));
      expect(await failureOf(readCheckpointState(path, 'erp/os'))).toBe('Corrupt state.checkpoint');
    }
  });
});
