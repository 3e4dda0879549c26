/**
 * Long lists of changes: which of them are read on at once, and which wait.
 * Rule: the turns are the real ones; only the copies are not, so that a test says when a list is read and when one ends.
 */
import { inTurnWithList, openListRoom } from '../../activities/list-room.ts';
import { Turns } from '../../activities/turns.ts';
import { largestListBytes, shortListBytes } from '../../disk/change-list.ts';
import { collectChanges } from '../../disk/extents.ts';
import { transferDisk } from '../../disk/target-disk.ts';
import { ImagePoint, mib, onWorkbench } from '../disk/workbench.ts';

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Copies whose lists are long: who reads on, what one takes in the end, and when it is over or told to stop. */
function moverOf({ turns = 9, urgentTurns = 9 } = {}) {
  const rooms = { turns: new Turns(turns, undefined, urgentTurns), lists: openListRoom() };
  const reads: string[] = [];
  return {
    reads,
    /** A copy with a short list, until what it answers is called. */
    async short(name: string): Promise<() => Promise<void>> {
      const end = Promise.withResolvers<void>();
      const done = rooms.turns.take(false, new AbortController().signal, async () => {
        reads.push(name);
        await end.promise;
      });
      await soon();
      return async () => {
        end.resolve();
        await done;
        await soon();
      };
    },
    async copy(name: string, urgent = false) {
      const [read, end, stop] = [Promise.withResolvers<number>(), Promise.withResolvers<void>(), new AbortController()];
      let told = 0;
      const waits = (): void => void told++;
      const wish = { urgent, weight: 1, signal: stop.signal, waits };
      const done = inTurnWithList(rooms, wish, async ({ long, listed }) => {
        long();
        reads.push(name);
        listed(await Promise.race([read.promise, end.promise.then(() => 0)]));
        await end.promise;
      });
      await soon();
      return {
        takes: async (bytes: number) => {
          read.resolve(bytes);
          await soon();
        },
        end: async () => {
          end.resolve();
          await done;
          await soon();
        },
        stop: async () => {
          stop.abort(new Error('asked to end'));
          await expect(done).rejects.toThrow('asked to end');
        },
        waited: () => told,
      };
    },
  };
}

test('L5 long lists are read one at a time, beside those that turned out to leave the room for it', async () => {
  const { copy, reads } = moverOf();
  const [first, second, third] = [await copy('first'), await copy('second'), await copy('third')];
  expect(reads).toEqual(['first']);
  await first.takes(2 * shortListBytes);
  expect(reads).toEqual(['first', 'second']);
  await second.takes(largestListBytes);
  expect(reads).toEqual(['first', 'second']);
  await second.end();
  expect(reads).toEqual(['first', 'second', 'third']);
  expect([first, second, third].map((one) => one.waited())).toEqual([0, 1, 1]);
  for (const one of [first, third]) await one.end();
});

test('L5 the long list of a cutover waits for no other one but another cutover’s', async () => {
  const { copy, short, reads } = moverOf({ turns: 2, urgentTurns: 2 });
  const [seed, nextSeed, end] = [await copy('seed'), await copy('next seed'), await short('short')];
  const [cutover, nextCutover] = [await copy('cutover', true), await copy('next cutover', true)];
  expect(reads).toEqual(['seed', 'short', 'cutover']);
  expect([cutover, nextCutover].map((one) => one.waited())).toEqual([0, 1]);
  await cutover.end();
  expect(reads).toEqual(['seed', 'short', 'cutover', 'next cutover']);
  await end();
  for (const one of [seed, nextCutover, nextSeed]) await one.end();
});

test('L5 whoever waits for room keeps no turn from others, and what one that ends had of both goes to it', async () => {
  const { copy, short, reads } = moverOf({ turns: 2, urgentTurns: 0 });
  const [first, second] = [await copy('first'), await copy('second')];
  const ends = [await short('short'), await short('next short')];
  expect(reads).toEqual(['first', 'short']);
  await first.takes(largestListBytes + shortListBytes);
  await first.end();
  expect(reads).toEqual(['first', 'short', 'second']);
  for (const end of ends) await end();
  await second.end();
});

test('L5 a copy that is stopped while its list waits for room leaves it to the next', async () => {
  const { copy, reads } = moverOf();
  const [first, second, third] = [await copy('first'), await copy('second'), await copy('third')];
  await second.stop();
  await first.takes(largestListBytes + shortListBytes);
  expect(reads).toEqual(['first']);
  await first.end();
  expect(reads).toEqual(['first', 'third']);
  await third.end();
});

test('a list is long from its 16,385th range on, and asks once, however long it becomes', async () => {
  const asked = async (ranges: number): Promise<number> => {
    let count = 0;
    async function* extents() {
      for (let at = 0; at < ranges; at++) yield { offset: at * 1024 ** 2, length: 512, kind: 'data' as const };
    }
    const long = (): void => {
      count++;
    };
    await collectChanges(extents(), { sizeBytes: 2 ** 40, subject: 'erp/os', long });
    return count;
  };
  expect(await Promise.all([16_384, 16_385, 200_000].map(asked))).toEqual([0, 1, 1]);
});

test('L5 a copy reads no more of its long list than a short one has before there is room, and all of it once there is', async () => {
  const image = Buffer.alloc(65 * mib);
  await onWorkbench(image.byteLength, async (bench) => {
    const source = new ImagePoint(image);
    let named = 0;
    source.changes = async function* () {
      for (named = 0; named < 16_600; named++) yield { offset: named * 4096, length: 512, kind: 'data' as const };
    };
    const noRoom = (): void => {
      throw new Error('no room');
    };
    const work = { ...bench.options(), source, point: 'p0' };
    await expect(transferDisk({ ...work, long: noRoom })).rejects.toThrow('no room');
    expect(named).toBe(16_384);
    expect((await transferDisk(work)).changedBytes).toBe(16_600 * 512);
  });
});
