/**
 * L5 what a disk with a long list of changes keeps from others while it waits for the room of that list: nothing.
 * Rule: the engine, the record, the disk and the turns are real; the rooms are filled by the test.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Turns } from '../../activities/turns.ts';
import { largestListBytes } from '../../disk/change-list.ts';
import { data, onWorkbench } from '../disk/workbench.ts';
import { inActivity } from './in-activity.ts';
import { givingUpAfter, stale, verbsOn } from './mover-verbs.ts';

const never = new AbortController().signal;
const longList = Array.from({ length: 16_600 }, (_, index) => data(index * 1024, 512));

/** Fills a room until what it answers is called. */
function fill(room: Turns, weight = 1): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  void room.take(false, never, () => promise, weight);
  return resolve;
}

/** Whether others have so much of a room without the disk's ending. */
const isLeft = (room: Turns, weight = 1): Promise<boolean> =>
  Promise.race([room.take(false, never, async () => true, weight), sleep(2_000, false)]);

test('L5 a disk whose long list waits for room gives up its turn meanwhile, and copies once it has both', async () => {
  await onWorkbench(stale, async (bench) => {
    const turns = new Turns(1);
    let [listed, stage]: unknown[] = [];
    // By then it is known how little of the room the list takes.
    const beforeRead = async (): Promise<void> => {
      listed ??= await isLeft(verbs.lists, largestListBytes);
    };
    const verbs = await verbsOn(bench, { turns, extents: longList, beforeRead });
    const freeList = fill(verbs.lists, largestListBytes);
    const listing = Promise.withResolvers<void>();
    const copy = inActivity(verbs.transfer, givingUpAfter(1_000), undefined, (details) => {
      ({ stage } = details as { stage?: unknown });
      if (stage === 'listing') listing.resolve();
    });
    await listing.promise;
    const leaves = await isLeft(turns);
    const endOther = fill(turns);
    const waits = stage;
    freeList();
    await sleep(100);
    const waitsOn = stage;
    endOther();
    expect(await copy).toMatchObject({ changedBytes: longList.length * 512 });
    expect({ leaves, waits, waitsOn, listed }).toEqual({
      leaves: true,
      waits: 'waiting',
      waitsOn: 'waiting',
      listed: true,
    });
  });
});

test('L5 a long list whose disk waits for its turn keeps none from a disk that has its turn', async () => {
  await onWorkbench(stale, async (bench) => {
    const turns = new Turns(1);
    let stage: unknown;
    const verbs = await verbsOn(bench, { turns, extents: longList });
    const freeList = fill(verbs.lists, largestListBytes);
    const listing = Promise.withResolvers<void>();
    const copy = inActivity(verbs.transfer, givingUpAfter(1_000), undefined, (details) => {
      ({ stage } = details as { stage?: unknown });
      if (stage === 'listing') listing.resolve();
    });
    await listing.promise;
    await isLeft(turns);
    const endOther = fill(turns);
    freeList();
    await sleep(100);
    turns.look();
    const leaves = verbs.lists.takeNow(false, largestListBytes);
    leaves?.(0);
    endOther();
    expect(await copy).toMatchObject({ changedBytes: longList.length * 512 });
    expect(leaves).toBeDefined();
  });
});
