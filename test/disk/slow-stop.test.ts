/**
 * A stop on a target that answers slowly: what was written becomes durable, and nothing else is begun.
 * Rule: L7, a stop waits for no proof. S3, what nobody has read back yet is never told as proven: the next attempt reads it.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
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

/** What a datastore in trouble takes for a read or a write. */
const slowMs = 1_500;
const obeysWithinMs = 5_000;
const reason = new Error('ActivityPause');

interface Stopped {
  /** Offsets of the pieces that the target has got. */
  readonly written: number[];
  /** What was read back or written though it began after the stop. */
  readonly late: string[];
  readonly tookMs: number;
}

/** Runs an attempt whose target is slow from its first proof on, and stops it at the nth read of that. `lost` writes do nothing. */
async function stopAt(
  bench: Workbench,
  nth: number,
  attempt: (signal: AbortSignal) => Promise<unknown>,
  lost: (offset: number) => boolean = () => false,
): Promise<Stopped> {
  const stop = new AbortController();
  const [written, late]: [number[], string[]] = [[], []];
  let proofs = 0;
  let stoppedAt = 0;
  const restore = await watchHost(async (call) => {
    const { name, offset, length, path } = call;
    if (path !== bench.path || (name !== 'read' && name !== 'write')) return call.all();
    // Not what is withheld, which is read when the disk is opened, nor the marker.
    const isBetween = offset >= mib && offset < bench.sizeBytes - mib;
    const isProof = name === 'read' && length >= 64 * 1024 && isBetween;
    if (stop.signal.aborted && (name === 'write' || isProof)) late.push(`${name} ${offset}`);
    if (isProof && ++proofs === nth) {
      stoppedAt = performance.now();
      stop.abort(reason);
    }
    if (proofs > 0) await pause(slowMs);
    if (name === 'write' && isBetween) written.push(offset);
    return name === 'write' && lost(offset) ? { bytesWritten: length } : call.all();
  });
  try {
    await expect(attempt(stop.signal)).rejects.toBe(reason);
    return { written, late, tookMs: performance.now() - stoppedAt };
  } finally {
    restore();
  }
}

test('L7 L2 a stop is obeyed within five seconds on slow storage, and nothing that was written is sent again', async () => {
  const size = 57 * mib;
  const image = patternImage(1, size);
  await onWorkbench(patternImage(8, size), async (bench) => {
    const attempt = (signal: AbortSignal) => bench.transfer(new ImagePoint(image), 'p0', { signal });
    // The second window is being proven then, and others are written.
    const { written, late, tookMs } = await stopAt(bench, 5, attempt);
    expect(late).toEqual([]);
    expect(tookMs).toBeLessThan(obeysWithinMs);
    expect(written.length).toBeGreaterThan(4);
    // What it left unproven is proven first, and that is stopped too.
    const second = await stopAt(bench, 1, attempt);
    expect(second).toMatchObject({ written: [], late: [] });
    expect(second.tookMs).toBeLessThan(obeysWithinMs);
    const again = new ImagePoint(image);
    const proof = await bench.transfer(again, 'p0');
    const sent = again.reads.map(({ offset }) => offset);
    expect(sent.filter((offset) => written.includes(offset))).toEqual([]);
    expect(proof).toMatchObject({ provenBytes: size - 2 * mib, copiedBytes: size - 2 * mib });
    await bench.seal(new ImagePoint(image), 'p0', { reread: true });
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
});

describe('of a block that is changed in many places', () => {
  const size = 9 * mib;
  const placeBytes = 64 * 1024;
  const places = Array.from({ length: 12 }, (_, index) => data(4 * mib + index * 320 * 1024, placeBytes));
  const [before, image] = [patternImage(1, size), patternImage(1, size)];
  for (const { offset, length } of places) image.set(patternImage(2, length), offset);
  const delta = (bench: Workbench, source: ImagePoint, signal?: AbortSignal) =>
    bench.transfer(source, 'p1', { base: 'p0', ...(signal && { signal }) });

  test('L7 L2 the proof ends between two of its reads when it is stopped, and nothing is sent again', async () => {
    await onWorkbench(patternImage(8, size), async (bench) => {
      await bench.transfer(new ImagePoint(before), 'p0');
      const { late, tookMs } = await stopAt(bench, 1, (signal) => delta(bench, new ImagePoint(image, places), signal));
      expect(late).toEqual([]);
      expect(tookMs).toBeLessThan(obeysWithinMs);
      const again = new ImagePoint(image, places);
      expect((await delta(bench, again)).provenBytes).toBe(places.length * placeBytes);
      expect(again.reads).toEqual([]);
      await bench.seal(new ImagePoint(image), 'p1', { reread: true });
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  });

  test('S3 a place that no stopped proof has read is not proven by the others', async () => {
    await onWorkbench(patternImage(8, size), async (bench) => {
      await bench.transfer(new ImagePoint(before), 'p0');
      const attempt = (signal: AbortSignal) => delta(bench, new ImagePoint(image, places), signal);
      await stopAt(bench, 2, attempt, (offset) => offset === places.at(-1)?.offset);
      expect(await failureOf(delta(bench, new ImagePoint(image, places)))).toBe('Corrupt proof');
    });
  });
});

test('S3 a round that is stopped while the last of it is read back has reached no point, and a write that was lost is found', async () => {
  const size = 16 * mib;
  const image = patternImage(1, size);
  await onWorkbench(patternImage(8, size), async (bench) => {
    const attempt = (signal: AbortSignal) => bench.transfer(new ImagePoint(image), 'p0', { signal, inFlight: 1 });
    const { written, late } = await stopAt(bench, 2, attempt, (offset) => offset === 12 * mib);
    expect(late).toEqual([]);
    expect(written).toContain(12 * mib);
    expect(readFileSync(bench.statePath('journal'), 'utf8')).not.toContain('"t":"round-done"');
    expect(await failureOf(bench.transfer(new ImagePoint(image), 'p0'))).toBe('Corrupt proof');
  });
});
