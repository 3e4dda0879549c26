/**
 * S3: a round that meets a leaf that is no longer what was proven ends, and the disk is copied in full: who changed that leaf may
 * have changed others, which no round looks at. L2: what only a killed attempt of the same round can have left is mended where
 * it is. Rule: each disk of these tests is also damaged where no change comes, and ends with every byte right all the same.
 */
import { readFileSync, rmSync } from 'node:fs';
import { decodeMarker, encodeMarker } from '../../disk/open-marker.ts';
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
const image = patternImage(1, size);
/** In the second block; a byte beside it in the same leaf that no change names, and one in a block that none touches. */
const changeAt = 5 * mib;
const besideAt = changeAt + 20_000;
const untouchedAt = 13 * mib;
/** Changes at both ends of what is not withheld, and another block of which an attempt may have written some. */
const [headAt, otherAt, tailAt] = [2 * mib + 4096, 9 * mib, size - 2 * mib + 4096];

const next = Buffer.from(image);
for (const at of [changeAt, headAt, otherAt, tailAt]) next.fill(7, at, at + 4096);
next.fill(0, changeAt + 8192, changeAt + 12_288);
const extents = [...[headAt, changeAt, otherAt, tailAt].map((at) => data(at, 4096)), zero(changeAt + 8192, 4096)];
const toNext = (): ImagePoint => new ImagePoint(next, extents);

function flip(bench: Workbench, at: number): void {
  bench.damage(at, Buffer.from([(bench.content()[at] ?? 0) ^ 1]));
}

/** A disk at `p0`, to which somebody else did something, and also where no change comes. */
async function onChangedDisk(work: (bench: Workbench) => Promise<void>): Promise<void> {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    flip(bench, untouchedAt);
    await work(bench);
  });
}

/** An attempt that was killed after it had written so much of the change at each of these, and told nobody. */
async function killedAttempt(bench: Workbench, writtenAt: readonly number[], bytes = 4096): Promise<void> {
  const cut = new ImagePoint(next, extents, () => {
    throw new RangeError('cut off');
  });
  await expect(bench.transfer(cut, 'p1', { base: 'p0' })).rejects.toThrow('cut off');
  for (const at of writtenAt) bench.damage(at, next.subarray(at, at + bytes));
}

/** The round ends, no later delta and no seal passes by the finding, and a full copy leads out of it. */
async function copiedInFull(bench: Workbench): Promise<void> {
  await expect(bench.transfer(toNext(), 'p1', { base: 'p0' })).rejects.toThrow('is no longer what was proven');
  expect(await failureOf(bench.transfer(toNext(), 'p1', { base: 'p0' }))).toBe('Corrupt lineage');
  expect(await failureOf(bench.seal(toNext(), 'p1'))).toBe('Corrupt lineage');
  await bench.transfer(new ImagePoint(next), 'p1');
  await bench.seal(new ImagePoint(next), 'p1');
  expect(firstDifference(bench.content(), next)).toBe(-1);
}

