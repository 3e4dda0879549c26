/** Bugs planted in bars that stand behind another bar. */
import { bug, type PlantedBug } from './bug.ts';

const bars = 'test/disk/second-bars.test.ts';
const ancestry = 'sites/azure/ancestry.ts';
const ancestryTest = 'test/azure/ancestry.test.ts';
const recorded = 'sites/azure/recorded-point.ts';

export const secondBugs: readonly PlantedBug[] = [
  bug('S3', 'disk/seal.ts', '      refuseUnproven(held);', '', bars, 'was never proven is not sealed'),
  bug('S9', 'disk/lineage.ts', 'if (state.sizeBytes !== wish.sizeBytes)', 'if (state.sizeBytes < 0)', bars, 'resized'),
  bug(
    'S9',
    'disk/ledger.ts',
    "if (head.checkpoint > number) return unknown('the journal goes on from a record that is not there', true);",
    '',
    'test/disk/ledger.test.ts',
    'an older checkpoint',
  ),
  bug(
    'S8',
    'disk/scrub-disk.ts',
    'if (marker !== undefined) await withholding.check(marker);',
    '',
    bars,
    'another attempt has by now',
  ),
  bug(
    'S4',
    'disk/withhold.ts',
    "if (!isAllZero(space.subarray(this.bootBytes, headEnd))) throw this.lost('the head');",
    '',
    bars,
    'loses the zeros',
  ),
  bug(
    'S4',
    'disk/withhold.ts',
    "if (!isAllZero(space.subarray(tailStart - page, sizeBytes - page))) throw this.lost('the tail');",
    '',
    bars,
    'loses the zeros',
  ),
  bug('S9', ancestry, '!sameFamily || base.ofDisk', 'base.ofDisk', ancestryTest, 'whatever else fits'),
  bug('S9', ancestry, '|| base.ofDisk !== point.ofDisk', '', ancestryTest, 'whatever else fits'),
  bug('S9', ancestry, 'base.family !== undefined && ', '', ancestryTest, 'tell no family'),
  bug('S9', ancestry, 'before.takenAt > at || ', '', ancestryTest, 'lie between the two'),
  bug('S9', ancestry, 'if (before.ofDisk !== moment.ofDisk)', 'if (!moment)', ancestryTest, 'lie between the two'),
  bug(
    'S9',
    recorded,
    'if ((seen.sizeBytes ?? point.sizeBytes) !== point.sizeBytes)',
    'if (point.sizeBytes < 0)',
    'test/azure/reading.test.ts',
    'of another size',
  ),
  bug(
    'S3',
    recorded,
    'if (seen.sectorBytes !== 512)',
    'if (seen.sectorBytes < 0)',
    'test/azure/reading.test.ts',
    'with other sectors',
  ),
  bug(
    'S1',
    'sites/azure/recovery-point.ts',
    'if (final && (await lookAtSource(azure, request, work)).since !== since) throw startedSince(path);',
    '',
    'test/azure/recovery-points.test.ts',
    'during which the machine was started',
  ),
  bug(
    'R4',
    'model/forecast.ts',
    'facts.limit ?? last.limit;',
    'facts.limit;',
    'test/model/forecast.test.ts',
    'of the last round counts',
  ),
  bug(
    'R4',
    'model/shared-limits.ts',
    'if (rate === then) return last.limit;',
    'if (rate) return last.limit;',
    'test/client/ahead.test.ts',
    'whose hours have begun',
  ),
  bug(
    'R11',
    'model/calendar.ts',
    'if (then.offset !== seen.offset) {',
    'if (then.offset < -9_999) {',
    'test/model/limits.test.ts',
    'changes in the night',
  ),
  bug(
    'S11',
    'disk/disk-lock.ts',
    '      await rm(own, { force: true });\n',
    '',
    'test/disk/fencing.test.ts',
    'no room for itself',
  ),
  bug(
    'S11',
    'sites/azure/lease-shelf.ts',
    'if (before !== undefined && before !== lease) void this.giveBack(before);',
    '',
    'test/azure/lease-shelf.test.ts',
    'kept for the same step',
  ),
];
