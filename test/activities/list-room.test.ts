/**
 * Long lists of changes: which of them are read on at once, and which wait.
 * Rule: the turns are the real ones; only the copies are not, so that a test says when a list is read and when one ends.
 */
import { openListRoom, withListRoom } from '../../activities/list-room.ts';
import { largestListBytes, shortListBytes } from '../../disk/change-list.ts';
import { collectChanges } from '../../disk/extents.ts';
import { transferDisk } from '../../disk/target-disk.ts';
import { ImagePoint, mib, onWorkbench } from '../disk/workbench.ts';

const never = new AbortController().signal;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Copies whose lists are long: who reads on, what one takes in the end, and when it is over. */
function moverOf() {
  const lists = openListRoom();
  const reads: string[] = [];
  return {
    reads,
    async copy(name: string, urgent = false) {
      const [read, end] = [Promise.withResolvers<number>(), Promise.withResolvers<void>()];
      const done = withListRoom(lists, urgent, never, async ({ long, listed }) => {
        await Promise.race([long().then(() => reads.push(name)), end.promise]);
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
  for (const one of [first, third]) await one.end();
});

test('L5 the long list of a cutover waits for no other one', async () => {
  const { copy, reads } = moverOf();
  const copies = [await copy('seed'), await copy('cutover', true)];
  expect(reads).toEqual(['seed', 'cutover']);
  for (const one of copies) await one.end();
});

test('L5 a copy that ends while its list waits for room leaves it to the next', async () => {
  const { copy, reads } = moverOf();
  const [first, second, third] = [await copy('first'), await copy('second'), await copy('third')];
  await second.end();
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
    await collectChanges(extents(), 2 ** 40, 'erp/os', false, async () => {
      count++;
    });
    return count;
  };
  expect(await Promise.all([16_384, 16_385, 200_000].map(asked))).toEqual([0, 1, 1]);
});

test('L5 a copy reads no more of its long list than a short one has before there is room', async () => {
  const image = Buffer.alloc(65 * mib);
  await onWorkbench(image.byteLength, async (bench) => {
    const source = new ImagePoint(image);
    let named = 0;
    source.changes = async function* () {
      for (named = 0; named < 16_600; named++) yield { offset: named * 4096, length: 512, kind: 'data' as const };
    };
    const [asked, room] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const long = (): Promise<void> => {
      asked.resolve();
      return room.promise;
    };
    const work = { ...bench.options(), source, point: 'p0', signal: never, report: () => undefined, long };
    const copy = transferDisk(work);
    await Promise.race([asked.promise, copy]);
    await soon();
    expect(named).toBe(16_384);
    room.resolve();
    expect((await copy).changedBytes).toBe(16_600 * 512);
  });
});
