/**
 * Bugs planted in what keeps the last copy of a machine whose source is gone, and in the look at the source before another point.
 */
import { bug, type PlantedBug } from './bug.ts';

const there = 'activities/source-there.ts';
const look = 'test/azure/source-there.test.ts';
const kept = 'deletes no recovery point';
const atHome = 'test/story/source-watch.test.ts';
const alone = 'is stopped for no other point';
const told = 'test/story/way-back-told.test.ts';
const unseen = 'of a source that was not found';

export const lastCopyBugs: readonly PlantedBug[] = [
  bug('S5', there, "if (seen.power === 'absent')", 'if (seen.power === undefined)', look, kept),
  bug('S5', there, 'if (seen.beingDeleted)', 'if (seen.power === undefined)', look, kept),
  bug('S5', there, 'if (seen.identity !== found.identity)', 'if (seen.power === undefined)', look, kept),
  bug('S5', there, 'found.disks.find(', '[].find(', look, kept),
  bug('S11', there, '...(await source.observeRemains(remainsRequest(input), work)), ', '', look, kept),
  bug(
    'S5',
    'activities/recovery-point.ts',
    "if (found) await assertSourceThere(sites, { ...input, found, step: 'delete', stays: [] }, work);",
    '',
    look,
    kept,
  ),
  bug(
    'S5',
    'workflows/departure.ts',
    "before: 'all', found }",
    "before: 'all' }",
    'test/story/gates.test.ts',
    'expires after the source was deleted',
  ),
  bug(
    'S5',
    'activities/target.ts',
    "if (wayOf(input.failback) !== 'in-place')",
    'if (stays.length < 0)',
    'test/story/gates.test.ts',
    'expires after the source was deleted',
  ),
  bug('S5', 'workflows/arriving.ts', '...ofPower(journey), found: way.found }', '...ofPower(journey) }', atHome, alone),
  bug('S1', 'activities/movers.ts', "await assertSourceOff(sites, input, 'another point', work);", '', atHome, alone),
  bug('S5', 'workflows/arriving.ts', '(now.applied?.point ?? final)', 'final', atHome, alone),
  bug('S5', 'activities/movers.ts', '...final.disks, ', '', look, 'another point is refused'),
  bug('S5', 'model/transition.ts', 'trouble.op === sourceGone ? {', "trouble.op === '' ? {", told, unseen),
  bug('S5', 'model/transition.ts', 'trouble?.op === sourceGone && ', '', told, unseen),
  bug('S5', 'workflows/who-serves.ts', 'if (sourceGone) return', 'if (sourceGone && targetLive) return', told, unseen),
  bug('S5', 'model/other-point.ts', 'if (story.trouble?.watch) return undefined;', '', told, 'no other point'),
  bug(
    'S5',
    'client/render/confirm.ts',
    'sourceGone === true ||',
    'sourceGone === false ||',
    'test/client/cancel-asked.test.ts',
    'a source that was not found',
  ),
];
