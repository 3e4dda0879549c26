/** Bugs planted in how a mover comes by its disk, and in what it tells of how it read it. */
import { bug, type PlantedBug } from './bug.ts';

const cached = 'test/activities/cached-target.test.ts';
const equality = 'test/disk/equality.test.ts';
const tries = 'test/workflows/round-tries.test.ts';
const standing = 'test/client/standing.test.ts';
const sealing = 'test/workflows/sealing.test.ts';

export const toldBugs: readonly PlantedBug[] = [
  bug(
    'S8',
    'disk/held-disk.ts',
    'await assertStillThere(options, subject);',
    '',
    'test/activities/swapped-disk.test.ts',
    'got the name of ours',
  ),
  bug('S3', 'activities/transfer.ts', 'note: work.note,', '', cached, 'say in log and proof'),
  bug('S3', 'activities/attempt.ts', 'note: (text) => context.log.warn(text),', 'note: () => undefined,', cached),
  bug(
    'S3',
    'disk/records.ts',
    'direct: state.direct && record.direct };',
    'direct: record.direct };',
    equality,
    'once says so',
  ),
  bug(
    'S3',
    'disk/held-disk.ts',
    'ledger.state.direct || (again && target.direct)',
    'ledger.state.direct || again',
    equality,
    'every proof',
  ),
  bug('S3', 'disk/seal.ts', '...readBackBy(held, options.reread)', '', cached, 'say in log and proof'),
  bug(
    'S3',
    'disk/target-disk.ts',
    'const readBack = state.direct ? {} :',
    'const readBack = state.phase ? {} :',
    cached,
    'say in log and proof',
  ),
  bug(
    'S3',
    'workflows/sealing.ts',
    '...(seal.cached ? { readBackThroughCache: true } : {}),',
    '',
    sealing,
    'the page cache',
  ),
  bug('L3', 'workflows/sync-round.ts', 'ms: (tried?.ms ?? 0) + ms,', 'ms,', tries, 'final round'),
  bug('L3', 'workflows/sync-round.ts', '(tried?.pointMs ?? 0) + pointMs', 'pointMs', tries, 'held'),
  bug('L3', 'workflows/sync-rounds.ts', '{ ...this.state, tried: tries }', 'this.state', tries, 'held'),
  bug('L3', 'workflows/cutover.ts', '{ ...state, tried: tries }', 'state', tries, 'final round'),
  bug(
    'L3',
    'workflows/rounds-state.ts',
    '{ tried: _tried, ...state }: RoundsState,',
    'state: RoundsState,',
    tries,
    'held',
  ),
  bug('S3', 'workflows/sync-round.ts', '...readBack(proofs),', '', 'test/workflows/round-report.test.ts', 'page cache'),
  bug(
    'S3',
    'workflows/status-of.ts',
    'const cached = cachedText(cachedDisks(seals));',
    'const cached = cachedText([]);',
    sealing,
    'the page cache',
  ),
  bug('S3', 'model/read-back.ts', 'const but = cached ?', 'const but = !cached && cached ?', sealing, 'the page cache'),
  bug(
    'S3',
    'activities/mover-worker.ts',
    'return handle === undefined;',
    'return false;',
    'test/activities/places.test.ts',
    'asked for direct I/O',
  ),
  bug(
    'S3',
    'model/mover-seen.ts',
    'if (problem === undefined && cached)',
    'if (problem === undefined && false)',
    'test/model/mover-seen.test.ts',
    'takes no direct I/O',
  ),
  bug('L1', 'client/heartbeats.ts', 'isSilent({ paused: false, ...end }, now)', 'false', standing, 'was killed'),
  bug(
    'L1',
    'client/heartbeats.ts',
    'if (state === scheduled) return {',
    'if (paused) return {',
    standing,
    'is missing',
  ),
  bug('L1', 'client/heartbeats.ts', 'limit: { ...one.limit, holdsBack: false }', 'limit: one.limit', standing),
  bug('L1', 'client/heard.ts', 'Math.min(liveWithinMs, share * silenceSeconds * 1000)', '60_000', standing, 'killed'),
  bug('L1', 'model/forecast.ts', 'if ([...latest.values()].some(isStanding))', 'if (false)', standing, 'no end'),
  bug('L1', 'model/progress.ts', "stage === 'paused' || stands", 'stands', standing, 'paused has none'),
  bug('L1', 'client/render/bars.ts', 'stands ? standsText(stands, now) : stage', 'stage', standing, 'under way'),
  bug('L1', 'client/render/line.ts', 'one.stands ? standing(one.disk, one.stands) :', '', standing, 'under way'),
  bug('L1', 'client/render/steps.ts', '!isSilent(step, now)', 'true', 'test/client/silent-step.test.ts', 'silent'),
];
