/** The order in which a mover's disks may copy. */
import { openTableRoom, weightOf } from '../../activities/table-room.ts';
import { Turns } from '../../activities/turns.ts';
import { tableBytes } from '../../disk/target-disk.ts';
import { corrupt } from '../../model/failure.ts';

/** Work that lasts until it is told to end. */
function work() {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { end, ended };
}
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

test('L5 only so many disks copy at once, and the others follow in the order they came', async () => {
  const turns = new Turns(2);
  const began: number[] = [];
  const works = Array.from({ length: 5 }, work);
  const all = works.map((one, index) =>
    turns.take(false, never, () => {
      began.push(index);
      return one.ended;
    }),
  );
  await soon();
  expect(began).toEqual([0, 1]);
  works[1]?.end();
  await soon();
  expect(began).toEqual([0, 1, 2]);
  for (const one of works) {
    one.end();
    await soon();
  }
  await Promise.all(all);
  expect(began).toEqual([0, 1, 2, 3, 4]);
});

test('heavy disks share the room in the order they came, and one too heavy for it goes alone', async () => {
  const turns = new Turns(10);
  const began: number[] = [];
  const weights = [6, 5, 1, 99, 1];
  const works = weights.map(work);
  const all = works.map((one, index) =>
    turns.take(
      false,
      never,
      () => {
        began.push(index);
        return one.ended;
      },
      weights[index],
    ),
  );
  const seen: number[] = [];
  for (const one of works) {
    await soon();
    seen.push(began.length);
    one.end();
  }
  await Promise.all(all);
  expect(seen).toEqual([1, 3, 3, 4, 5]);
  expect(began).toEqual([0, 1, 2, 3, 4]);
});

const GiB = 1024 ** 3;
const TiB = 1024 * GiB;
/** Its table and its list take 1.7 MiB. */
const large = 4 * TiB;
/** A mover's disks by their names and sizes: who has begun, and how one ends. */
function moverOf() {
  const turns = openTableRoom();
  const begun: string[] = [];
  const copies = new Map<string, { readonly end: () => void; readonly left: () => void }>();
  const copy = (name: string, sizeBytes: number, urgent = false): void => {
    const { end, ended } = work();
    const stop = new AbortController();
    copies.set(name, { end, left: () => stop.abort() });
    const act = (): Promise<void> => {
      begun.push(name);
      return ended;
    };
    turns.take(urgent, stop.signal, act, weightOf(sizeBytes)).catch(() => undefined);
  };
  const copyMany = (count: number, name: string, sizeBytes: number, urgent = false): void => {
    for (let index = 1; index <= count; index++) copy(`${name} ${index}`, sizeBytes, urgent);
  };
  const end = async (name: string): Promise<void> => {
    copies.get(name)?.end();
    await soon();
  };
  return { begun, copy, copyMany, end, leave: (name: string) => copies.get(name)?.left() };
}

test.each([
  [14, 64 * GiB],
  [10, TiB],
  [4, large],
  [1, 32 * TiB],
])('a mover copies %i disks of %i bytes at once', async (count, sizeBytes) => {
  const { begun, copyMany } = moverOf();
  copyMany(2 * count, 'seed', sizeBytes);
  await soon();
  expect(begun).toHaveLength(count);
});

test('L5 a heavy disk that waits for room, or is too heavy for it, stops no light one', async () => {
  for (const [heavies, sizeBytes] of [
    [8, large],
    [40, 2 * TiB],
    [2, 32 * TiB],
  ] as const) {
    const { begun, copy, copyMany, end } = moverOf();
    copyMany(heavies, 'seed', sizeBytes);
    await soon();
    const seeds = begun.length;
    expect(seeds).toBeLessThan(heavies);
    // Three at once, and one after the other as long as no seed ends.
    copyMany(2, 'delta of long ago', 128 * GiB);
    for (let round = 1; round <= 20; round++) {
      copy(`delta ${round}`, 128 * GiB);
      await soon();
      expect(begun.at(-1)).toBe(`delta ${round}`);
      await end(`delta ${round}`);
    }
    await end('seed 1');
    expect(begun.at(-1)).toBe(`seed ${seeds + 1}`);
  }
});

