/**
 * S3, S10: after any rounds the sealed target equals the last point at every byte, whatever was on it before.
 * Rule: the images are compared by the test itself, not by the engine's own word. A failure prints seed and path.
 */
import { stat, truncate } from 'node:fs/promises';
import fc from 'fast-check';
import type { Extent } from '../../disk/point-reader.ts';
import { scrubDisk } from '../../disk/target-disk.ts';
import { watchHost } from './host-edge.ts';
import {
  data,
  failureOf,
  firstDifference,
  ImagePoint,
  mib,
  onWorkbench,
  patternBytes,
  patternImage,
  Workbench,
  zero,
} from './workbench.ts';

interface Change {
  readonly at: number;
  readonly count: number;
  readonly clear: boolean;
  readonly seed: number;
}

const sizes = [512, 4096, 1024 * 1024, 2 * mib, 2 * mib + 512, 4 * mib, 4 * mib + 512, 5 * mib - 512, 9 * mib + 1536];
const change = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  count: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 9000 })),
  clear: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
});
const rounds = fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 3 });

/** Applies the changes to the image and names them as a source might: each by itself, overlapping, latest first. */
function applyRound(image: Buffer, changes: readonly Change[]): Extent[] {
  const extents = changes.map(({ at, count, clear, seed }): Extent => {
    const offset = Math.floor((at * image.byteLength) / 512) * 512;
    const length = Math.min(count * 512, image.byteLength - offset);
    const view = image.subarray(offset, offset + length);
    if (clear) view.fill(0);
    else patternBytes(seed, 0, view);
    return clear ? zero(offset, length) : data(offset, length);
  });
  // A source names what is true at the point: a range written and cleared later is named for both.
  return extents.reverse();
}

const blank = Buffer.alloc(4096);

/** The whole map of an image: only 4 KiB pages that hold anything, as a page list names them. */
function wholeMap(image: Buffer): Extent[] {
  const found: Extent[] = [];
  for (let offset = 0; offset < image.byteLength; offset += 4096) {
    const page = image.subarray(offset, Math.min(offset + 4096, image.byteLength));
    if (!page.equals(blank.subarray(0, page.byteLength))) found.push(data(offset, page.byteLength));
  }
  return found;
}

