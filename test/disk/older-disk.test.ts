/**
 * S3, S9: a disk that was set back to an older state of itself (an array or a backup was restored, a cache lost what it had
 * acknowledged) carries a marker older than its record knows to be on it. Rule: no delta, no seal and no scrub believes it,
 * whenever it happens; a full copy leads out of it, and a kill between the record of an attempt and its marker is no such case.
 */
import { writeFileSync } from 'node:fs';
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

const size = 21 * mib;
const first = patternImage(1, size);

/** What the next point changes, and the point that it makes. */
function changed(image: Buffer, at: number, by: number): { image: Buffer; source: ImagePoint } {
  const next = Buffer.from(image);
  next.fill(by, at, at + mib);
  return { image: next, source: new ImagePoint(next, [data(at, mib)]) };
}

const { image: second, source: toSecond } = changed(first, 9 * mib, 7);
const third = changed(second, 13 * mib, 8);

/** A disk at `p0` whose bytes of that moment are kept: `setBack` puts them there again. */
async function onOlderDisk(work: (bench: Workbench, setBack: () => void) => Promise<void>): Promise<void> {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(first), 'p0');
    const older = bench.content();
    await work(bench, () => writeFileSync(bench.path, older));
  });
}

async function copiedInFull(bench: Workbench, image: Buffer, point: string): Promise<void> {
  await bench.transfer(new ImagePoint(image), point);
  await bench.seal(new ImagePoint(image), point);
  expect(firstDifference(bench.content(), image)).toBe(-1);
}

describe('S3 S9 a disk that was set back to an older state of itself is not believed, but copied in full:', () => {
  test('between two rounds', async () => {
    await onOlderDisk(async (bench, setBack) => {
      await bench.transfer(toSecond, 'p1', { base: 'p0' });
      setBack();
      expect(await failureOf(bench.transfer(third.source, 'p2', { base: 'p1' }))).toBe('Corrupt lineage');
      await copiedInFull(bench, third.image, 'p2');
    });
  });

  test('between a round that named nothing and the next', async () => {
    await onOlderDisk(async (bench, setBack) => {
      await bench.transfer(new ImagePoint(first, []), 'p1', { base: 'p0' });
      setBack();
      expect(await failureOf(bench.transfer(toSecond, 'p2', { base: 'p1' }))).toBe('Corrupt lineage');
      await copiedInFull(bench, second, 'p2');
    });
  });

  test('between an attempt that was cut off and the one that goes on with its round', async () => {
    await onOlderDisk(async (bench, setBack) => {
      const both = [data(9 * mib, mib), data(13 * mib, mib)];
      const cut = new ImagePoint(third.image, both, (offset) => {
        if (offset >= 13 * mib) throw new RangeError('cut off');
      });
      await expect(bench.transfer(cut, 'p1', { base: 'p0', inFlight: 1 })).rejects.toThrow('cut off');
      setBack();
      const resumed = bench.transfer(new ImagePoint(third.image, both), 'p1', { base: 'p0' });
      expect(await failureOf(resumed)).toBe('Corrupt lineage');
      await copiedInFull(bench, third.image, 'p1');
    });
  });

  test('between the last round and the seal', async () => {
    await onOlderDisk(async (bench, setBack) => {
      await bench.transfer(toSecond, 'p1', { base: 'p0' });
      setBack();
      expect(await failureOf(bench.seal(new ImagePoint(second), 'p1'))).toBe('Corrupt lineage');
      await copiedInFull(bench, second, 'p1');
    });
  });

  test('also where the very round it holds by the record is wished for again', async () => {
    await onOlderDisk(async (bench, setBack) => {
      await bench.transfer(toSecond, 'p1', { base: 'p0' });
      setBack();
      expect(await failureOf(bench.transfer(toSecond, 'p1', { base: 'p0' }))).toBe('Corrupt lineage');
      await copiedInFull(bench, second, 'p1');
    });
  });

  test('and the scrub tells it before it has read anything', async () => {
    await onOlderDisk(async (bench, setBack) => {
      await bench.transfer(toSecond, 'p1', { base: 'p0' });
      setBack();
      expect(await failureOf(scrubDisk({ ...bench.options(), after: 0 }))).toBe('Corrupt lineage');
    });
  });
});

test('L2 a kill between the record of an attempt and its marker sets nothing back: the delta goes on, any number of times', async () => {
  await onOlderDisk(async (bench) => {
    for (let time = 0; time < 2; time++) {
      const restore = await watchHost((call) => {
        if (call.path === bench.path && call.name === 'write') throw new RangeError('killed before its marker');
        return call.all();
      });
      try {
        await expect(bench.transfer(toSecond, 'p1', { base: 'p0' })).rejects.toThrow('killed before its marker');
      } finally {
        restore();
      }
    }
    await bench.transfer(toSecond, 'p1', { base: 'p0' });
    await bench.seal(new ImagePoint(second), 'p1');
    expect(firstDifference(bench.content(), second)).toBe(-1);
  });
});
