/**
 * One pool of blocks for all disks of a mover: bounded, fair, the urgent first, and no memory lent that may still change.
 * Rule: the pool under test is a small one; what disks do with the process's own is shown with many of them at once.
 */
import { BlockPool, newShare, poolBlocks, processPool } from '../../disk/block-pool.ts';
import { blockBytes, readBackBytes } from '../../disk/geometry.ts';
import { transferDisk } from '../../disk/target-disk.ts';
import { firstDifference, ImagePoint, mib, onWorkbench, patternImage, Workbench } from './workbench.ts';

const soon = (): Promise<void> => new Promise((turn) => setImmediate(turn));

/** Borrows a block until told to give it back; tells in `order` when it got it. */
function borrow(
  pool: BlockPool,
  share: ReturnType<typeof newShare>,
  name: string,
  order: string[],
  signal?: AbortSignal,
) {
  const back = Promise.withResolvers<void>();
  const ended = pool.lend('fetch', share, signal, async () => {
    order.push(name);
    await back.promise;
  });
  return { back: back.resolve, ended };
}

describe('the pool', () => {
  test('L5 serves the urgent first, then the disk that holds fewest, then the one that came first', async () => {
    const pool = new BlockPool({ fetch: 3, proof: 1 });
    const order: string[] = [];
    const [greedy, modest, urgent] = [newShare('erp', false), newShare('erp', false), newShare('erp', true)];
    const holders = ['g1', 'g2', 'g3'].map((name) => borrow(pool, greedy, name, order));
    const waiting = [
      borrow(pool, greedy, 'g4', order),
      borrow(pool, modest, 'm1', order),
      borrow(pool, modest, 'm2', order),
      borrow(pool, urgent, 'u1', order),
    ];
    await soon();
    expect(order).toEqual(['g1', 'g2', 'g3']);
    for (const one of [...holders, ...waiting]) {
      one.back();
      await soon();
    }
    await Promise.all([...holders, ...waiting].map(({ ended }) => ended));
    expect(order.slice(0, 5)).toEqual(['g1', 'g2', 'g3', 'u1', 'm1']);
  });

  test('gives blocks for proofs while all others are held, so that who waits for a proof gets it', async () => {
    const pool = new BlockPool({ fetch: 1, proof: 1 });
    const share = newShare('erp', false);
    const proven = await pool.lend('fetch', share, undefined, () =>
      pool.lend('proof', share, undefined, async ({ space }) => space.byteLength),
    );
    expect(proven).toBe(readBackBytes);
  });

  test('lends a block again only when a late reader has let go of it', async () => {
    const pool = new BlockPool({ fetch: 1, proof: 1 });
    const late = Promise.withResolvers<void>();
    const order: string[] = [];
    await pool.lend('fetch', newShare('erp', false), undefined, async ({ filledBy }) => filledBy(late.promise));
    const next = borrow(pool, newShare('erp', false), 'next', order);
    await soon();
    expect(order).toEqual([]);
    late.reject(new Error('given up at last'));
    next.back();
    await next.ended;
    expect(order).toEqual(['next']);
  });

  test('lets nobody wait who was told to stop', async () => {
    const pool = new BlockPool({ fetch: 1, proof: 1 });
    const stop = new AbortController();
    const order: string[] = [];
    const holder = borrow(pool, newShare('erp', false), 'holder', order);
    const stopped = borrow(pool, newShare('erp', false), 'stopped', order, stop.signal);
    const behind = borrow(pool, newShare('erp', false), 'behind', order);
    stop.abort(new RangeError('told to stop'));
    await expect(stopped.ended).rejects.toThrow('told to stop');
    holder.back();
    behind.back();
    await Promise.all([holder.ended, behind.ended]);
    expect(order).toEqual(['holder', 'behind']);
  });

  test('L5 serves the machine that holds fewest first, however many disks another one has', async () => {
    const pool = new BlockPool({ fetch: 4, proof: 1 });
    const order: string[] = [];
    const ofMany = Array.from({ length: 6 }, (_, at) => borrow(pool, newShare('many', false), `m${at}`, order));
    const one = newShare('one', false);
    const ofOne = ['o1', 'o2'].map((name) => borrow(pool, one, name, order));
    for (const { back, ended } of [...ofMany, ...ofOne]) {
      back();
      await ended;
    }
    expect(order).toEqual(['m0', 'm1', 'm2', 'm3', 'o1', 'o2', 'm4', 'm5']);
  });

  test('L5 lends to sources that never answered no more than the trial allows, and all there is to one that does', async () => {
    const pool = new BlockPool({ fetch: 6, proof: 1 }, undefined, { ofDisk: 1, ofMachine: 1, manyFrom: 2, inAll: 2 });
    const order: string[] = [];
    const silent = ['a', 'a', 'b', 'c'].map((machine, at) =>
      borrow(pool, newShare(machine, false), `${machine}${at}`, order),
    );
    await soon();
    expect(order).toEqual(['a0', 'b2']);
    const urgent = borrow(pool, newShare('d', true), 'urgent', order);
    const good = { ...newShare('e', false), answers: true };
    const lent = ['e1', 'e2', 'e3'].map((name) => borrow(pool, good, name, order));
    await soon();
    expect(order.slice(2)).toEqual(['urgent', 'e1', 'e2', 'e3']);
    const all = [...silent, urgent, ...lent];
    for (const { back } of all) back();
    await Promise.all(all.map(({ ended }) => ended));
    expect(order).toHaveLength(all.length);
  });

  test('L5 ends the trial with the first good read, at once for all who wait, and begins it again with one that fails', async () => {
    const pool = new BlockPool({ fetch: 3, proof: 1 }, undefined, { ofDisk: 1, ofMachine: 2, manyFrom: 2, inAll: 2 });
    const share = newShare('erp', false);
    const order: string[] = [];
    const read = Promise.withResolvers<void>();
    const first = pool.lend('fetch', share, undefined, async ({ filledBy }) => {
      filledBy(read.promise);
      await read.promise;
      await end.promise;
    });
    const end = Promise.withResolvers<void>();
    const more = ['2', '3'].map((name) => borrow(pool, share, name, order));
    await soon();
    expect(order).toEqual([]);
    read.resolve();
    await soon();
    expect(order).toEqual(['2', '3']);
    end.resolve();
    await first;
    const failed = Promise.reject(new RangeError('silent'));
    await pool.lend('fetch', share, undefined, async ({ filledBy }) => filledBy(failed));
    await soon();
    for (const { back } of more) back();
    const again = ['4', '5'].map((name) => borrow(pool, share, name, order));
    await soon();
    expect(order).toEqual(['2', '3', '4']);
    for (const { back } of again) back();
    await Promise.all([...more, ...again].map(({ ended }) => ended));
    expect(order).toEqual(['2', '3', '4', '5']);
  });

  test('L5 keeps some blocks for the urgent, which others get only when there are more', async () => {
    const pool = new BlockPool({ fetch: 2, proof: 1 }, { fetch: 1, proof: 0 });
    const order: string[] = [];
    const holders = ['a', 'b'].map((name) => borrow(pool, newShare('erp', false), name, order));
    const urgent = borrow(pool, newShare('erp', true), 'urgent', order);
    await soon();
    expect(order).toEqual(['a', 'urgent']);
    urgent.back();
    await urgent.ended;
    await soon();
    expect(order).toEqual(['a', 'urgent']);
    for (const holder of holders) holder.back();
    await Promise.all(holders.map(({ ended }) => ended));
    expect(order).toEqual(['a', 'urgent', 'b']);
  });

  test('L5 S8 gives new blocks to others for those that a stuck holder keeps, and nothing more to the stuck one', async () => {
    const pool = new BlockPool({ fetch: 1, proof: 1 });
    const order: string[] = [];
    const stuck = newShare('erp', false);
    const [holding, wanting] = [borrow(pool, stuck, 'stuck', order), borrow(pool, stuck, 'more', order)];
    const other = borrow(pool, newShare('erp', false), 'other', order);
    await soon();
    pool.writeOff(stuck, new RangeError('the disk answers no call'));
    await expect(wanting.ended).rejects.toThrow('the disk answers no call');
    await soon();
    expect(order).toEqual(['stuck', 'other']);
    // What comes back late is not lent again: there are as many blocks as before.
    const next = borrow(pool, newShare('erp', false), 'next', order);
    holding.back();
    await holding.ended;
    await soon();
    expect(order).toEqual(['stuck', 'other']);
    other.back();
    next.back();
    await Promise.all([other.ended, next.ended]);
    expect(order).toEqual(['stuck', 'other', 'next']);
  });

  test('L5 replaces no more stuck blocks than it has, and lends what comes back in place of the others', async () => {
    const pool = new BlockPool({ fetch: 2, proof: 1 });
    const order: string[] = [];
    const stuck = [newShare('erp', false), newShare('erp', false)];
    const holding = stuck.map((share, at) => [1, 2].map((n) => borrow(pool, share, `${'ab'[at]}${n}`, order)));
    await soon();
    for (const share of stuck) {
      pool.writeOff(share, new RangeError('the disk answers no call'));
      await soon();
    }
    const others = ['c', 'd', 'e'].map((name) => borrow(pool, newShare('erp', false), name, order));
    await soon();
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2']);
    const comesBack = async (holder: { back(): void; ended: Promise<void> } | undefined): Promise<void> => {
      holder?.back();
      await holder?.ended;
      await soon();
    };
    await comesBack(holding[0]?.[0]);
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'c']);
    await comesBack(holding[1]?.[1]);
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'c', 'd']);
    // The pool has its two again.
    await comesBack(holding[1]?.[0]);
    await comesBack(holding[0]?.[1]);
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'c', 'd']);
    for (const other of others) other.back();
    await Promise.all(others.map(({ ended }) => ended));
    expect(order.at(-1)).toBe('e');
  });

  test('L5 gives a new space to read back into for one that a stuck holder keeps, as long as that one', async () => {
    const pool = new BlockPool({ fetch: 1, proof: 1 });
    const [stuck, back] = [newShare('erp', false), Promise.withResolvers<void>()];
    const holding = pool.lend('proof', stuck, undefined, () => back.promise);
    pool.writeOff(stuck, new RangeError('the disk answers no call'));
    const lent = await pool.lend('proof', newShare('erp', false), undefined, async ({ space }) => space);
    expect([lent.byteLength, lent.buffer.byteLength]).toEqual([readBackBytes, readBackBytes]);
    back.resolve();
    await holding;
  });

  test('has 56 MiB in all, in page-aligned spaces that do not overlap: whole blocks, and halves to read back into', async () => {
    const spaces: Buffer[] = [];
    const share = { ...newShare('erp', true), answers: true };
    const needs = (['fetch', 'proof'] as const).flatMap(
      (need) => Array(poolBlocks[need]).fill(need) as (typeof need)[],
    );
    const take = ([need, ...more]: typeof needs): Promise<void> | undefined =>
      need &&
      processPool().lend(need, share, undefined, async ({ space }) => {
        spaces.push(space);
        await take(more);
      });
    await take(needs);
    const all = spaces.map(({ byteOffset, byteLength }) => [byteOffset, byteLength] as const).sort(([a], [b]) => a - b);
    const must = needs.map((need, at) =>
      need === 'fetch'
        ? [at * blockBytes, blockBytes]
        : [poolBlocks.fetch * blockBytes + (at - poolBlocks.fetch) * readBackBytes, readBackBytes],
    );
    expect(all).toEqual(must);
    expect(new Set(spaces.map(({ buffer }) => buffer.byteLength))).toEqual(new Set([56 * mib]));
  });
});

