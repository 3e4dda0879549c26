/**
 * S3: a change of a part of a block proves the leaves that it touches: damage beside the change never becomes the new truth
 * (half-written.test.ts), nor does damage elsewhere in the block. L2: what a kill may leave half written stays within the
 * bound, however small the changes are.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { newShare, poolBlocks, processPool } from '../../disk/block-pool.ts';
import type { Extent, PointReader } from '../../disk/point-reader.ts';
import type { TransferProgress } from '../../model/progress.ts';
import {
  data,
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternImage,
  type Workbench,
  zero,
} from './workbench.ts';

const size = 21 * mib;
/** In the second block, a byte beside it in the same leaf that no change names, and one in a leaf that none touches. */
const changeAt = 5 * mib;
const besideAt = changeAt + 20_000;
const elsewhereAt = 7 * mib;

/** The next point: a small change, some of it cleared. */
function changedImage(image: Buffer): Buffer {
  const next = Buffer.from(image);
  next.fill(7, changeAt, changeAt + 4096);
  next.fill(0, changeAt + 8192, changeAt + 12_288);
  return next;
}
const extents = [data(changeAt, 4096), zero(changeAt + 8192, 4096)];
const answering = () => ({ ...newShare('erp', true), answers: true });
/** Ends when so many blocks of the process were lent at one time. */
const everyBlock = (left: number, signal: AbortSignal): Promise<void> =>
  processPool().lend('fetch', answering(), signal, async () => {
    if (left > 1) await everyBlock(left - 1, signal);
  });

/** An attempt that was killed when it had written one sector of its change, and told nobody. */
async function killedAttempt(bench: Workbench, next: Buffer, all: readonly Extent[], at: number): Promise<void> {
  const cut = new ImagePoint(next, all, () => {
    throw new RangeError('cut off');
  });
  await expect(bench.transfer(cut, 'p1', { base: 'p0' })).rejects.toThrow('cut off');
  bench.damage(at, next.subarray(at, at + 512));
}
const flipped = (image: Buffer, at: number): Buffer => Buffer.from([(image[at] ?? 0) ^ 1]);

