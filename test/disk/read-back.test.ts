/**
 * S3: a block is read back in pieces that are smaller than it, and each of its bytes counts all the same.
 * Rule: one byte is wrong at a time, at either side of where one piece ends and the next begins, in blocks of both ends and
 * between them; the withheld tail begins in the middle of the last block's second piece.
 */
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { blockBytes, readBackBytes } from '../../disk/geometry.ts';
import { leafBytes } from '../../disk/leaves.ts';
import { partsIn, readBackPieces } from '../../disk/read-back.ts';
import { scrubDisk } from '../../disk/target-disk.ts';
import { watchHost } from './host-edge.ts';
import {
  data,
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternImage,
  type Workbench,
} from './workbench.ts';

const size = 23.5 * mib + 512;
const tailStart = size - mib;
const image = patternImage(1, size);

const atTheEnds = [
  ['behind the withheld head', mib],
  ['at the end of the first piece', 2 * mib - 1],
  ['at the beginning of the second piece', 2 * mib],
  ['at the end of the first block', 4 * mib - 1],
  ['at the end of the first piece of the short last block', 22 * mib - 1],
  ['at the beginning of its second piece', 22 * mib],
  ['before the withheld tail', tailStart - 1],
] as const;
const everywhere = [...atTheEnds, ['in the second piece of a block in the middle', 10 * mib + 70_000]] as const;

const blockOf = (at: number): number => Math.floor(at / blockBytes);

/** Behind the engine's back; what lies around the byte may be written meanwhile. */
function flip({ path }: Workbench, at: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  writeSync(file, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
  closeSync(file);
}

/** Runs a transfer on a target that loses a bit right after it was written. */
async function losing(bench: Workbench, at: number, transfer: () => Promise<unknown>): Promise<string> {
  const restore = await watchHost(async (call) => {
    const done = await call.all();
    const { name, path, offset, length } = call;
    if (name === 'write' && path === bench.path && offset <= at && at < offset + length) flip(bench, at);
    return done;
  });
  try {
    return await failureOf(transfer());
  } finally {
    restore();
  }
}

/** As a kill leaves the record, right after the block was made durable. */
function forgetProof(bench: Workbench, block: number): void {
  const records = readFileSync(bench.statePath('journal'), 'utf8').split(/(?<=\n)/);
  const durable = records.findIndex((line) => line.includes('"t":"durable"') && line.includes(`"block":${block},`));
  expect(durable).toBeGreaterThan(0);
  writeFileSync(bench.statePath('journal'), records.slice(0, durable + 1).join(''));
}

describe('S3 a wrong byte', () => {
  test.each(everywhere)('%s is found by the proof of what a full copy wrote', async (_, at) => {
    await onWorkbench(size, async (bench) => {
      expect(await losing(bench, at, () => bench.transfer(new ImagePoint(image), 'p0'))).toBe('Corrupt proof');
    });
  });

  test.each(everywhere)('%s is found by the proof of the leaves that a delta touched', async (_, at) => {
    const start = Math.max(mib, at - (at % 512) - 4096);
    const change = data(start, Math.min(tailStart, start + 8192) - start);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const next = Buffer.from(image).fill(7, start, start + change.length);
      const round = () => bench.transfer(new ImagePoint(next, [change]), 'p1', { base: 'p0' });
      expect(await losing(bench, at, round)).toBe('Corrupt proof');
    });
  });

  test.each(everywhere)(
    '%s is found by the proof of a whole block that a killed attempt left durable',
    async (_, at) => {
      await onWorkbench(size, async (bench) => {
        await bench.transfer(new ImagePoint(image), 'p0');
        forgetProof(bench, blockOf(at));
        flip(bench, at);
        expect(await failureOf(bench.transfer(new ImagePoint(image), 'p0'))).toBe('Corrupt proof');
      });
    },
  );

  test.each(everywhere)('%s is found by the scrub', async (_, at) => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      flip(bench, at);
      await expect(scrubDisk({ ...bench.options(), after: 0 })).rejects.toThrow(`block ${blockOf(at)} [`);
    });
  });

  test.each(everywhere)(
    '%s is brought by the look at a disk that was in use, with its leaf and nothing else',
    async (_, at) => {
      await onWorkbench(size, async (bench) => {
        await bench.transfer(new ImagePoint(image), 'p0');
        await bench.seal(new ImagePoint(image), 'p0');
        flip(bench, at);
        const source = new ImagePoint(image, []);
        await bench.transfer(source, 'p1', { base: 'p0', uses: 1 });
        const offset = at - (at % leafBytes);
        expect(source.reads).toEqual([{ offset, length: Math.min(tailStart, offset + leafBytes) - offset }]);
        await bench.seal(new ImagePoint(image), 'p1', { reread: true });
        expect(firstDifference(bench.content(), image)).toBe(-1);
      });
    },
  );

  test.each(atTheEnds)('%s is found by the look of the seal', async (_, at) => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      flip(bench, at);
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt seal');
    });
  });

  test.each(everywhere)('S10 %s is cleared where all is to be zeros', async (_, at) => {
    const zeros = Buffer.alloc(size);
    await onWorkbench(zeros, async (bench) => {
      flip(bench, at);
      await bench.transfer(new ImagePoint(zeros, []), 'p0');
      await bench.seal(new ImagePoint(zeros), 'p0', { reread: true });
      expect(firstDifference(bench.content(), zeros)).toBe(-1);
    });
  });
});

describe('the pieces of a range', () => {
  test.each([
    ['a block', 4 * mib, 8 * mib],
    ['a short last block', 20 * mib, size],
    ['a disk of one sector', 0, 512],
    ['what begins and ends within pieces', 3 * mib + 512, 9 * mib - 512],
    ['nothing', mib, mib],
  ])('are all of it, in order, and none is longer than the memory for one or leaves it: %s', (_, start, end) => {
    const pieces = [...readBackPieces({ start, end })];
    let at = start;
    for (const piece of pieces) {
      expect(piece.start).toBe(at);
      expect(Math.floor(piece.start / readBackBytes)).toBe(Math.floor((piece.end - 1) / readBackBytes));
      at = piece.end;
    }
    expect(at).toBe(end);
  });

  test('hold what of other ranges lies in them, and no range that only touches them', () => {
    const piece = { start: 2 * mib, end: 4 * mib };
    const ranges = [
      { start: mib, end: 2 * mib },
      { start: 2 * mib, end: 2 * mib + 512 },
      { start: 3 * mib, end: 5 * mib },
      { start: 6 * mib, end: 7 * mib },
    ];
    expect(partsIn(piece, ranges)).toEqual([
      { start: 2 * mib, end: 2 * mib + 512 },
      { start: 3 * mib, end: 4 * mib },
    ]);
    expect(partsIn(piece, [{ start: mib, end: 9 * mib }])).toEqual([piece]);
  });
});