describe('S3 S9 a disk that a round finds changed by somebody else is copied in full, and never sealed as it is:', () => {
  test.each([
    ['beside the change', besideAt],
    ['where the change will be written', changeAt + 5],
    ['where zeros will be written', changeAt + 8200],
    ['in the first block, beside the withheld head', headAt - 512],
    ['in the last block, beside the withheld tail', tailAt + 4096],
  ])('%s', async (_, at) => {
    await onChangedDisk(async (bench) => {
      flip(bench, at);
      await copiedInFull(bench);
    });
  });

  test('elsewhere in the block, when the digests of its leaves were lost', async () => {
    await onChangedDisk(async (bench) => {
      rmSync(bench.statePath('leaves'));
      flip(bench, 7 * mib);
      await copiedInFull(bench);
    });
  });

  test('where the change will be written, though another sector of it is what it was before', async () => {
    await onChangedDisk(async (bench) => {
      flip(bench, changeAt + 5);
      const more = [...extents, data(changeAt + 16_384, 512)];
      const round = (): Promise<unknown> => bench.transfer(new ImagePoint(next, more), 'p1', { base: 'p0' });
      await expect(round()).rejects.toThrow('is no longer what was proven');
      // Not told by the bytes any more once an attempt went before: it is in the record.
      await expect(round()).rejects.toThrow('an earlier proof failed');
    });
  });

  test.each([
    ['beside the change, in a block that the attempt before had not written', [otherAt], besideAt],
    ['where the change will be written, in a block that the attempt before had not written', [otherAt], changeAt + 5],
    ['beside what the attempt before had written, in the same leaf', [changeAt, otherAt], besideAt],
  ])('after a kill, %s', async (_, writtenAt, at) => {
    await onChangedDisk(async (bench) => {
      await killedAttempt(bench, writtenAt);
      flip(bench, at);
      await copiedInFull(bench);
    });
  });

  test.each([
    ['first', 5.5 * mib],
    ['second', 7 * mib],
  ])('after a kill, elsewhere in the %s half of a block of whose leaves the digests were lost', async (_, at) => {
    await onChangedDisk(async (bench) => {
      await killedAttempt(bench, [changeAt]);
      rmSync(bench.statePath('leaves'));
      flip(bench, at);
      await copiedInFull(bench);
    });
  });

  test('of a disk that was in use, after the look and before the change', async () => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      await bench.seal(new ImagePoint(image), 'p0');
      let looked = false;
      const pace = async (): Promise<void> => {
        if (!looked) flip(bench, besideAt);
        looked = true;
      };
      const used = { base: 'p0', uses: 1, inFlight: 1 };
      const one = new ImagePoint(next, [data(changeAt, 4096)]);
      expect(await failureOf(bench.transfer(one, 'p1', { ...used, pace }))).toBe('Corrupt lineage');
      expect(await failureOf(bench.transfer(one, 'p1', used))).toBe('Corrupt lineage');
    });
  });
});

test('S8 what a round finds on a disk that another attempt has by now is not recorded: that one may have written it', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    flip(bench, headAt - 512);
    let taken = false;
    const pace = async (): Promise<void> => {
      const marker = decodeMarker(bench.sector());
      if (taken || !marker) return;
      taken = true;
      bench.damage(0, encodeMarker({ ...marker, epoch: marker.epoch + 1 }));
    };
    expect(await failureOf(bench.transfer(toNext(), 'p1', { base: 'p0', inFlight: 1, pace }))).toBe('Fenced fence');
    expect(taken).toBe(true);
    expect(readFileSync(bench.statePath('journal'), 'utf8')).not.toContain('"t":"broken"');
  });
});

describe('S3 L2 what a killed attempt of the round left half written is mended where it is, and no more than that is fetched:', () => {
  test.each([
    ['the first half', changeAt],
    ['the second half', tailAt],
  ])(
    'the whole of a block of whose leaves the digests were lost, and of which it had written some of %s',
    async (_, at) => {
      await onWorkbench(size, async (bench) => {
        await bench.transfer(new ImagePoint(image), 'p0');
        await killedAttempt(bench, [at]);
        rmSync(bench.statePath('leaves'));
        const source = toNext();
        await bench.transfer(source, 'p1', { base: 'p0' });
        const start = at - (at % (4 * mib));
        expect(source.reads.filter(({ length }) => length > 4096)).toEqual([{ offset: start, length: 4 * mib }]);
        await bench.seal(new ImagePoint(next), 'p1', { reread: true });
        expect(firstDifference(bench.content(), next)).toBe(-1);
      });
    },
  );

  test.each([
    ['the whole change of a leaf', 4096],
    ['a single sector of it', 512],
  ])('%s', async (_, bytes) => {
    await onWorkbench(size, async (bench) => {
      await bench.transfer(new ImagePoint(image), 'p0');
      await killedAttempt(bench, [changeAt, headAt, tailAt], bytes);
      const source = toNext();
      await bench.transfer(source, 'p1', { base: 'p0' });
      const lengths = source.reads.map(({ length }) => length).sort((one, other) => one - other);
      expect(lengths).toEqual([4096, ...[64, 64, 64].map((kib) => kib * 1024)]);
      await bench.seal(new ImagePoint(next), 'p1', { reread: true });
      expect(firstDifference(bench.content(), next)).toBe(-1);
    });
  });
});
