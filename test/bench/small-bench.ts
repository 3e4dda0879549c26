/**
 * Runs the bench's contestants on a disk of 16 MiB and spoils the copies of one that plays a peer.
 * Rule: prints one line of JSON at the end, what happened to each.
 */
import { copyFile, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { copyBare, copyByPeer, withMover } from '../../bench/contestants.ts';
import { deltaRound } from '../../bench/delta-copy.ts';
import { mib } from '../../bench/layout.ts';
import { rowNames } from '../../bench/rows.ts';
import { Stage } from '../../bench/stage.ts';
import type { Plan } from '../../bench/suite.ts';
import { suites } from '../../bench/suites.ts';

const peaks: number[] = [];
const plan: Plan = {
  quick: true,
  rounds: 1,
  say: () => undefined,
  peak: (each) => void peaks.push(each),
  size: () => undefined,
  peer: () => undefined,
};
const data = [
  { start: 0, end: 4 * mib },
  { start: 5 * mib, end: 16 * mib },
];
const changes = [{ start: 4 * mib, end: 4 * mib + 65_536 }];
// Beside the project: the system's temporary folder lies in memory on some machines.
const folder = join(import.meta.dirname, '..', '..', '.homeward');
await mkdir(folder, { recursive: true });
const stage = await Stage.open(folder);
try {
  const disk = await stage.makeSource('small', 16 * mib, data);
  const changed = await stage.makeChanged('changed', disk, changes);
  /** Copies the source's file, then does `harm`; says how the bench took it. */
  const taken = async (harm: (path: string) => Promise<void>): Promise<string> => {
    const copy = async (path: string): Promise<void> => {
      await copyFile(disk.path, path);
      await harm(path);
    };
    const words = await copyByPeer(stage, disk, copy).then(
      () => 'taken',
      (error: Error) => error.message,
    );
    return words.replace(/:? 0x.*\n?$/s, '').replace(/: \/.*\n?$/s, ': sizes differ');
  };
  const writeAt = (offset: number, byte: (was: number) => number) => async (path: string) => {
    const file = await open(path, 'r+');
    const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: offset });
    await file.write(Buffer.from([byte(buffer[0] ?? 0)]), 0, 1, offset);
    await file.close();
  };
  const { delta, bare } = await withMover(stage, async (mover) => ({
    delta: await deltaRound(stage, plan, mover, disk, changed, 65_536),
    bare: await copyBare(stage, mover, disk, {}),
  }));
  const measuredRows = [...suites.flatMap(({ rows }) => rows), 'mover-memory'];
  const seen = {
    rowsNobodyMeasures: rowNames.filter((name) => !measuredRows.includes(name)),
    verified: delta.seconds > 0 && Math.abs(delta.overhead - (delta.seconds / 65_536) * delta.bytesPerSecond) < 1e-6,
    memory: (peaks[0] ?? 0) > 50,
    bare: bare.bytes === 15 * mib,
    equalPeer: await taken(async () => undefined),
    holesWrittenAsZeros: await taken(writeAt(4.5 * mib, () => 0)),
    wrongByte: await taken(writeAt(5 * mib, (was) => was ^ 1)),
    wrongHole: await taken(writeAt(4 * mib, () => 7)),
    tooShort: await taken(async (path) => {
      const file = await open(path, 'r+');
      await file.truncate(16 * mib - 512);
      await file.close();
    }),
  };
  process.stdout.write(`${JSON.stringify(seen)}\n`);
} finally {
  await stage.close();
}