test('L5 light disks, however many come, starve no heavy one that came before them', async () => {
  const { begun, copy, copyMany, end } = moverOf();
  copyMany(15, 'light', 64 * GiB);
  copyMany(2, 'heavy', large);
  await soon();
  const atOnce = begun.length;
  // For each light one that ends another one comes.
  let ended = 0;
  while (!begun.includes('heavy 2') && ended < atOnce) {
    copy(`light ${16 + ended}`, 64 * GiB);
    await end(`light ${++ended}`);
  }
  const lights = (count: number) => Array.from({ length: count }, (_, index) => `light ${index + 1}`);
  expect(begun).toEqual([...lights(15), 'heavy 1', 'heavy 2']);
  expect(ended).toBeLessThan(atOnce / 2);
  // No heavy one waits any more: the light ones have the rest.
  await end('heavy 1');
  expect(begun.length).toBeGreaterThan(18);
  expect(begun.filter((name) => name.startsWith('light'))).toEqual(lights(begun.length - 2));
});

test('L5 light disks go on when the heavy one that waited leaves', async () => {
  const { begun, copyMany, leave } = moverOf();
  copyMany(8, 'light', 64 * GiB);
  copyMany(3, 'heavy', large);
  copyMany(5, 'late', 64 * GiB);
  await soon();
  expect(begun.at(-1)).toBe('heavy 2');
  leave('heavy 3');
  await soon();
  expect(begun.at(-1)).toBe('late 1');
});

const begunOf = (begun: readonly string[], name: string): number => begun.filter((one) => one.startsWith(name)).length;

test('L1 cutovers of many large disks at once keep to the memory of a mover, and each has its turn', async () => {
  const { begun, copyMany, end } = moverOf();
  copyMany(4, 'seed', large);
  copyMany(40, 'cutover', large, true);
  await soon();
  // 8 MiB besides the 10 that the seeds fill.
  expect(begunOf(begun, 'cutover')).toBe(4);
  for (let ended = 1; ended <= 40; ended++) {
    await end(`cutover ${ended}`);
    expect(begunOf(begun, 'cutover')).toBe(Math.min(40, ended + 4));
  }
});

test('cutovers have the room that no seed needs', async () => {
  const { begun, copyMany } = moverOf();
  copyMany(40, 'cutover', large, true);
  copyMany(1, 'seed', large);
  await soon();
  expect(begun).toEqual(Array.from({ length: 8 }, (_, index) => `cutover ${index + 1}`));
});

test('L5 a cutover waits for no seed, also where one alone fills a mover', async () => {
  for (const [seeds, sizeBytes] of [
    [200, 64 * GiB],
    [8, large],
    [1, 32 * TiB],
  ] as const) {
    const { begun, copyMany } = moverOf();
    copyMany(seeds, 'seed', sizeBytes);
    await soon();
    copyMany(2, 'large cutover', large, true);
    copyMany(5, 'cutover', 64 * GiB, true);
    await soon();
    expect(begun.slice(-7).map((name) => name.replace(/ \d$/, ''))).toEqual([
      ...Array.from({ length: 2 }, () => 'large cutover'),
      ...Array.from({ length: 5 }, () => 'cutover'),
    ]);
  }
});

test('L5 cutovers of large disks that wait for each other stop no small one, and no small round', async () => {
  const { begun, copy, copyMany, end } = moverOf();
  copyMany(60, 'large cutover', large, true);
  copy('delta', 64 * GiB);
  copy('cutover', 64 * GiB, true);
  await soon();
  expect(begun.slice(-2).sort()).toEqual(['cutover', 'delta']);
  await end('large cutover 1');
  expect(begun.at(-1)).toBe('large cutover 9');
});

test('L5 what is free is left to the cutover that waits, not taken by a seed that it would suffice for', async () => {
  const { begun, copy, end } = moverOf();
  copy('cutover', 20 * TiB, true);
  copy('seed', 2 * TiB);
  copy('next cutover', 56 * TiB, true);
  await soon();
  expect(begun).toEqual(['cutover', 'seed']);
  copy('late seed', 2 * TiB);
  for (const name of ['seed', 'cutover', 'next cutover']) await end(name);
  expect(begun).toEqual(['cutover', 'seed', 'next cutover', 'late seed']);
});

test('L5 work inside a cutover waits for no seed', async () => {
  const turns = new Turns(1);
  const seed = work();
  const seeding = turns.take(false, never, () => seed.ended);
  expect(await turns.take(true, never, async () => 'final round')).toBe('final round');
  seed.end();
  await seeding;
});

