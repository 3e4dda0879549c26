/**
 * S8: between the moment a mover finds its disk and the one it opens it lie a grant of minutes and the attempts before it. A
 * kernel gives the name of a device that was pulled meanwhile to the next one that is plugged in.
 * Rule: a disk is a file here and its name the file's; the finder knows it by its inode, as the real one does by its WWN.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { firstDifference, mib, onWorkbench, patternImage, type Workbench } from '../disk/workbench.ts';
import { inActivity } from './in-activity.ts';
import { givingUpAfter, image, stale, verbsOn } from './mover-verbs.ts';

const theirs = patternImage(5, 24 * mib);

/** A mover that knows the bench's disk wherever it is. */
function pullable({ path }: Workbench) {
  const { ino } = statSync(path);
  const moved = `${path}-replugged`;
  return {
    find: async () => (statSync(path).ino === ino ? path : moved),
    /** Somebody pulls the disk and plugs in another of its size, which gets its name; then the disk again, under the next one. */
    swap: async () => {
      renameSync(path, moved);
      writeFileSync(path, theirs);
    },
    content: () => readFileSync(moved),
  };
}

const patient = () => givingUpAfter(1_000);

test('S8 a disk that got the name of ours while its copy waited for a grant is not written, and ours is found again', async () => {
  await onWorkbench(stale, async (bench) => {
    const disk = pullable(bench);
    const { transfer } = await verbsOn(bench, { find: disk.find, opening: disk.swap });
    const refused = inActivity(transfer, patient());
    await expect(refused).rejects.toMatchObject({ type: 'Transient', message: expect.stringContaining('-replugged') });
    expect(firstDifference(bench.content(), theirs)).toBe(-1);
    const { transfer: again, seal } = await verbsOn(bench, { find: disk.find });
    await inActivity(again, patient());
    await inActivity(seal, patient());
    expect(firstDifference(disk.content(), image)).toBe(-1);
    expect(firstDifference(bench.content(), theirs)).toBe(-1);
  });
});

test('S8 a copy that looks once more for its disk gives way to a newer one at once', async () => {
  await onWorkbench(stale, async (bench) => {
    const gone = Promise.withResolvers<void>();
    let looks = 0;
    // Its device was pulled once it was open, and the mover waits for it.
    const find = async (signal: AbortSignal): Promise<string> => {
      if (++looks === 1) return bench.path;
      gone.resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const { transfer: older } = await verbsOn(bench, { find });
    const ended = expect(inActivity(older, patient())).rejects.toMatchObject({ type: 'Fenced' });
    await gone.promise;
    const { transfer: newer } = await verbsOn(bench);
    await inActivity(newer, patient());
    await ended;
  });
});
