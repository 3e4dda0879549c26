/**
 * S3: the background scrub reads every byte of an open disk again, gives way to rounds, and finds what changed behind us.
 * Rule: what it read is counted by what it asked of the target, and damage is done to the target file itself.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { scrubDisk } from '../../disk/target-disk.ts';
import type { TransferProgress } from '../../model/progress.ts';
import { watchHost } from './host-edge.ts';
import { data, failureOf, ImagePoint, mib, onWorkbench, patternImage, type Workbench } from './workbench.ts';

const size = 22 * mib + 512;
const block = 4 * mib;

const scrub = (bench: Workbench, more: { after?: number; signal?: AbortSignal; restMs?: () => number } = {}) =>
  scrubDisk({ ...bench.options(), after: 0, ...more });

const seeded = (bench: Workbench, image: Buffer) => bench.transfer(new ImagePoint(image), 'p0');

/** Runs `act` once the scrub has read `blocks` blocks; the scrub goes on meanwhile. */
async function scrubAnd(bench: Workbench, blocks: number, act: () => Promise<unknown>, restMs = 0) {
  let read = 0;
  let acting: Promise<unknown> | undefined;
  const proof = await scrub(bench, {
    restMs: () => {
      if (++read !== blocks) return 0;
      acting = act();
      return restMs;
    },
  });
  await acting;
  return { proof, read };
}

