/**
 * Bugs planted in the making of a machine at an alternate location, and in its undo.
 */
import { bug, type PlantedBug } from './bug.ts';

const story = 'test/vsphere/new-place.test.ts';

export const newPlaceBugs: readonly PlantedBug[] = [
  bug('S5', 'sites/vsphere/new-machine.ts', 'needEmpty(seen, run);', '', story, 'somebody hung into the new machine'),
  bug('S4', 'sites/vsphere/new-machine-spec.ts', "state: 'open'", "state: 'returned'", story, 'original is gone'),
  bug(
    'S11',
    'sites/vsphere/abandon-disks.ts',
    'if (target) await ensureMachineGone(at, request, work);',
    '',
    story,
    'exactly what was made',
  ),
];
