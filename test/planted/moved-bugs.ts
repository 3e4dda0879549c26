/**
 * Bugs planted in what is done when a machine or a disk was moved: what is not found is not off, and a disk is its UUID.
 */
import { bug, type PlantedBug } from './bug.ts';

const moved = 'test/vsphere/moved.test.ts';

export const movedBugs: readonly PlantedBug[] = [
  bug(
    'S1',
    'activities/power.ts',
    'if (input.disksReturned) {',
    'if (input.disksReturned && input.open === undefined) {',
    moved,
    'does not see any more',
  ),
  bug('S1', 'sites/vsphere/run-machine.ts', 'if (runs) return runs;', '', moved, 'with a part of the disks'),
  bug(
    'S1',
    'sites/vsphere/run-machine.ts',
    'if (found && (made || found.mark?.run === run)) return found;',
    'if (found) return found;',
    moved,
    'with a part of the disks',
  ),
  bug(
    'S1',
    'sites/vsphere/run-machine.ts',
    'if (holder && places.every((place) => place.holders.length > 0)) return holder;',
    'if (holder) return holder;',
    moved,
    'with a part of the disks',
  ),
  bug(
    'S5',
    'sites/vsphere/disk-places.ts',
    'const isMoved = alike.length > 0 && (await filesThere(at, [file], work)).length === 0;',
    'const isMoved = alike.length > 0;',
    moved,
    'is a clone and stays',
  ),
  bug(
    'S11',
    'sites/vsphere/abandon-disks.ts',
    'needUnmoved(await placesOf(at, written, work), movedRemedy);',
    '',
    moved,
    'named before anything is unplugged',
  ),
  bug(
    'S11',
    'sites/vsphere/abandon-disks.ts',
    'needUnmoved(await placesOf(at, writtenDisks(request), work), movedRemedy);',
    '',
    moved,
    'named before anything is unplugged',
  ),
  bug(
    'S4',
    'sites/vsphere/abandon-disks.ts',
    'if (places.some((place) => heldBy(place, target))) needQuietTarget(target);',
    'if (places.some((place) => place.file === place.was && heldBy(place, target))) needQuietTarget(target);',
    moved,
    'in place: the way back',
  ),
  bug(
    'S5',
    'sites/vsphere/abandon-disks.ts',
    "[stateOption('open'), ...originalOptions(originals)]",
    "[stateOption('open')]",
    moved,
    'in place: the way back',
  ),
  bug(
    'S5',
    'sites/vsphere/abandon-disks.ts',
    'file: originals[index]?.file ?? file,',
    'file,',
    moved,
    'still hangs in its slot',
  ),
  bug(
    'S4',
    'sites/vsphere/abandon-disks.ts',
    'await needHeldOnlyBy(at, opened, [], work);',
    '',
    moved,
    'a machine without the record holds them',
  ),
  bug('S8', 'sites/vsphere/abandon-disks.ts', '!theirs.includes(was) && ', '', moved, 'also when somebody moved it'),
  bug(
    'S8',
    'sites/vsphere/return-disks.ts',
    'astray.filter((place) => heldBy(place, mover)),',
    '[],',
    moved,
    'neither given to another mover',
  ),
  bug(
    'S11',
    'workflows/departure.ts',
    'journey.open = open;',
    '',
    'test/story/home-under-us.test.ts',
    'while an open disk lies elsewhere',
  ),
];