describe('a delta that changes a part of a block', () => {
  test('reads and writes no more than the change when the block is what was proven', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const next = changedImage(image);
      const source = new ImagePoint(next, extents);
      const seen: TransferProgress[] = [];
      const report = (progress: TransferProgress): void => void seen.push(progress);
      const proof = await bench.transfer(source, 'p1', { base: 'p0', report });
      expect(source.reads).toEqual([{ offset: changeAt, length: 4096 }]);
      expect([proof.copiedBytes, proof.zeroedBytes, proof.provenBytes]).toEqual([4096, 4096, 8192]);
      expect(seen.at(-1)?.repairedBlocks).toBeUndefined();
      expect(seen.at(-1)).toMatchObject({ listedBytes: 8192, fetchBytes: 4096 });
      await bench.seal(new ImagePoint(next), 'p1', { reread: true });
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  });

  test.each([
    ['in the middle of the disk', changeAt],
    ['in the first block, beside the withheld head', 2 * mib + 8192],
    ['in the last block, beside the withheld tail', size - 2 * mib + 8704],
  ])('S3 L2 brings the leaf whole that a killed attempt left half written %s', async (_, at) => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const next = changedImage(image);
      const near = Math.floor(at / 512) * 512 - 4096;
      next.fill(9, near, near + 512);
      const all = [...extents, data(near, 512)];
      await killedAttempt(bench, next, all, at === changeAt ? at : near);
      const notes: string[] = [];
      const seen: TransferProgress[] = [];
      const proof = await bench.transfer(new ImagePoint(next, all), 'p1', {
        base: 'p0',
        note: (text) => notes.push(text),
        report: (progress) => void seen.push(progress),
      });
      expect(notes.join()).toContain('left half written by an earlier attempt');
      expect(seen.at(-1)?.repairedBlocks).toBe(1);
      // R4: what a limit counts is told in advance, the repair included.
      expect(seen.at(-1)?.fetchBytes).toBe(proof.copiedBytes);
      expect(seen.every(({ doneBytes, totalBytes }) => doneBytes <= totalBytes)).toBe(true);
      await bench.seal(new ImagePoint(next), 'p1', { reread: true });
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  });

  test.each([
    ['were lost', (path: string) => rmSync(path)],
    ['are stale', (path: string) => writeFileSync(path, Buffer.alloc(64 * 1024, 5))],
  ])(
    'S3 L2 looks at the whole block, and brings it whole when it was half written, when the digests of its leaves %s',
    async (_, spoil) => {
      const image = patternImage(1, size);
      await onWorkbench(size, async (bench) => {
        await bench.transfer(new ImagePoint(image), 'p0');
        const next = changedImage(image);
        await killedAttempt(bench, next, extents, changeAt);
        spoil(bench.statePath('leaves'));
        const source = new ImagePoint(next, extents);
        await bench.transfer(source, 'p1', { base: 'p0' });
        expect(source.reads).toEqual([{ offset: 4 * mib, length: 4 * mib }]);
        await bench.seal(new ImagePoint(next), 'p1', { reread: true });
        expect(firstDifference(bench.content(), next)).toBe(-1);
      });
    },
  );

  test('S3 looks at the whole block, and no more than its change is fetched when it is sound, when the digests of its leaves were lost', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      rmSync(bench.statePath('leaves'));
      const next = changedImage(image);
      const source = new ImagePoint(next, extents);
      await bench.transfer(source, 'p1', { base: 'p0' });
      expect(source.reads).toEqual([{ offset: changeAt, length: 4096 }]);
      await bench.seal(new ImagePoint(next), 'p1', { reread: true });
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  });

  test('L5 a repair counts against the limit, and what the limit holds back for it holds none of the shared memory', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const next = changedImage(image);
      await killedAttempt(bench, next, extents, changeAt);
      const asked: number[] = [];
      const pace = async (bytes: number): Promise<void> => {
        asked.push(bytes);
        await everyBlock(poolBlocks.fetch, AbortSignal.timeout(10_000));
      };
      const proof = await bench.transfer(new ImagePoint(next, extents), 'p1', { base: 'p0', pace });
      expect(asked).toEqual([4096, proof.copiedBytes - 4096]);
      expect(proof.copiedBytes).toBeGreaterThan(4096);
      await bench.seal(new ImagePoint(next), 'p1', { reread: true });
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  });

  test.each([
    ['in the end', false],
    ['also when the range never comes', true],
  ])(
    'R11 L5 what a source sent for nothing counts against the limit %s, behind the memory for all',
    async (_, lost) => {
      const image = patternImage(1, size);
      await onWorkbench(size, async (bench) => {
        await bench.transfer(new ImagePoint(image), 'p0');
        const source = new ImagePoint(changedImage(image), extents);
        const twice: PointReader = {
          sizeBytes: source.sizeBytes,
          changes: () => source.changes(),
          close: () => source.close(),
          async read(offset, into, signal, wasted) {
            wasted?.(into.byteLength);
            wasted?.(into.byteLength);
            if (lost) throw new RangeError('it never came right');
            await source.read(offset, into, signal);
          },
        };
        const asked: number[] = [];
        const pace = async (bytes: number): Promise<void> => {
          asked.push(bytes);
          await everyBlock(poolBlocks.fetch, AbortSignal.timeout(10_000));
        };
        const copy = bench.transfer(twice, 'p1', { base: 'p0', pace });
        if (lost) await expect(copy).rejects.toThrow('it never came right');
        else await copy;
        expect(asked).toEqual([4096, 8192]);
      });
    },
  );

  test('goes on by whole blocks, and says so once, when the file of the leaves cannot be used', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      rmSync(bench.statePath('leaves'));
      mkdirSync(bench.statePath('leaves'));
      const notes: string[] = [];
      const next = changedImage(image);
      const proof = await bench.transfer(new ImagePoint(next, extents), 'p1', {
        base: 'p0',
        note: (text) => notes.push(text),
      });
      expect(proof.copiedBytes).toBe(4096);
      expect(notes).toEqual([expect.stringContaining('cannot be used (EISDIR)')]);
      await bench.seal(new ImagePoint(next), 'p1', { reread: true });
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  });

  test('S3 damage in a leaf that no change touches never becomes the new truth', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      bench.damage(elsewhereAt, flipped(image, elsewhereAt));
      const next = changedImage(image);
      await bench.transfer(new ImagePoint(next, extents), 'p1', { base: 'p0' });
      expect(await failureOf(bench.seal(new ImagePoint(next), 'p1', { reread: true }))).toBe('Corrupt scrub');
    });
  });

  test('R4 small changes that lie close together are fetched with what lies between, and counted so from the beginning', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const next = Buffer.from(image);
      const scattered = Array.from({ length: 8 }, (_, index) => changeAt + index * 64 * 1024);
      for (const at of scattered) next.fill(9, at, at + 4096);
      const seen: TransferProgress[] = [];
      const proof = await bench.transfer(
        new ImagePoint(
          next,
          scattered.map((at) => data(at, 4096)),
        ),
        'p1',
        { base: 'p0', report: (progress) => void seen.push(progress) },
      );
      const span = 7 * 64 * 1024 + 4096;
      expect(proof).toMatchObject({ changedBytes: 8 * 4096, copiedBytes: span });
      const copying = seen.filter(({ stage }) => stage === 'copying');
      expect(copying[0]).toMatchObject({ doneBytes: 0, totalBytes: span, fetchBytes: span });
      expect(
        firstDifference(bench.content().subarray(changeAt, changeAt + span), next.subarray(changeAt, changeAt + span)),
      ).toBe(-1);
    });
  });

  test('S3 finds damage done beside it while its bytes were on their way', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const next = changedImage(image);
      // The block was looked at before its changes are fetched.
      const source = new ImagePoint(next, extents, () => bench.damage(besideAt, flipped(image, besideAt)));
      expect(await failureOf(bench.transfer(source, 'p1', { base: 'p0' }))).toBe('Corrupt proof');
      expect(await failureOf(bench.transfer(new ImagePoint(next, extents), 'p1', { base: 'p0' }))).toBe(
        'Corrupt lineage',
      );
    });
  });

  test('S3 goes on after an attempt that had written a part of the block and told nobody', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const next = changedImage(image);
      const cut = new ImagePoint(next, extents, () => {
        throw new RangeError('cut off');
      });
      await expect(bench.transfer(cut, 'p1', { base: 'p0' })).rejects.toThrow('cut off');
      bench.damage(changeAt, next.subarray(changeAt, changeAt + 2048));
      await bench.transfer(new ImagePoint(next, extents), 'p1', { base: 'p0' });
      await bench.seal(new ImagePoint(next), 'p1', { reread: true });
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  });

  test('L2 holds few leaves in one window, because each may have to be sent whole after a kill', async () => {
    const image = patternImage(1, 81 * mib);
    await onWorkbench(image.byteLength, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      // Too far apart to be joined: each touches a leaf of its own, 20 MiB in all.
      const small = Array.from({ length: 320 }, (_, at) => data(mib + at * 256 * 1024 + 512, 512));
      for (const { offset, length } of small) image.fill(3, offset, offset + length);
      let largest = 0;
      const look = (): void => {
        for (const [, blocks = ''] of readFileSync(bench.statePath('journal'), 'utf8').matchAll(
          /"t":"durable","window":\d+,"blocks":(\[.*?\}\])/g,
        )) {
          const parts = (JSON.parse(blocks) as { parts: unknown[] }[]).reduce(
            (sum, block) => sum + block.parts.length,
            0,
          );
          largest = Math.max(largest, parts);
        }
      };
      await bench.transfer(new ImagePoint(image, small, look), 'p1', { base: 'p0', inFlight: 1 });
      // A block's leaves stay together, so a window may be a few short of full.
      expect(largest * 64 * 1024).toBeLessThanOrEqual(16 * mib);
      expect(largest * 64 * 1024).toBeGreaterThan(15 * mib);
      await bench.seal(new ImagePoint(image), 'p1', { reread: true });
    });
  });
});
