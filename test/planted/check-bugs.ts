/**
 * Bugs planted in the source's checks, in what waits by itself, in the guards of a completion, and in what is foretold of it.
 */
import { bug, type PlantedBug } from './bug.ts';

const convergence = 'test/model/convergence.test.ts';
const lateAttempt = 'test/activities/late-attempt.test.ts';
const guestLogins = 'test/workers/control-sites.test.ts';
const lawPairs = 'test/model/law-pairs.test.ts';
const reading = 'test/client/reading.test.ts';
const ahead = 'test/client/ahead.test.ts';
const limits = 'test/azure/preflight-limits.test.ts';

export const checkBugs: readonly PlantedBug[] = [
  bug('L3', 'model/convergence.ts', 'round.moverMs ?? copyMs(round)', 'copyMs(round)', convergence, 'not the hour'),
  bug(
    'L3',
    'model/convergence.ts',
    ' && these.filter(isLonger).length > 1',
    '',
    convergence,
    'one among them that stood still',
  ),
  bug('L3', 'model/convergence.ts', 'isLonger(these.at(-1)) && ', '', convergence, 'is said once'),
  bug('L3', 'model/convergence.ts', ' && sum.movedMs > sum.madeMs', '', convergence, 'of which it is true'),
  bug('L3', 'model/convergence.ts', '2 * roundsNeeded', 'roundsNeeded', convergence, 'whatever three rounds do'),
  bug(
    'L3',
    'activities/transfer.ts',
    'work.attempt > 1 || work.earlier !== undefined',
    'work.attempt > 1',
    lateAttempt,
    'begins to count anew',
  ),
  bug('L3', 'activities/transfer.ts', ' || proof.resumedBytes > 0', '', lateAttempt, 'begins to count anew'),
  bug(
    'L5',
    'workers/control-sites.ts',
    'throw transient({',
    "throw new Failure('Refused', {",
    guestLogins,
    'this worker lacks',
  ),
  bug(
    'L5',
    'activities/probes.ts',
    'if (error.op === lacksGuestLogin) throw error;',
    '',
    guestLogins,
    'cannot log in to',
  ),
  bug(
    'L6',
    'model/waits.ts',
    "if (name === 'resolve' && story.held)",
    'if (false)',
    lawPairs,
    'waits for a resume while',
  ),
  bug('L1', 'client/heartbeats.ts', "paused ? 'paused' : moves ?", 'moves || paused ?', reading, 'told as a seal'),
  bug('L1', 'client/heartbeats.ts', "moves ? undefined : 'waiting'", 'undefined', reading, 'told as a seal'),
  bug('L5', 'client/heartbeats.ts', '?.op === noPlaceOp', '?.op !== noPlaceOp', reading, 'told apart from one'),
  bug('S12', 'workflows/failback.ts', 'if (input.startedBy)', 'if (false)', 'test/workflows/started-by.test.ts'),
  bug('R4', 'client/ahead.ts', "nextGate(left ?? phase) === 'completeFailover'", "phase !== 'Committed'", ahead),
  bug('R4', 'client/ahead.ts', '!cancellation && ', '', ahead),
  bug(
    'R7',
    'sites/azure/preflight-guest.ts',
    'if (since === undefined || now >= until)',
    'if (since === undefined)',
    'test/azure/preflight.test.ts',
    'silent for longer',
  ),
  bug(
    'R7',
    'sites/azure/preflight-snapshots.ts',
    'if (granted.length + grantsNeeded <= mostGranted)',
    'if (granted.length <= mostGranted)',
    limits,
    'others hold open',
  ),
  bug(
    'R7',
    'sites/azure/preflight-locks.ts',
    'ours.some((one) => one.toLowerCase() === scope)',
    'ours.length < 0',
    limits,
    'because nothing of it could be deleted',
  ),
  bug(
    'R7',
    'sites/azure/preflight.ts',
    "rightsCheck('azure-permissions-commit', resourceGroup, later,",
    "rightsCheck('azure-permissions-commit', resourceGroup, later.slice(0, 0),",
    limits,
    'a right that only the commit needs',
  ),
  bug(
    'R7',
    'model/check.ts',
    "if (checks.some((check) => check.verdict === 'refuse')) return [];",
    '',
    'test/model/check.test.ts',
    'not while something refuses',
  ),
  bug(
    'R7',
    'model/origin.ts',
    "if (kind !== 'physical' || old === undefined)",
    'if (old === undefined)',
    'test/model/origin.test.ts',
    'on a virtual machine',
  ),
  bug(
    'R7',
    'model/completion-guards.ts',
    'if (damaged.length > 0)',
    'if (damaged.length > 9)',
    'test/model/completion-guards.test.ts',
    'found damaged',
  ),
  bug(
    'S2',
    'sites/azure/same-source.ts',
    'op: sourceGone,',
    "op: 'source-changed',",
    'test/azure/recovery-points.test.ts',
    'was deleted during the run',
  ),
  bug(
    'R7',
    'client/render/page.ts',
    "plain(text).replace(/[&<>\"']/g, (one) => entities[one] ?? '')",
    'plain(text)',
    'test/client/checks-page.test.ts',
    'what comes from outside is text',
  ),
  bug(
    'R4',
    'model/forecast.ts',
    "limit?.cutover === 'exempt' ? undefined : limit?.bytesPerSecond",
    'limit?.bytesPerSecond',
    'test/model/forecast.test.ts',
    'a cutover is exempt from does not count',
  ),
];