describe('many disks at once', () => {
  const size = 9 * mib;

  test('L5 all reach their point with no more in flight than the pool has blocks, and each gets its share', async () => {
    await onWorkbench(size, async (bench) => {
      let [inFlight, most] = [0, 0];
      const served: string[] = [];
      const copy = async (name: string): Promise<void> => {
        const image = patternImage(name.length * 100 + name.charCodeAt(0), size);
        const own = new Workbench(size, bench.folder, `${name}.raw`);
        const source = new ImagePoint(image, undefined, async () => {
          served.push(name);
          most = Math.max(most, ++inFlight);
          await soon();
          inFlight--;
        });
        await transferDisk({ ...own.options(), disk: name, source, point: 'p0' });
        expect(firstDifference(own.content().subarray(mib, size - mib), image.subarray(mib, size - mib))).toBe(-1);
      };
      const names = Array.from({ length: 24 }, (_, at) => String.fromCharCode(97 + at));
      await Promise.all(names.map(copy));
      expect(most).toBeLessThanOrEqual(poolBlocks.fetch);
      // Each of them has three blocks; nobody was served wholly before the last one began.
      const lastBegan = Math.max(...names.map((name) => served.indexOf(name)));
      expect(lastBegan).toBeLessThan(served.length - 1);
      expect(new Set(served).size).toBe(names.length);
    });
  });

  test('L5 a disk whose source hangs takes no memory from the others for good', async () => {
    await onWorkbench(size, async (bench) => {
      const stop = new AbortController();
      const hanging = new ImagePoint(patternImage(1, size), undefined, (_, signal) => {
        const { promise, reject } = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        return promise;
      });
      const stuck = bench.transfer(hanging, 'p0', { signal: stop.signal });
      const image = patternImage(2, size);
      for (const name of ['a', 'b', 'c']) {
        const own = new Workbench(size, bench.folder, `${name}.raw`);
        await transferDisk({ ...own.options(), disk: name, source: new ImagePoint(image), point: 'p0' });
      }
      stop.abort(new RangeError('told to stop'));
      await expect(stuck).rejects.toThrow('told to stop');
    });
  });
});

