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
const serves = 'workflows/who-serves.ts';
const writtenOver = 'let the disks at home be written over';
const whereabouts = 'sites/azure/whereabouts.ts';
const moved = 'a source that was moved is there';
const inPlace = 'came home in place keeps its disks';
const confirm = 'client/render/confirm.ts';
const asked = 'test/client/cancel-asked.test.ts';

const left = 'sites/vsphere/left-by-a-run.ts';
const opening = 'sites/vsphere/open-disks.ts';
const atHomeLook = 'test/vsphere/preflight.test.ts';
const staged = 'what an earlier run left staged';
const back = 'gave its disks back and never ended';
const sealedThere = 'sealed by an earlier run in place';
const steps = 'activities/target.ts';
const azureMachine = 'sites/azure/machine.ts';
const deletedToo = 'if ((await readVm(azure, path, work)) !== undefined) throw error;';
const returning = 'sites/vsphere/return-disks.ts';
const recorded = 'test/vsphere/sealed-record.test.ts';

export const lastCopyBugs: readonly PlantedBug[] = [
  bug(
    'S5',
    left,
    "if (state === 'sealed')\n    return {",
    "if (state === 'recorded')\n    return {",
    atHomeLook,
    sealedThere,
  ),
  bug(
    'S5',
    'sites/vsphere/return-disks.ts',
    "await ensureStateLeft(at, target, isMeant, 'sealed', work);",
    'void isMeant;',
    atHomeLook,
    sealedThere,
  ),
  bug(
    'S5',
    'activities/target.ts',
    'site(input).ensureSealedRecorded(returnRequest(input), work);',
    'Promise.resolve();',
    atHomeLook,
    sealedThere,
  ),
  bug(
    'S8',
    opening,
    "(mark.state === 'sealed' || mark.state === 'returned')",
    "mark.state === 'returned'",
    atHomeLook,
    sealedThere,
  ),
  bug(
    'S5',
    returning,
    "findTarget(at, { path, run, made: write === 'created' }, work)",
    "findTarget(at, { path, run: '', made: write === 'created' }, work)",
    recorded,
    'where another machine stands at the path',
  ),
  bug(
    'S5',
    returning,
    "else if (target?.mark === undefined && write === 'in-place') throw sealedUnrecorded(path, run);",
    '',
    recorded,
    'carries the record no more',
  ),
  bug('S11', returning, " && write === 'in-place') throw", ') throw', recorded, 'are given up once more'),
  bug(
    'S8',
    returning,
    'else if (target?.mark === undefined && write',
    'else if (write',
    recorded,
    'is not recorded by a late step',
  ),
  bug('S11', opening, 'request.open ? needTarget(at, request, work) : ', '', recorded, 'gets them back'),
  bug(
    'S5',
    steps,
    "await allEnded(recorded, assertSourceOff(sites, input, 'the disks go back', work));",
    "await allEnded(assertSourceOff(sites, input, 'the disks go back', work), recorded);",
    recorded,
    'the record is tried again',
  ),
  bug(
    'S5',
    steps,
    "if (there.status === 'rejected') await allEnded(recorded, looked);",
    'await looked;',
    recorded,
    'the record is tried again',
  ),
  bug(
    'L1',
    steps,
    "if (there.status === 'rejected') await allEnded(recorded, looked);",
    'await allEnded(recorded, looked);',
    recorded,
    'carries the record no more',
  ),
  bug(
    'S4',
    steps,
    'await allEnded(site(input).ensureMoverLeft(targetRequest(input), work), recorded);',
    'await recorded;\n      await site(input).ensureMoverLeft(targetRequest(input), work);',
    recorded,
    'are taken off the mover also while',
  ),
  bug('S5', steps, 'if (input.sealed) await site', 'if (!input.sealed) await site', atHomeLook, sealedThere),
  bug(
    'S4',
    serves,
    'if (inPlace && !sealing)',
    "if (inPlace && !wrote('seal/'))",
    'test/workflows/sealing.test.ts',
    'before a disk is sealed',
  ),
  bug('S5', there, "if (machine.power === 'absent')", 'if (machine.power === undefined)', look, kept),
  bug('S5', there, 'if (machine.beingDeleted)', 'if (machine.power === undefined)', look, kept),
  bug('S5', there, 'machine.identity === found.identity', 'machine.power !== undefined', look, kept),
  bug('S5', there, 'if (taken)', 'if (!taken)', look, kept),
  bug('S11', there, '...(await source.observeRemains({ ...remainsRequest(input), nics: [] }, work)), ', '', look, kept),
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
    "if (step === 'delete' || input.sealed)",
    'if (input.sealed)',
    'test/story/gates.test.ts',
    'expires after the source was deleted',
  ),
  bug('S5', there, 'if (gone)', 'if (gone === undefined)', look, kept),
  bug('S5', there, "gone === undefined ? 'source-changed' : sourceGone", 'sourceGone', look, kept),
  bug('S5', there, "movedTo !== undefined && step !== 'delete'", 'movedTo !== undefined', look, moved),
  bug('S5', there, "movedTo !== undefined && step !== 'delete'", "movedTo === ''", look, moved),
  bug('S5', there, ', nics: [] }', ' }', look, 'without its network'),
  bug('S5', whereabouts, 'id === undefined ? undefined : pathOf(id)', 'undefined', look, moved),
  bug('S5', whereabouts, 'seen[at]?.uniqueId !== identity', 'seen[at] !== undefined', look, kept),
  bug(
    'S5',
    whereabouts,
    'missed.length === 0 ? []',
    'disks.length === 0 ? []',
    look,
    'hang on no disk that somebody attached',
  ),
  bug(
    'S5',
    whereabouts,
    'other?.uniqueId === identity',
    'other === undefined',
    look,
    'a disk that moved with its machine',
  ),
  bug('S5', 'workflows/proving-first.ts', 'course.forgetUndosAfter(before);', '', atHome, alone),
  bug('S5', 'activities/target.ts', "step === 'delete' || input.sealed", "step === 'delete'", atHome, inPlace),
  bug('S5', 'workflows/departure.ts', 'sealed: teller.findings.sealing === true', 'sealed: false', atHome, inPlace),
  bug('S5', serves, 'if (story.sourceGone) return', 'if (story.sourceGone && !inPlace) return', told, writtenOver),
  bug('S5', serves, 'story.sourceGone ? lastCopySays : repairSays', 'repairSays', told, writtenOver),
  bug('S5', serves, "inPlace && !leftOut.includes('open target disks')", 'inPlace', told, writtenOver),
  bug('S5', confirm, 'missing ? untilThere :', '!missing ? untilThere :', asked, unseen),
  bug('S5', confirm, 'if (missing) return write', "if (missing && write !== 'in-place') return write", asked, unseen),
  bug('S5', 'workflows/arriving.ts', '...ofPower(journey), found: way.found,', '...ofPower(journey),', atHome, alone),
  bug('S1', 'activities/movers.ts', "await assertSourceOff(sites, input, 'another point', work);", '', atHome, alone),
  bug('S5', 'workflows/arriving.ts', '(now.applied?.point ?? final)', 'final', atHome, alone),
  bug('S5', 'activities/movers.ts', '...final.disks, ', '', look, 'another point is refused'),
  bug('S5', 'model/transition.ts', 'trouble.op === sourceGone ? {', "trouble.op === '' ? {", told, unseen),
  bug('S5', 'model/transition.ts', 'trouble?.op === sourceGone && ', '', told, unseen),
  bug('S5', serves, 'if (sourceGone) return', 'if (sourceGone && targetLive) return', told, unseen),
  bug('S5', 'model/other-point.ts', 'if (story.trouble?.watch) return undefined;', '', told, 'no other point'),
  bug('S5', confirm, 'sourceGone === true ||', 'sourceGone === false ||', asked, unseen),
  bug('S5', left, 'mark.run === discards', 'discards !== undefined', atHomeLook, staged),
  bug('S5', left, "said ? 'warn' : 'refuse'", "'warn'", atHomeLook, staged),
  bug('S11', left, ": staged).join(', ')", ": []).join(', ')", atHomeLook, staged),
  bug(
    'S5',
    left,
    "!== 'returned' && way === 'staged'",
    "!== 'returned' && way === 'staged' && write === 'staged'",
    atHomeLook,
    staged,
  ),
  bug('S5', left, '|| machine.mark?.run === discards)', '|| discards !== undefined)', atHomeLook, staged),
  bug(
    'S5',
    left,
    "if (state !== 'returned') return undefined",
    "if (state !== 'returned' || write !== 'in-place') return undefined",
    atHomeLook,
    back,
  ),
  bug('S5', opening, 'needGivenUp(request, found);', '', atHomeLook, staged),
  bug(
    'S5',
    'activities/movers.ts',
    'checks.filter(({ id }) => id !== leftByARun)',
    'checks',
    'test/vsphere/movers.test.ts',
    'whatever an earlier run left',
  ),
  bug('S5', confirm, 'if (missing) return write ===', 'if (!missing) return write ===', asked, unseen),
  bug(
    'S7',
    'model/transition.ts',
    'if (message.since !== undefined && message.since !== story.trouble?.since)',
    'if (message.since !== undefined && story.trouble === undefined)',
    'test/model/law-pairs.test.ts',
    'a call that was answered already',
  ),
  bug(
    'S7',
    'client/command/approve.ts',
    'status?.trouble ? { since: status.trouble.since } : {}',
    '{}',
    'test/story/gates.test.ts',
    'by the call that named it',
  ),
  bug(
    'S7',
    'workflows/trouble.ts',
    'const step = [found.step, own.step].filter',
    'const step = [found.step].filter',
    'test/workflows/trouble.test.ts',
    'names what skip leaves out of both',
  ),
  bug(
    'S5',
    'client/command/approve.ts',
    'if (!isKnown(status, sent)) {',
    'if (objectionTo(toldStory(status), sent) === undefined) {',
    'test/client/approve.test.ts',
    'refused before it is sent',
  ),
  bug(
    'S5',
    'client/command/approve.ts',
    'if (options.signal) return await confirm(',
    'if (options.signal || options.yes) return await confirm(',
    'test/client/unattended.test.ts',
    'what cannot be shown',
  ),
  bug(
    'S5',
    'sites/vsphere/inventory.ts',
    'run === undefined ? there : await findRecorded(at, { path, run }, there, work);',
    'there;',
    recorded,
    'what an older run left',
  ),
  bug('L6', returning, ' && !(await hasLostItsMarks(at, request, work))', '', recorded, 'gets them back'),
  bug('S11', returning, 'ref.value !== mover?.value && ', '', recorded, 'has not gone'),
  bug('S5', azureMachine, deletedToo, 'throw error;', look, 'deleted with its disks while it is looked at'),
  bug('S1', azureMachine, deletedToo, '', look, 'a disk that is not found of a machine that is there'),
  bug(
    'S5',
    'sites/azure/same-source.ts',
    'if (done === undefined) throw await movedOrDeleted(azure, request, work);',
    'if (done === undefined) throw notStopped(request.path, request.machine);',
    look,
    'deleted with its disks while its point is made',
  ),
  bug(
    'S5',
    'sites/azure/recovery-point.ts',
    'const taken = await onSource(azure, request, work, () =>\n    together(disks.map((disk) => ensureSnapshot(azure, request, disk, since, work))),\n  );',
    'const taken = await together(disks.map((disk) => ensureSnapshot(azure, request, disk, since, work)));',
    look,
    'deleted with its disks while its point is made',
  ),
];