test('L5 what turns out heavier takes room from those that wait, and gives all of it back; what turns out lighter gives some at once', async () => {
  const turns = new Turns(10);
  const [first, second] = [work(), work()];
  const heavier = turns.take(
    false,
    never,
    (reweigh) => {
      reweigh(8);
      return first.ended;
    },
    2,
  );
  await soon();
  let begun = 0;
  const wait = (): Promise<void> =>
    turns.take(
      false,
      never,
      () => {
        begun++;
        return second.ended;
      },
      5,
    );
  const waiting = [wait(), wait()];
  await soon();
  expect(begun).toBe(0);
  first.end();
  await heavier;
  await soon();
  expect(begun).toBe(2);
  second.end();
  await Promise.all(waiting);
  const third = work();
  const lighter = turns.take(
    false,
    never,
    (reweigh) => {
      reweigh(1);
      return third.ended;
    },
    10,
  );
  expect(await turns.take(false, never, async () => 'beside it', 9)).toBe('beside it');
  third.end();
  await lighter;
});

test('work that is told to stop while it waits leaves the queue', async () => {
  const turns = new Turns(1);
  const first = work();
  const running = turns.take(false, never, () => first.ended);
  const stop = new AbortController();
  const waiting = turns.take(false, stop.signal, async () => 'never');
  const last = turns.take(false, never, async () => 'last');
  stop.abort(new Error('told to stop'));
  await expect(waiting).rejects.toThrow('told to stop');
  first.end();
  await running;
  expect(await last).toBe('last');
});

describe('L5 what gives way to all others', () => {
  const scrubOf = (turns: Turns, sizeBytes: number) => {
    const { end, ended } = work();
    let signal = never;
    const done = turns.spare(tableBytes(sizeBytes), never, (given) => {
      signal = given;
      const left = new Promise<never>((_, reject) => {
        given.addEventListener('abort', () => reject(given.reason));
      });
      return Promise.race([ended.then(() => 'whole'), left]);
    });
    return { done, end, left: () => signal.aborted };
  };
  const copyOf = async (turns: Turns, sizeBytes: number, urgent = false) => {
    const { end, ended } = work();
    let begun = false;
    const act = (): Promise<void> => {
      begun = true;
      return ended;
    };
    void turns.take(urgent, never, act, weightOf(sizeBytes));
    await soon();
    return { end, begun: () => begun };
  };

  test('runs beside what there is room for, and leaves once the copies need it', async () => {
    const turns = openTableRoom();
    const scrub = scrubOf(turns, 16 * TiB);
    const copies = [];
    for (let count = 0; count < 3; count++) copies.push(await copyOf(turns, large));
    expect(scrub.left()).toBe(false);
    const fourth = await copyOf(turns, large);
    expect([fourth.begun(), scrub.left(), await scrub.done]).toEqual([true, true, undefined]);
    expect(await scrubOf(turns, 16 * TiB).done).toBeUndefined();
    for (const one of [...copies, fourth]) one.end();
  });

  test('runs alone whatever it weighs, beside the light ones’ own part, and never keeps a cutover or a copy waiting', async () => {
    for (const urgent of [true, false]) {
      const turns = openTableRoom();
      const scrub = scrubOf(turns, 64 * TiB);
      expect((await copyOf(turns, 64 * GiB)).begun()).toBe(true);
      expect(scrub.left()).toBe(false);
      const copy = await copyOf(turns, 64 * TiB, urgent);
      expect([copy.begun(), scrub.left(), await scrub.done]).toEqual([true, true, undefined]);
      let free = false;
      const waits = turns.untilSpare(tableBytes(64 * TiB), never).then(() => {
        free = true;
      });
      await soon();
      expect(free).toBe(false);
      copy.end();
      await waits;
    }
  });

  test('waits no longer than it is wanted', async () => {
    const turns = openTableRoom();
    const copy = await copyOf(turns, 64 * TiB);
    expect(await scrubOf(turns, 16 * TiB).done).toBeUndefined();
    const stop = new AbortController();
    const waits = turns.untilSpare(tableBytes(16 * TiB), stop.signal);
    stop.abort(new Error('asked to end'));
    await expect(waits).rejects.toThrow('asked to end');
    copy.end();
  });

  test('ends with what it found, also when it was to leave', async () => {
    const turns = openTableRoom();
    const scrub = scrubOf(turns, TiB);
    scrub.end();
    expect(await scrub.done).toBe('whole');
    const damage = corrupt({ op: 'scrub', subject: 'os', message: 'damage', hint: '' });
    const found = turns.spare(1, never, (signal) => {
      return new Promise((_, reject) => void signal.addEventListener('abort', () => reject(damage)));
    });
    const told = expect(found).rejects.toBe(damage);
    const copies = [await copyOf(turns, 64 * TiB), await copyOf(turns, 64 * TiB, true)];
    await told;
    for (const one of copies) one.end();
  });
});