describe('a sealed target', () => {
  test('equals the last point after any rounds over any stale content', async () => {
    const size = fc.constantFrom(...sizes);
    const first = fc.array(change, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(size, fc.boolean(), first, rounds, async (sizeBytes, stale, seedChanges, later) => {
        await onWorkbench(stale ? patternImage(77, sizeBytes) : Buffer.alloc(sizeBytes), async (bench) => {
          const image = Buffer.alloc(sizeBytes);
          applyRound(image, seedChanges);
          await bench.transfer(new ImagePoint(image, wholeMap(image)), 'p0');
          for (const [index, changes] of later.entries()) {
            const extents = applyRound(image, changes);
            await bench.transfer(new ImagePoint(image, extents), `p${index + 1}`, { base: `p${index}` });
          }
          await bench.seal(new ImagePoint(image), `p${later.length}`, { reread: true });
          expect(firstDifference(bench.content(), image)).toBe(-1);
        });
      }),
      { numRuns: Number(process.env.HOMEWARD_DISK_RUNS ?? 30) },
    );
  });

  test('has zeros where the whole map names nothing, over stale bytes', async () => {
    await onWorkbench(patternImage(1, 13 * mib), async (bench) => {
      const image = Buffer.alloc(13 * mib);
      patternBytes(2, 0, image.subarray(5 * mib, 6 * mib));
      const proof = await bench.transfer(new ImagePoint(image, [data(5 * mib, mib)]), 'p0');
      expect(proof.copiedBytes).toBe(mib);
      await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  test('keeps its holes where the point is zero and the target was already', async () => {
    await onWorkbench(64 * mib, async (bench) => {
      const image = Buffer.alloc(64 * mib);
      await bench.transfer(new ImagePoint(image, []), 'p0');
      await bench.seal(new ImagePoint(image), 'p0');
      expect((await stat(bench.path)).blocks * 512).toBeLessThan(9 * mib);
    });
  });

  test('has the last byte of the disk and of every range', async () => {
    const size = 9 * mib + 512;
    await onWorkbench(Buffer.alloc(size), async (bench) => {
      const image = Buffer.alloc(size);
      image[size - 1] = 1;
      image[3 * mib - 1] = 2;
      image[4 * mib - 1] = 3;
      await bench.transfer(
        new ImagePoint(image, [data(2 * mib, mib), data(4 * mib - 512, 512), data(size - 512, 512)]),
        'p0',
      );
      await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  test('S3 is read past the page cache by whatever proves it: a round, a scrub, a seal, a look at a used disk', async () => {
    const size = 9 * mib;
    const image = patternImage(4, size);
    await onWorkbench(patternImage(3, size), async (bench) => {
      const reads = { direct: 0, cached: 0 };
      const restore = await watchHost((call) => {
        if (call.name === 'read' && call.path === bench.path) reads[call.direct() ? 'direct' : 'cached']++;
        return call.all();
      });
      const notes: string[] = [];
      const note = (text: string): void => void notes.push(text);
      const [whole, some] = [new ImagePoint(image), new ImagePoint(image, [data(5 * mib, 8192)])];
      const steps = [
        () => bench.transfer(whole, 'p0', { note }),
        () => bench.transfer(some, 'p1', { base: 'p0' }),
        () => scrubDisk({ ...bench.options(), after: 0 }),
        () => bench.seal(whole, 'p1', { reread: true }),
        () => bench.transfer(some, 'p2', { base: 'p1', uses: 1 }),
      ];
      try {
        for (const step of steps) {
          reads.direct = 0;
          await step();
          // Elsewhere only where there is no other way; that is said aloud.
          if (notes.length === 0) expect({ ...reads, direct: reads.direct > 1 }).toEqual({ direct: true, cached: 0 });
        }
      } finally {
        restore();
      }
    });
  });

  test('S3 equals its point on a file system without O_DIRECT, which is said aloud and stands in every proof', async () => {
    const size = 6 * mib + 512;
    const image = patternImage(4, size);
    await onWorkbench(patternImage(3, size), async (bench) => {
      const notes: string[] = [];
      const past = await bench.transfer(new ImagePoint(image), 'p0');
      const through = { direct: false, note: (text: string) => void notes.push(text) };
      const delta = await bench.transfer(new ImagePoint(image, [data(5 * mib, 512)]), 'p1', { base: 'p0', ...through });
      expect([past.cached, delta.cached]).toEqual([undefined, true]);
      expect(notes.join()).toContain('page cache');
      const proof = await bench.seal(new ImagePoint(image), 'p1', { ...through, reread: true });
      expect(proof.cached).toBe(true);
      expect(await bench.seal(new ImagePoint(image), 'p1')).toEqual(proof);
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  test.each([
    ['that was read through the page cache once says so though its last steps went past it', false, true],
    ['of which everything was read again past the page cache before its seal says nothing of it', true, undefined],
  ])('S3 a disk %s', async (_, reread, cached) => {
    const image = patternImage(4, 6 * mib);
    await onWorkbench(patternImage(3, 6 * mib), async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0', { direct: false });
      const { cached: atRound } = await bench.transfer(new ImagePoint(image, []), 'p1', { base: 'p0' });
      expect(atRound).toBe(true);
      expect((await bench.seal(new ImagePoint(image), 'p1', { reread })).cached).toBe(cached);
    });
  });
});

describe('a transfer', () => {
  test('of no changes sends nothing and moves the disk to the new point', async () => {
    const image = patternImage(1, 6 * mib);
    await onWorkbench(Buffer.alloc(6 * mib), async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      const source = new ImagePoint(image, []);
      const proof = await bench.transfer(source, 'p1', { base: 'p0' });
      expect([proof.changedBytes, proof.copiedBytes, source.reads.length]).toEqual([0, 0, 0]);
      await bench.seal(new ImagePoint(image), 'p1');
    });
  });

  test('asks its pace before every range it reads, and reads nothing while it is held back', async () => {
    const image = patternImage(1, 9 * mib);
    await onWorkbench(Buffer.alloc(9 * mib), async (bench) => {
      const source = new ImagePoint(image);
      const asked: number[] = [];
      const readWhenFirstAsked = Promise.withResolvers<number>();
      const release = Promise.withResolvers<void>();
      const pace = async (bytes: number): Promise<void> => {
        asked.push(bytes);
        readWhenFirstAsked.resolve(source.reads.length);
        await release.promise;
      };
      const transfer = bench.transfer(source, 'p0', { pace });
      expect(await readWhenFirstAsked.promise).toBe(0);
      release.resolve();
      const proof = await transfer;
      expect(asked.reduce((sum, bytes) => sum + bytes, 0)).toBe(proof.copiedBytes);
      expect(asked.length).toBe(source.reads.length);
    });
  });

  test('writes cleared ranges as zeros', async () => {
    const image = patternImage(1, 13 * mib);
    await onWorkbench(Buffer.alloc(13 * mib), async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      image.fill(0, 2 * mib + 512, 3 * mib);
      image.fill(0, 4 * mib, 8 * mib);
      const cleared = [zero(2 * mib + 512, mib - 512), zero(4 * mib, 4 * mib)];
      const proof = await bench.transfer(new ImagePoint(image, cleared), 'p1', { base: 'p0' });
      expect(proof.zeroedBytes).toBe(5 * mib - 512);
      expect(firstDifference(bench.content().subarray(mib, 12 * mib), image.subarray(mib, 12 * mib))).toBe(-1);
    });
  });

  test('onto a target of another size is refused', async () => {
    await onWorkbench(Buffer.alloc(6 * mib), async (bench) => {
      await truncate(bench.path, 6 * mib + 512);
      expect(await failureOf(bench.transfer(new ImagePoint(Buffer.alloc(6 * mib)), 'p0'))).toBe('Refused target.open');
    });
  });

  test('from a point with a container footer is refused', async () => {
    await onWorkbench(Buffer.alloc(6 * mib), async (bench) => {
      const footed = new ImagePoint(Buffer.alloc(6 * mib + 512));
      expect(await failureOf(bench.transfer(footed, 'p0'))).toBe('Refused source.size');
    });
  });

  test('of a size no disk can have is refused', async () => {
    const bench = new Workbench(Buffer.alloc(1000));
    expect(await failureOf(bench.transfer(new ImagePoint(Buffer.alloc(1000)), 'p0'))).toBe('Refused geometry');
    bench.remove();
  });
});
