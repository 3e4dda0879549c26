/**
 * Bars behind another bar: what still holds when the first one was passed, because a record, a marker or the medium is not
 * what it can be. Rule: the state is made by the engine's own records, or done at the edge of the host.
 */
import { truncateSync } from 'node:fs';
import { readCheckpoint, writeCheckpoint } from '../../disk/checkpoint.ts';
import { DigestTable } from '../../disk/digest-table.ts';
import { Ledger, viewLedger } from '../../disk/ledger.ts';
import { decodeMarker, encodeMarker } from '../../disk/open-marker.ts';
import { stateFolder } from '../../disk/state-folder.ts';
import { observeDisk, scrubDisk } from '../../disk/target-disk.ts';
import { type HostCall, watchHost } from './host-edge.ts';
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

const size = 13 * mib;
const block = 4 * mib;
const image = patternImage(1, size);

/** The record of a disk in which one block was never proven, though its round is done. */
async function forgetBlock(bench: Workbench, missing: number): Promise<void> {
  const folder = stateFolder(bench.stateDir, 'erp', 'os');
  const view = await viewLedger(folder, 'erp/os');
  if (!view.known) throw new Error(view.because);
  const ledger = await Ledger.resume(folder, 'erp/os', view);
  await ledger.compact();
  await ledger.close();
  const folded = await readCheckpoint(folder.checkpoint, 'erp/os');
  if (!folded) throw new Error('no record');
  const table = new DigestTable(folded.table.blocks);
  for (let at = 0; at < table.blocks; at++)
    if (at !== missing && folded.table.isKnown(at)) table.prove(at, await folded.table.digestOf(at));
  await writeCheckpoint(folder.checkpoint, 'erp/os', { ...folded, table });
  for (const each of [table, folded.table]) await each.close();
}

test('S3 a disk with a block that was never proven is not sealed, whatever its record says of the round', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    await forgetBlock(bench, 1);
    expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt seal');
    expect((await observeDisk(bench.options())).state).toBe('open');
    await bench.transfer(new ImagePoint(image), 'p1');
    await bench.seal(new ImagePoint(image), 'p1');
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
});

test('S9 a disk that was resized is not what its record speaks of, and no delta goes onto it', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    truncateSync(bench.path, size + block);
    const larger = patternImage(1, size + block);
    const delta = bench.transfer(new ImagePoint(larger, [data(size, block)]), 'p1', {
      base: 'p0',
      sizeBytes: size + block,
    });
    await expect(delta).rejects.toThrow(`the record is of a disk of ${size} bytes`);
  });
});

test('S3 S8 what a scrub finds on a disk that another attempt has by now is not recorded: that one may have written it', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    bench.damage(9 * mib, Buffer.from([(image[9 * mib] ?? 0) ^ 1]));
    const mine = bench.sector();
    const marker = decodeMarker(mine);
    if (!marker) throw new Error('the disk is not open');
    let read = 0;
    const restMs = (): number => {
      if (++read === 1) bench.damage(0, encodeMarker({ ...marker, epoch: marker.epoch + 1 }));
      return 0;
    };
    expect(await failureOf(scrubDisk({ ...bench.options(), after: 0, restMs }))).toBe('Fenced fence');
    bench.damage(0, mine);
    expect((await observeDisk(bench.options())).state).toBe('open');
  });
});

const lost = ({ length }: HostCall): unknown => ({ bytesWritten: length, buffer: undefined });

test.each<[string, (call: HostCall) => boolean, number]>([
  ['head', ({ offset }) => offset === 0, 512],
  ['tail', ({ offset }) => offset === size - mib, 0],
])('S4 a target that loses the zeros of its %s is not opened', async (which, isIt, kept) => {
  await onWorkbench(patternImage(2, size), async (bench) => {
    let found = 0;
    const restore = await watchHost(async (call) => {
      if (call.path !== bench.path || call.name !== 'write' || !isIt(call) || ++found > 1) return await call.all();
      if (kept > 0) await call.first(kept);
      return lost(call);
    });
    try {
      const copy = bench.transfer(new ImagePoint(image), 'p0');
      await expect(copy).rejects.toThrow(`the ${which} was written and flushed, but reads back as something else`);
      expect(found).toBe(1);
    } finally {
      restore();
    }
  });
});

test('S9 a disk is not sealed by a point of another size, and stays as it is', async () => {
  await onWorkbench(size, async (bench) => {
    await bench.transfer(new ImagePoint(image), 'p0');
    for (const other of [size - 512, size + 512]) {
      const point = new ImagePoint(patternImage(1, other));
      expect(await failureOf(bench.seal(point, 'p0'))).toBe('Refused source.size');
      expect(point.reads).toEqual([]);
      expect((await observeDisk(bench.options())).state).toBe('open');
    }
    await bench.seal(new ImagePoint(image), 'p0');
    expect(firstDifference(bench.content(), image)).toBe(-1);
  });
});

test('S8 an attempt that is stopped between its look at the marker and its write begins no write any more', async () => {
  await onWorkbench(size, async (bench) => {
    const stop = new AbortController();
    let fetched = false;
    const late: number[] = [];
    const restore = await watchHost(async (call) => {
      if (call.path !== bench.path) return await call.all();
      if (call.name === 'write' && stop.signal.aborted) late.push(call.offset);
      const answer = await call.all();
      // The look at whose disk it is, right before the first block is written.
      if (fetched && call.name === 'read' && call.offset === 0) stop.abort(new Error('stopped'));
      return answer;
    });
    const source = new ImagePoint(image, undefined, () => {
      fetched = true;
    });
    try {
      await expect(bench.transfer(source, 'p0', { inFlight: 1, signal: stop.signal })).rejects.toThrow('stopped');
    } finally {
      restore();
    }
    expect([fetched, late]).toEqual([true, []]);
  });
});
