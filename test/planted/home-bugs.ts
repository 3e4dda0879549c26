/**
 * Bugs planted in the target's and the mover's checks, and in what may change under a run.
 */
import { bug, type PlantedBug } from './bug.ts';

const fit = 'test/vsphere/fit.test.ts';
const opened = 'test/vsphere/opened.test.ts';
const mover = 'test/model/mover-seen.test.ts';

const lineage = 'test/disk/lineage.test.ts';
const givingBack = 'workflows/giving-back.ts';
const given = 'test/workflows/giving-back.test.ts';
const untouched = 'activities/untouched.ts';
const told = 'test/activities/untouched.test.ts';
const beforeStop = 'await needHomeAsOpened({ input, run, pairs, open }, when);';
const watchedHold = '  course.besideHold = watchedHold(teller, { input, run, pairs: way.pairs, open });\n';
const underUs = 'test/story/home-under-us.test.ts';

const stopping = 'test/workflows/stopping.test.ts';
const asked = 'test/client/cancel-asked.test.ts';
const confirm = 'client/render/confirm.ts';
const whoServes = 'workflows/who-serves.ts';
const wayBack = 'test/story/way-back-told.test.ts';
const failed = 'test/workflows/stop-failed.test.ts';
const outages = 'test/model/outage.test.ts';
const observed = 'test/azure/observe-and-power.test.ts';
const turns = 'workflows/source-turns.ts';
const again = 'test/workflows/stopping-again.test.ts';
const stop = 'workflows/stopping.ts';

