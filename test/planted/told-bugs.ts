/** Bugs planted in how a mover comes by its disk, and in what it tells of how it read it. */
import { bug, type PlantedBug } from './bug.ts';

export const toldBugs: readonly PlantedBug[] = [
  bug(
    'S8',
    'disk/held-disk.ts',
    'await assertStillThere(options, subject);',
    '',
    'test/activities/swapped-disk.test.ts',
    'got the name of ours',
  ),
];
