/**
 * L5 the memory of a scrub: its block table takes the room that copies leave, and leaves as soon as they need it.
 * Rule: the engine, the record and the disk are real; the room is filled by the test.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { blockBytes, readBackBytes } from '../../disk/geometry.ts';
import { watchHost } from '../disk/host-edge.ts';
import { mib, onWorkbench } from '../disk/workbench.ts';
import { inActivity } from './in-activity.ts';
import { givingUpAfter, stale, verbsOn } from './mover-verbs.ts';

const never = new AbortController().signal;
const wholeRoom = 64 * mib;
const readsABlock = blockBytes / readBackBytes;

test('L5 a scrub waits while copies have all the room for block tables, gives way in its midst and goes on where it was', async () => {
  await onWorkbench(stale, async (bench) => {
    const { transfer, scrub, turns } = await verbsOn(bench);
    await inActivity(transfer, givingUpAfter(1_000));
    const fill = () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      void turns.take(false, never, () => promise, wholeRoom);
      return resolve;
    };
    let reads = 0;
    let full = fill();
    const third = Promise.withResolvers<void>();
    const restore = await watchHost((call) => {
      if (call.name === 'read' && call.path === bench.path && call.length >= mib && ++reads === 2 * readsABlock + 1) {
        full = fill();
        third.resolve();
      }
      return call.all();
    });
    try {
      const proof = inActivity(scrub, givingUpAfter(1_000));
      await sleep(200);
      expect(reads).toBe(0);
      full();
      await third.promise;
      await sleep(200);
      expect(reads).toBe(3 * readsABlock);
      full();
      expect(await proof).toMatchObject({ pass: 1, bytes: stale.length });
      // The block that it was at is not read again.
      expect(reads).toBe(6 * readsABlock);
    } finally {
      restore();
    }
  });
});