describe('a background scrub', () => {
  test('S3 reads every byte of an open disk again and says when and how much', async () => {
    await onWorkbench(size, async (bench) => {
      await seeded(bench, patternImage(1, size));
      const before = bench.content();
      const stages: TransferProgress[] = [];
      const proof = await scrubDisk({ ...bench.options({ report: (now) => stages.push(now) }), after: 0 });
      expect(proof).toMatchObject({ disk: 'os', pass: 1, bytes: size });
      expect(Date.parse(proof?.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(proof?.startedAt ?? ''));
      expect(stages.map(({ stage }) => stage)).toContain('scrubbing');
      expect(bench.content().equals(before)).toBe(true);
    });
  });

  test('S3 S9 finds a changed bit anywhere, and from then on no delta and no seal takes the disk', async () => {
    const image = patternImage(1, size);
    for (const offset of [9 * mib + 3, size - mib - 1]) {
      await onWorkbench(size, async (bench) => {
        await seeded(bench, image);
        bench.damage(offset, Buffer.from([(image[offset] ?? 0) ^ 1]));
        await expect(scrub(bench)).rejects.toThrow(`block ${Math.floor(offset / block)} [`);
        // Asked again, because the answer may have been lost: the finding is told again, not forgotten.
        await expect(scrub(bench)).rejects.toThrow(`block ${Math.floor(offset / block)} [`);
        const next = bench.transfer(new ImagePoint(image, [data(8 * mib, 512)]), 'p1', { base: 'p0' });
        expect(await failureOf(next)).toBe('Corrupt lineage');
        expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt lineage');
        await bench.transfer(new ImagePoint(image), 'p1');
        expect(await scrub(bench)).toMatchObject({ bytes: size });
        await bench.seal(new ImagePoint(image), 'p1', { reread: true });
        expect(bench.content().equals(image)).toBe(true);
      });
    }
  });

  test('S3 finds damage at the seal as well, and keeps it: the disk is not sealed at the second try either', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await seeded(bench, image);
      bench.damage(9 * mib, Buffer.from([(image[9 * mib] ?? 0) ^ 1]));
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0', { reread: true }))).toBe('Corrupt scrub');
      expect(await failureOf(bench.seal(new ImagePoint(image), 'p0'))).toBe('Corrupt lineage');
    });
  });

  test('gives way to a round within one block, and goes on where it was', async () => {
    const image = patternImage(1, size);
    const later = Buffer.from(image);
    later.fill(7, 2 * mib, 3 * mib);
    later.fill(7, 17 * mib, 18 * mib);
    const changes = [data(2 * mib, mib), data(17 * mib, mib)];
    await onWorkbench(size, async (bench) => {
      await seeded(bench, image);
      const round = () => bench.transfer(new ImagePoint(later, changes), 'p1', { base: 'p0' });
      const first = await scrubAnd(bench, 4, round);
      expect(first).toEqual({ proof: undefined, read: 4 });
      // Blocks the round wrote, before and behind the place, are what the round proved.
      const second = await scrubAnd(bench, 0, async () => undefined);
      expect(second.proof).toMatchObject({ pass: 1, bytes: size });
      expect(second.read).toBe(Math.ceil(size / block) - 4);
    });
  });

  test('S3 counts a block once that it had read when it gave way in the rest behind it', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await seeded(bench, image);
      const round = () => bench.transfer(new ImagePoint(image, [data(8 * mib, 512)]), 'p1', { base: 'p0' });
      expect(await scrubAnd(bench, 4, round, 60_000)).toEqual({ proof: undefined, read: 4 });
      expect(await scrub(bench)).toMatchObject({ pass: 1, bytes: size });
    });
  });

  test('never stops a round: while one is on the disk the scrub has no turn', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await seeded(bench, image);
      let seen: unknown = 'not asked';
      const source = new ImagePoint(image, [data(8 * mib, 512)], async () => {
        seen = await scrub(bench);
      });
      expect(await bench.transfer(source, 'p1', { base: 'p0' })).toMatchObject({ mode: 'delta' });
      expect(seen).toBeUndefined();
    });
  });

  test('L2 goes on after a kill -9 and reads little twice', async () => {
    const blocks = 80;
    await onWorkbench(blocks * block, async (bench) => {
      await bench.transfer(new ImagePoint(Buffer.alloc(blocks * block), []), 'p0');
      const options = { ...bench.options(), after: 0 };
      const child = spawn(
        process.execPath,
        [join(__dirname, 'scrub-child.ts'), JSON.stringify({ options, dieAt: 70 })],
        {
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      );
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
      const { proof, read } = await scrubAnd(bench, 0, async () => undefined);
      expect(proof).toMatchObject({ pass: 1, bytes: blocks * block });
      expect(read).toBeLessThanOrEqual(blocks - 64);
    });
  });

  test('answers a pass whose answer was lost, and begins a new one for who knows it', async () => {
    await onWorkbench(size, async (bench) => {
      await seeded(bench, patternImage(1, size));
      const proof = await scrub(bench);
      expect(await scrub(bench)).toEqual(proof);
      expect(await scrub(bench, { after: 1 })).toMatchObject({ pass: 2 });
    });
  });

  test('of a disk that was copied anew, or whose place is damaged, begins from the first block', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await seeded(bench, image);
      await scrubAnd(bench, 4, () => bench.transfer(new ImagePoint(image), 'p1'));
      expect(await scrubAnd(bench, 4, () => bench.transfer(new ImagePoint(image, []), 'p2', { base: 'p1' }))).toEqual({
        proof: undefined,
        read: 4,
      });
      const place = readFileSync(bench.statePath('scrub'), 'utf8');
      writeFileSync(bench.statePath('scrub'), place.replace('"next":4', '"next":5'));
      expect((await scrubAnd(bench, 0, async () => undefined)).read).toBe(Math.ceil(size / block));
    });
  });

  test('waits for an interrupted round, and does not touch a sealed disk', async () => {
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      await seeded(bench, image);
      const failing = new ImagePoint(image, [data(8 * mib, 512)], () => {
        throw new RangeError('cut off');
      });
      await expect(bench.transfer(failing, 'p1', { base: 'p0' })).rejects.toThrow('cut off');
      expect(await failureOf(scrub(bench))).toBe('Transient scrub');
      await bench.transfer(new ImagePoint(image, [data(8 * mib, 512)]), 'p1', { base: 'p0' });
      await bench.seal(new ImagePoint(image), 'p1');
      expect(await failureOf(scrub(bench))).toBe('Fenced scrub');
    });
  });

  test('L7 stops at its caller’s word with the caller’s own reason', async () => {
    await onWorkbench(size, async (bench) => {
      await seeded(bench, patternImage(1, size));
      const stop = new AbortController();
      const reason = new Error('told to stop');
      const stopped = scrub(bench, {
        signal: stop.signal,
        restMs: () => {
          stop.abort(reason);
          return 60_000;
        },
      });
      await expect(stopped).rejects.toBe(reason);
    });
  });
});

test('L5 a disk whose digests do not come from the mover’s storage holds no memory that others read back into', async () => {
  const image = patternImage(1, size);
  await onWorkbench(size, async (bench) => {
    await seeded(bench, image);
    await bench.foldRecord();
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let silent = false;
    const restore = await watchHost(async ({ name, path, all }) => {
      if (!silent || name !== 'read' || path !== bench.statePath('checkpoint')) return all();
      reached.resolve();
      await released.promise;
      return all();
    });
    const opened = async (): Promise<ImagePoint> => {
      silent = true;
      return new ImagePoint(image);
    };
    const sealed = bench.seal(opened, 'p0', { reread: true });
    try {
      await reached.promise;
      await onWorkbench(size, async (other) => {
        const copied = seeded(other, image).then(() => 'copied');
        expect(await Promise.race([copied, pause(8_000, 'waits', { ref: false })])).toBe('copied');
      });
    } finally {
      silent = false;
      released.resolve();
      await sealed;
      restore();
    }
    expect(bench.content().equals(image)).toBe(true);
  });
}, 20_000);
