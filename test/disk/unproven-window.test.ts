/**
 * What a killed attempt made durable and nobody has proven yet: S3, it is read back as a whole before it counts, and S10, it counts
 * for nothing once the source names another list. Rule: the kill is the journal without what followed that record.
 */
import { readFileSync, truncateSync } from 'node:fs';
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

const size = 29 * mib;
const image = patternImage(1, size);
/** In the third block, which the attempt writes before it is killed. */
const writtenAt = 9 * mib;

/** A full copy that is killed right after a window of its blocks was made durable. */
async function killedAfterDurable(bench: Workbench): Promise<void> {
  const cut = new ImagePoint(image, undefined, (offset) => {
    if (offset >= 16 * mib) throw new RangeError('cut off');
  });
  await expect(bench.transfer(cut, 'p0', { inFlight: 1 })).rejects.toThrow('cut off');
  const journal = readFileSync(bench.statePath('journal'));
  const durable = journal.lastIndexOf('"t":"durable"');
  truncateSync(bench.statePath('journal'), journal.indexOf('\n', durable) + 1);
  expect(readFileSync(bench.statePath('journal'), 'utf8')).not.toContain('"t":"proven"');
}

const reads = ({ reads: all }: ImagePoint): boolean =>
  all.some(({ offset, length }) => offset <= writtenAt && writtenAt < offset + length);

describe('a window that a killed attempt left durable', () => {
  test('L2 is proven by a look, and not sent again', async () => {
    await onWorkbench(patternImage(8, size), async (bench) => {
      await killedAfterDurable(bench);
      const rest = new ImagePoint(image);
      await bench.transfer(rest, 'p0');
      expect(reads(rest)).toBe(false);
      await bench.seal(new ImagePoint(image), 'p0', { reread: true });
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  test('S3 is not believed where it reads back as something else', async () => {
    await onWorkbench(patternImage(8, size), async (bench) => {
      await killedAfterDurable(bench);
      bench.damage(writtenAt, Buffer.from([(image[writtenAt] ?? 0) ^ 1]));
      expect(await failureOf(bench.transfer(new ImagePoint(image), 'p0'))).toBe('Corrupt proof');
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt lineage');
      await bench.transfer(new ImagePoint(image), 'p0');
      await bench.seal(new ImagePoint(image), 'p0');
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  test('S10 counts for nothing when the source no longer names it: what it wrote becomes zeros', async () => {
    const cleared = Buffer.from(image);
    cleared.fill(0, 8 * mib, 12 * mib);
    await onWorkbench(patternImage(8, size), async (bench) => {
      await killedAfterDurable(bench);
      const other = new ImagePoint(cleared, [data(0, 8 * mib), data(12 * mib, size - 12 * mib)]);
      await bench.transfer(other, 'p0');
      await bench.seal(new ImagePoint(cleared), 'p0');
      expect(firstDifference(bench.content(), cleared)).toBe(-1);
    });
  });
});