export const homeBugs: readonly PlantedBug[] = [
  bug('S1', 'workflows/home-watch.ts', '      acting.cancel();\n', '', underUs, 'during the seed'),
  bug(
    'S1',
    'workflows/cutover.ts',
    'await watchingHome(order, () => syncRound(order))',
    'await syncRound(order)',
    underUs,
    'during the one full copy',
  ),
  bug('S1', stop, beforeStop, '', underUs, 'S000-28'),
  bug('S1', stop, 'await checkHomeBeforeStop(journey, way);', '', underUs, 'while the scripts run'),
  bug(
    'S5',
    stop,
    '      await checkHomeBeforeStop(journey, way);',
    '      registerStopUndo(journey, way, target, { ...stood, served: true });\n      await checkHomeBeforeStop(journey, way);',
    'test/story/cancel.test.ts',
    'look right before the stop',
  ),
  bug('S1', 'workflows/departure.ts', watchedHold, '', underUs, 'the run is held'),
  bug(
    'S5',
    'workflows/rounds.ts',
    '      due = true;\n      state = withOneMore',
    '      state = withOneMore',
    underUs,
    'S000-28',
  ),
  bug(
    'S9',
    'workflows/cutover.ts',
    "await needHomeAsOpened(order, 'Right before the seal');",
    '',
    underUs,
    'since the last look',
  ),
  bug(
    'S1',
    'workflows/changing-point.ts',
    'await watchingHome(opened, transfers)',
    'await transfers()',
    'test/story/points.test.ts',
    'back and forth',
  ),
  bug(
    'S9',
    'workflows/cutover.ts',
    'state = copiedAnew(state);',
    'state = withoutRecord(state);',
    underUs,
    'during the one full copy',
  ),
  bug(
    'S9',
    'workflows/rounds.ts',
    'state = copiedAnew(state);',
    'state = withoutRecord(state);',
    underUs,
    'during the seed',
  ),
  bug(
    'S9',
    'workflows/home-watch.ts',
    'await needDisksAsOpened(opened);',
    'await needDisksAsOpened({ ...opened, open: [] });',
    underUs,
    'though the copy failed',
  ),
  bug('S9', 'workflows/sync-rounds.ts', '{ anew: state.anew ?? 0, ...', '{ anew: 0, ...', underUs, 'during the seed'),
  bug(
    'S9',
    'disk/lineage.ts',
    'if (isBehind(state, wish)) return wasElsewhere;\n  if (marker === undefined)',
    'if (marker === undefined)',
    lineage,
    'was elsewhere since',
  ),
  bug(
    'S9',
    'disk/lineage.ts',
    'if (isBehind(state, wish)) return wasElsewhere;\n  if (sizeBytes',
    'if (sizeBytes',
    lineage,
    'was elsewhere since',
  ),
  bug('S3', 'disk/lineage.ts', '    !isBehind(state, wish) &&\n', '', lineage, 'was elsewhere since'),
  bug('S3', 'disk/seal.ts', 'base: undefined, anew };', 'base: undefined };', lineage, 'was elsewhere since'),
  bug('L2', 'disk/take-disk.ts', 'seals, anew, epoch', 'seals, epoch', lineage, 'was elsewhere since'),
  bug('S1', 'activities/opened.ts', 'if (input.needed || ', 'if (', 'test/activities/opened.test.ts', 'asked again'),
  bug(
    'S4',
    'sites/vsphere/opened-checks.ts',
    "mark.way === 'staged' && mark.uses === 0",
    "mark.way === 'staged'",
    'test/vsphere/reopen.test.ts',
    'go back to the mover',
  ),
  bug(
    'S5',
    'workflows/arriving.ts',
    '  target.seenReturned = false;',
    '  target.seenReturned = false;\n  target.returned = true;',
    'test/story/cancel.test.ts',
    'left the inventory',
  ),
  bug('S1', givingBack, 'returned || !wasUntouched(error)', '!wasUntouched(error)', given, 'counts as given'),
  bug('S5', givingBack, 'returned || !wasUntouched(error)', 'true', given, 'counts as given'),
  bug('S1', givingBack, '  target.returned = true;\n', '', given, 'counts as given'),
  bug('S1', untouched, '    changes++;\n', '', told, 'before its first change'),
  bug('S1', untouched, 'work.attempt === 1 && ', '', told, 'another one went before'),
  bug('S1', untouched, ' && work.earlier === undefined', '', told, 'another one went before'),
  bug('S1', untouched, ' && !work.again', '', told, 'another one went before'),
  bug(
    'S1',
    'activities/attempt.ts',
    'again: info.currentAttemptScheduledTimestampMs !== info.scheduledTimestampMs,',
    'again: false,',
    told,
    'by when it was handed out',
  ),
  bug(
    'S7',
    'model/other-point.ts',
    'otherPoint(callOperator(story, trouble));',
    "otherPoint(callOperator(story, trouble)) ?? 'latest';",
    'test/model/another-point.test.ts',
    'is advised beside a failure',
  ),
  bug(
    'S9',
    'sites/vsphere/opened-checks.ts',
    'if (mover.disks.some((disk) => disk.file === file)) continue;',
    'if (mover.disks.some((disk) => disk.file === file || disk.uuid === uuid)) continue;',
    opened,
    'Storage vMotion',
  ),
  bug(
    'S4',
    'sites/vsphere/opened-checks.ts',
    'const ours = isOpen(mark) && mark.run === run;',
    'const ours = isOpen(mark);',
    opened,
    'a record that somebody removed',
  ),
  bug(
    'S9',
    'model/pairing.ts',
    'const gone = begun.filter(',
    'const gone = begun.slice(0, 0).filter(',
    'test/model/pairing.test.ts',
    'not those the run began with',
  ),
  bug(
    'R7',
    'sites/vsphere/preflight-fit.ts',
    'shape.firmware !== undefined && shape.firmware !== wanted',
    'shape.firmware === undefined && shape.firmware !== wanted',
    fit,
    'generation 2 machine',
  ),
  bug(
    'R7',
    'sites/vsphere/preflight-fit.ts',
    'const lost = cardsOf(target.devices).flatMap((card) => lostNetwork(card, host));',
    'const lost = cardsOf([]).flatMap((card) => lostNetwork(card, host));',
    fit,
    'port group',
  ),
  bug(
    'R7',
    'sites/vsphere/preflight-hosts.ts',
    "verdict: fleeting.length > 0 ? 'refuse' : 'warn',",
    "verdict: 'warn',",
    fit,
    'a disk that forgets',
  ),
  bug('R7', 'model/mover-seen.ts', "verdict: fits ? 'warn' : 'refuse',", "verdict: 'warn',", mover, 'versions'),
  bug('R7', 'model/mover-seen.ts', 'if (!sameSystem)', 'if (sameSystem || !sameSystem)', mover, 'another family'),
  bug(
    'R7',
    'sites/azure/reach.ts',
    'if (login.problem !== undefined) return [login];',
    'if (login.problem !== undefined) return [];',
    'test/azure/reach.test.ts',
    'own secret is wrong',
  ),
  bug(
    'R7',
    'model/group.ts',
    'else if (known[1] !== mover)',
    'else if (false)',
    'test/model/group.test.ts',
    'two movers',
  ),
  bug('S5', stop, 'stood.served ||= seen.served;', '', stopping, 'is started again on the way back'),
  bug('S5', stop, 'if (seen.served) servesBehindStop(teller);', '', failed, 'is over once the source'),
  bug('S5', stop, 'sourceUndo && {', 'false && {', failed, 'has served since'),
  bug('S5', stop, 'if (alone && wasUntouched(error))', 'if (wasUntouched(error))', failed, 'the next one'),
  bug('S5', stop, 'if (alone && wasUntouched(error))', 'if (!error)', failed, 'known never to have begun'),
  bug('S5', stop, 'else if (!isCancellation(error))', 'else if (!error)', failed, 'has begun no outage'),
  bug('S5', stop, '[showsWithinMs, 0]', '[0]', failed, 'from its sending'),
  bug('L1', stop, 'await lookAtSource(journey, briefVerbs);', 'await lookAtSource(journey);', failed, 'was refused'),
  bug('S5', stop, 'return journey.teller.find({ sourceIdle: true });', 'return;', failed, 'from its sending'),
  bug('S5', turns, "if (sourceIdle && sourceUndo === 'start')", 'if (!teller)', failed, 'had brought'),
  bug('S12', turns, "sourceUndo ? 'somebody, or", "!sourceUndo ? 'somebody, or", failed, 'is known'),
  bug('S12', 'model/outage.ts', 'outage: outagesBefore.at(-1),', 'outage: undefined,', outages, 'to be none'),
  bug('S5', untouched, 'changes--;', '', told, 'answered with a no'),
  bug(
    'S5',
    'activities/power.ts',
    'tellingUntouched(attempt, (work)',
    '((all, act) => act(all))(attempt, (work)',
    told,
    'before it began',
  ),
  bug('S5', 'sites/azure/last-look.ts', 'if (isNo(answer.status))', 'if (!answer)', observed, 'a stop that Azure'),
  bug('S5', 'sites/azure/last-look.ts', ' && status < 500', '', observed, 'a stop that Azure'),
  bug('S5', 'sites/azure/last-look.ts', ' && status !== 408', '', observed, 'a stop that Azure'),
  bug('S5', stop, "(power === 'changing' && beingDeleted !== true)", 'false', again, 'started behind it'),
  bug('S5', stop, "(power === 'changing' && beingDeleted !== true)", "power === 'changing'", again, 'being deleted'),
  bug('S5', stop, "(served ? 'start' : 'leave')", "(served ? 'start' : 'start')", again, 'reads otherwise'),
  bug('S12', stop, "'source-left'", "'source-seen'", again, 'a later step calls'),
  bug(
    'S5',
    whoServes,
    "if (phase === 'ReturnedToSource' && sourceUndo",
    'if (!phase && sourceUndo',
    again,
    'nobody could look',
  ),
  bug('S5', whoServes, "isIn(record, 'source-left') && !sourceIdle", '!sourceIdle', wayBack, 'who serves'),
  bug('S5', whoServes, "sourceUndo === 'leave' ? ', unless", "sourceIdle ? ', unless", wayBack, 'who serves'),
  bug(
    'S5',
    confirm,
    "sourceIdle === true : sourceUndo === 'leave'",
    'sourceIdle === true : sourceIdle === true',
    asked,
    'not by how',
  ),
  bug('S5', stop, '    course.onceMore(undoName);\n', '', again, 'before they are taken back'),
  bug('S5', stop, 'teller.find({ sourceIdle: !now.served });', '', stopping, 'somebody started later'),
  bug('S5', 'workflows/taking-back.ts', "if (seen.op === 'observe-power')", 'if (!seen)', stopping, 'stay off'),
  bug('S12', turns, 'if (isOpen(outage)) return;', '', failed, 'shows late is not told'),
  bug(
    'S5',
    'workflows/failback.ts',
    'if (servedAtFirst(way.found) === false) teller.find({ sourceIdle: true });',
    '',
    stopping,
    'preflight finds off',
  ),
  bug('S5', stop, 'if (seen.served && !stood.served) return {};', '', stopping, 'is not stopped without them'),
];