describe('a source that still writes after its attempt was stopped', () => {
  test.each(['transfer', 'seal'] as const)('S3 reaches no other disk from a %s', async (verb) => {
    const size = 10 * mib;
    const image = patternImage(1, size);
    await onWorkbench(size, async (bench) => {
      if (verb === 'seal') await bench.transfer(new ImagePoint(image), 'p0');
      const [asked, late] = [Promise.withResolvers<Uint8Array>(), Promise.withResolvers<void>()];
      class Late extends ImagePoint {
        override async read(_offset: number, into: Uint8Array): Promise<void> {
          asked.resolve(into);
          await late.promise;
        }
      }
      const stop = new AbortController();
      const ended = bench[verb](new Late(image), 'p0', { signal: stop.signal, inFlight: 1 });
      const space = await asked.promise;
      stop.abort(new RangeError('stopped'));
      await expect(ended).rejects.toThrow('stopped');
      class Beside extends ImagePoint {
        override async read(...asks: Parameters<ImagePoint['read']>): Promise<void> {
          await super.read(...asks);
          space.fill(0xee);
        }
      }
      await onWorkbench(size, async (other) => {
        await other.transfer(new Beside(image), 'p0');
        await other.seal(new Beside(image), 'p0');
        expect(firstDifference(other.content(), image)).toBe(-1);
      });
      late.resolve();
    });
  });
});
