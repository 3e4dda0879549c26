/**
 * A stop on a target that answers slowly: what was written becomes durable, and nothing else is begun.
 * Rule: L7, a stop waits for no proof. S3, what nobody has read back yet is never told as proven: the next attempt reads it.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Extent } from '../../disk/point-reader.ts';
import type { TransferProof } from '../../model/machine.ts';
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

interface Trouble {
  /** What the target is slow from, and of which the nth is when the attempt is stopped; default: a read of data. */
  readonly of?: 'read' | 'write' | 'call';
  /** Writes that do nothing. */
  readonly lost?: (offset: number) => boolean;
  /** What the target takes for each call. */
  readonly ms?: number;
}

/** Runs an attempt whose target is slow from the first such call on, and stops it at the nth of these. */
async function stopAt(
  bench: Workbench,
  nth: number,
  attempt: (signal: AbortSignal) => Promise<unknown>,
  { of = 'read', lost = () => false, ms = slowMs }: Trouble = {},
): Promise<Stopped> {
  const stop = new AbortController();
  const [written, late]: [number[], string[]] = [[], []];
  let seen = 0;
  let stoppedAt = 0;
  const restore = await watchHost(async (call) => {
    const { name, offset, length, path } = call;
    if (path !== bench.path) return call.all();
    // Not what is withheld, which is read when the disk is opened, nor the marker.
    const isBetween = (name === 'read' || name === 'write') && offset >= mib && offset < bench.sizeBytes - mib;
    const isData = isBetween && (name === 'write' || length >= 64 * 1024);
    if (stop.signal.aborted && (name === 'write' || isData)) late.push(`${name} ${offset}`);
    if ((of === 'call' || (isData && name === of)) && ++seen === nth) {
      stoppedAt = performance.now();
      stop.abort(reason);
    }
    if (seen > 0) await pause(ms);
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
      await stopAt(bench, 2, attempt, { lost: (offset) => offset === places.at(-1)?.offset });
      expect(await failureOf(delta(bench, new ImagePoint(image, places)))).toBe('Corrupt proof');
    });
  });
});

describe('of blocks that are changed in many small places', () => {
  const [size, pieceBytes, blockBytes] = [17 * mib, 4 * 1024, 4 * mib];
  const before = patternImage(1, size);

  /** In each of three blocks so many pieces, so far apart. */
  function scattered(count: number, stride: number): { pieces: Extent[]; image: Buffer } {
    const pieces = [1, 2, 3].flatMap((block) =>
      Array.from({ length: count }, (_, index) => data(block * blockBytes + index * stride, pieceBytes)),
    );
    const image = Buffer.from(before);
    for (const { offset, length } of pieces) image.set(patternImage(2, length), offset);
    return { pieces, image };
  }

  /** On a target that holds what was before: `work` with what brings the pieces. */
  async function onDelta(
    { pieces, image }: ReturnType<typeof scattered>,
    work: (
      bench: Workbench,
      delta: (signal?: AbortSignal) => Promise<TransferProof>,
      source: ImagePoint,
    ) => Promise<void>,
  ): Promise<void> {
    const source = new ImagePoint(image, pieces);
    await onWorkbench(patternImage(8, size), async (bench) => {
      await bench.transfer(new ImagePoint(before), 'p0');
      await work(bench, (signal) => bench.transfer(source, 'p1', { base: 'p0', ...(signal && { signal }) }), source);
      await bench.seal(new ImagePoint(image), 'p1', { reread: true });
      expect(firstDifference(bench.content(), image)).toBe(-1);
    });
  }

  test('L7 the look at what a change spares ends between two of its reads when it is stopped', async () => {
    const change = scattered(14, 260 * 1024);
    await onDelta(change, async (bench, delta) => {
      const { written, late, tookMs } = await stopAt(bench, 5, delta);
      expect({ written, late }).toEqual({ written: [], late: [] });
      expect(tookMs).toBeLessThan(obeysWithinMs);
      expect((await delta()).provenBytes).toBe(change.pieces.length * pieceBytes);
    });
  });

  test('L7 L2 a stop leaves blocks whose writes are slow half written, and only their leaves are sent again', async () => {
    const change = scattered(30, 136 * 1024);
    await onDelta(change, async (bench, delta, source) => {
      const { written, late, tookMs } = await stopAt(bench, 5, delta, { of: 'write' });
      expect(late).toEqual([]);
      expect(tookMs).toBeLessThan(obeysWithinMs);
      expect(written.length).toBeLessThan(change.pieces.length);
      // The first look at what is found half written, of several in the block.
      const looked = await stopAt(bench, 4, delta);
      expect(looked).toMatchObject({ written: [], late: [] });
      expect(looked.tookMs).toBeLessThan(obeysWithinMs);
      source.reads.length = 0;
      // A delta all the same: what was left half written is known to be that, and is no damage.
      expect((await delta()).mode).toBe('delta');
      const leaves = source.reads.filter(({ length }) => length > pieceBytes);
      expect(leaves).not.toEqual([]);
      expect(leaves.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(2 * 64 * 1024 * written.length);
    });
  });

  test('L2 a stop leaves no block half written whose writes are quick', async () => {
    const change = scattered(30, 136 * 1024);
    await onDelta(change, async (bench, delta, source) => {
      const { written } = await stopAt(bench, 5, delta, { of: 'write', ms: 0 });
      source.reads.length = 0;
      await delta();
      const sent = source.reads.map(({ offset }) => offset);
      expect(sent.filter((offset) => written.includes(offset))).toEqual([]);
      expect(written.length % 30).toBe(0);
    });
  });
});

test.each([1, 6])('L7 a stop at call %i of the target is obeyed while the disk is opened', async (nth) => {
  const size = 9 * mib;
  const image = patternImage(1, size);
  await onWorkbench(patternImage(8, size), async (bench) => {
    const full = (signal?: AbortSignal) => bench.transfer(new ImagePoint(image), 'p0', { ...(signal && { signal }) });
    const first = await stopAt(bench, nth, full, { of: 'call' });
    expect(first).toMatchObject({ written: [], late: [] });
    expect(first.tookMs).toBeLessThan(obeysWithinMs);
    await full();
    const delta = (signal?: AbortSignal) =>
      bench.transfer(new ImagePoint(image, []), 'p1', { base: 'p0', ...(signal && { signal }) });
    const second = await stopAt(bench, Math.min(nth, 4), delta, { of: 'call' });
    expect(second).toMatchObject({ written: [], late: [] });
    expect(second.tookMs).toBeLessThan(obeysWithinMs);
    expect((await delta()).mode).toBe('delta');
    await bench.seal(new ImagePoint(image), 'p1', { reread: true });
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
});

test('S3 a round that is stopped while the last of it is read back has reached no point, and a write that was lost is found', async () => {
  const size = 16 * mib;
  const image = patternImage(1, size);
  await onWorkbench(patternImage(8, size), async (bench) => {
    const attempt = (signal: AbortSignal) => bench.transfer(new ImagePoint(image), 'p0', { signal, inFlight: 1 });
    const { written, late } = await stopAt(bench, 2, attempt, { lost: (offset) => offset === 12 * mib });
    expect(late).toEqual([]);
    expect(written).toContain(12 * mib);
    expect(readFileSync(bench.statePath('journal'), 'utf8')).not.toContain('"t":"round-done"');
    expect(await failureOf(bench.transfer(new ImagePoint(image), 'p0'))).toBe('Corrupt proof');
  });
});
