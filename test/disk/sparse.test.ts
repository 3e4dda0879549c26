/**
 * S10, L2: a large disk that is mostly holes costs what its data costs, and a hole is never taken for granted.
 * Rule: what was avoided is counted in the journal and in the bytes allocated, not in seconds.
 */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type HostCall, watchHost } from './host-edge.ts';
import { data, firstDifference, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from './workbench.ts';

/** Lines of the journal that speak of blocks, while the round is on its way. */
const blockLines = (bench: Workbench): number =>
  readFileSync(bench.statePath('journal'), 'utf8')
    .split('\n')
    .filter((line) => /"t":"(durable|proven|zeros)"/.test(line)).length;

/** A point of any size with little data in it, at its beginning. */
class SparsePoint extends ImagePoint {
  override readonly sizeBytes: number;
  constructor(image: Buffer, sizeBytes: number, beforeRead?: () => void) {
    super(image, [data(0, image.byteLength)], beforeRead);
    this.sizeBytes = sizeBytes;
  }
}

describe('a disk that is mostly holes', () => {
  const size = 256 * 1024 * mib;

  test('S10 onto a blank target is neither read nor filled nor listed block by block', async () => {
    await onWorkbench(size, async (bench) => {
      const image = patternImage(1, 9 * mib);
      let lines = 0;
      const look = (): void => {
        lines = blockLines(bench);
      };
      const proof = await bench.transfer(new SparsePoint(image, size, look), 'p0', { inFlight: 1 });
      expect([proof.copiedBytes, proof.zeroedBytes]).toEqual([8 * mib, size - 2 * mib - 8 * mib]);
      expect(proof.provenBytes).toBe(size - 2 * mib);
      expect(lines).toBeLessThan(4);
      expect(statSync(bench.path).blocks * 512).toBeLessThan(24 * mib);
      expect(statSync(bench.statePath('checkpoint')).size).toBeLessThan(mib);
      const head = Buffer.alloc(12 * mib);
      const handle = await open(bench.path);
      await handle.read(head, 0, head.byteLength, 0);
      await handle.close();
      expect(firstDifference(head.subarray(mib, 9 * mib), image.subarray(mib))).toBe(-1);
      expect(head.subarray(9 * mib).every((byte) => byte === 0)).toBe(true);
    });
  });
});

describe('a disk of small pieces', () => {
  const size = 65 * mib;
  const pieces = Array.from({ length: 15 }, (_, at) => data((4 * at + 5) * mib, 65_536));
  const named = pieces.length * 65_536;

  test.each([
    { target: 'a blank target', stale: false, mostBytes: named + 3 * mib },
    { target: 'a target that holds something', stale: true, mostBytes: Number.POSITIVE_INFINITY },
  ])(
    'S10 onto $target fills with zeros what may hold something else, and nothing more',
    async ({ stale, mostBytes }) => {
      await onWorkbench(stale ? patternImage(9, size) : size, async (bench) => {
        const image = Buffer.alloc(size);
        const full = patternImage(1, size);
        for (const { offset, length } of pieces) full.copy(image, offset, offset, offset + length);
        await bench.transfer(new ImagePoint(image, pieces), 'p0');
        expect(statSync(bench.path).blocks * 512).toBeLessThan(mostBytes);
        await bench.seal(new ImagePoint(image), 'p0', { reread: true });
        expect(firstDifference(bench.content(), image)).toBe(-1);
      });
    },
  );
});

describe('a target that is not blank', () => {
  const size = 301 * mib;

  test('S10 is read where the map names nothing, cleared where it is not zeros, and kept sparse where it is', async () => {
    await onWorkbench(size, async (bench) => {
      const handle = await open(bench.path, 'r+');
      for (const at of [41 * mib, 200 * mib + 512]) await handle.write(Buffer.from('stale'), 0, 5, at);
      await handle.close();
      const image = Buffer.alloc(size);
      image.fill(7, 100 * mib, 101 * mib);
      let lines = 0;
      const look = (): void => {
        lines = Math.max(lines, blockLines(bench));
      };
      await bench.transfer(new ImagePoint(image, [data(100 * mib, mib)], look), 'p0', { inFlight: 1 });
      expect(lines).toBeLessThan(8);
      expect(statSync(bench.path).blocks * 512).toBeLessThan(24 * mib);
      await bench.seal(new ImagePoint(image), 'p0', { reread: true });
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  test.each(['p0', 'p1'])(
    'S10 is not called blank when an attempt that was cut off wrote what the next list, of %s, does not name',
    async (next) => {
      await onWorkbench(33 * mib, async (bench) => {
        const full = patternImage(3, 33 * mib);
        const cut = new ImagePoint(full, [data(4 * mib, 4 * mib), data(12 * mib, 4 * mib)], (offset) => {
          if (offset >= 12 * mib) throw new RangeError('cut off');
        });
        await expect(bench.transfer(cut, 'p0', { inFlight: 1 })).rejects.toThrow('cut off');
        expect(
          bench
            .content()
            .subarray(4 * mib, 8 * mib)
            .equals(full.subarray(4 * mib, 8 * mib)),
        ).toBe(true);
        const blank = Buffer.alloc(33 * mib);
        await bench.transfer(new ImagePoint(blank, []), next);
        await bench.seal(new ImagePoint(blank), next, { reread: true });
        expect(firstDifference(bench.content(), blank)).toBe(-1);
      });
    },
  );

  test('L2 goes on behind the zeros it has recorded', async () => {
    await onWorkbench(size, async (bench) => {
      const image = Buffer.alloc(size);
      image.fill(7, 290 * mib, 291 * mib);
      let cut = true;
      const source = new ImagePoint(image, [data(290 * mib, mib)], () => {
        if (cut) throw new RangeError('cut off');
      });
      await expect(bench.transfer(source, 'p0', { inFlight: 1 })).rejects.toThrow('cut off');
      cut = false;
      const before = blockLines(bench);
      const proof = await bench.transfer(source, 'p0');
      expect(before).toBeGreaterThan(0);
      expect([proof.copiedBytes, proof.zeroedBytes]).toEqual([mib, size - 3 * mib]);
      await bench.seal(new ImagePoint(image), 'p0', { reread: true });
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });
});

/** Copies and seals a point with little data over stale bytes, while the file system's account of the target is what `blocksOf` makes of it. */
async function copiedOver(blocksOf: (facts: Stats, flushed: boolean) => number): Promise<void> {
  const size = 25 * mib;
  const [stale, image] = [Buffer.alloc(size), Buffer.alloc(size)];
  stale.fill(0xee, 8 * mib, 17 * mib);
  image.fill(0x11, 0, 9 * mib);
  await onWorkbench(stale, async (bench) => {
    let flushed = false;
    const restore = await watchHost(async (call: HostCall) => {
      const answer = await call.all();
      if (call.path !== bench.path) return answer;
      flushed ||= call.name === 'flush';
      if (call.name !== 'stat') return answer;
      const facts = answer as Stats;
      return Object.assign(facts, { blocks: blocksOf(facts, flushed) });
    });
    try {
      await bench.transfer(new ImagePoint(image, [data(0, 9 * mib)]), 'p0');
    } finally {
      restore();
    }
    await bench.seal(new ImagePoint(image), 'p0');
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
}

describe('a file system', () => {
  test('S10 that counts no blocks at all is not taken at its word that a target is blank', async () => {
    await copiedOver(() => 0);
  });

  test('S10 that counts what others wrote only once it is flushed is asked after a flush', async () => {
    await copiedOver(({ blocks }, flushed) => (flushed ? blocks : 0));
  });
});
