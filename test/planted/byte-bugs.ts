/** Planted bugs in what tells that a disk is no longer the one its record speaks of. */
import { bug, type PlantedBug } from './bug.ts';

const older = 'test/disk/older-disk.test.ts';

export const byteBugs: readonly PlantedBug[] = [
  bug('S9', 'disk/lineage.ts', 'if (marker.epoch < marked)', 'if (marked < 0)', older, 'set back to an older state'),
  bug(
    'S9',
    'disk/records.ts',
    'return behindMarker.has(record.t) ? { ...next, marked: state.epoch } : next;',
    'return next;',
    older,
    'set back to an older state',
  ),
  bug(
    'L2',
    'disk/records.ts',
    'return behindMarker.has(record.t) ? { ...next, marked: state.epoch } : next;',
    "return behindMarker.has(record.t) || record.t === 'attempt' ? { ...next, marked: next.epoch } : next;",
    older,
    'goes on, any number of times',
  ),
];
