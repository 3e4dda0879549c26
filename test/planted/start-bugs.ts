/**
 * Bugs planted in what is told of the run's own acts: of a start at home that failed, whether it may have run there and since
 * when; beside a run, what it has done itself.
 */
import { bug, type PlantedBug } from './bug.ts';

const arriving = 'workflows/arriving.ts';
const failed = 'test/workflows/start-failed.test.ts';
const power = 'activities/power.ts';
const told = 'test/activities/untouched.test.ts';
const faults = 'test/vsphere/faults.test.ts';
const failure = 'sites/vsphere/failure.ts';
const underWay = 'test/client/under-way.test.ts';
const steps = 'client/render/steps.ts';
const finished = 'test/client/finished-disks.test.ts';
const lastCount = 'test/workflows/last-count.test.ts';
const openRun = 'test/client/open-run.test.ts';
const rounds = 'workflows/sync-round.ts';
const report = 'test/workflows/round-report.test.ts';
const allAttempts = 'activities/all-attempts.ts';
const attempts = 'test/activities/all-attempts.test.ts';
const session = 'sites/vsphere/session.ts';
const question = 'test/vsphere/question.test.ts';

export const startBugs: readonly PlantedBug[] = [
  bug('S5', arriving, 'if (!mayHaveRun && wasUntouched(error))', 'if (wasUntouched(error))', failed, 'counts on'),
  bug('S5', arriving, 'if (!mayHaveRun && wasUntouched(error))', 'if (!error)', failed, 'nobody is told'),
  bug('S1', arriving, '&& wasUntouched(error)) teller', ') teller', failed, 'counts on'),
  bug('S5', arriving, '      mayRunFromNow(journey);\n', '', failed, 'its own sending'),
  bug('S5', arriving, '      beginWriteCount(journey);\n', '', failed, 'its own sending'),
  bug(
    'S5',
    power,
    'tellingUntouched(attempt, async (work)',
    '((all, act) => act(all))(attempt, async (work)',
    told,
    'at home',
  ),
  bug('S5', 'sites/vsphere/power.ts', '      allOrNothing: true,\n', '', faults, 'certain one'),
  bug('S5', failure, "type !== anything && table[type]?.[0] === 'Refused'", 'type !== anything', faults, 'certain one'),
  bug('S5', failure, 'type !== anything && table[type]', 'table[type]', faults, 'certain one'),
  bug(
    'S5',
    session,
    'methodEntry(method).changes && isNo(error)',
    'methodEntry(method).changes',
    faults,
    'certain one',
  ),
  bug('S5', 'sites/vsphere/act.ts', 'isNo(failure) && settled', 'failure && settled', faults, 'certain one'),
  bug(
    'S5',
    'client/command/approve.ts',
    '!status.targetLive && ',
    '!status.outage && ',
    'test/client/approve.test.ts',
    'never ran',
  ),
  bug('S1', 'model/check.ts', " || check.verdict !== 'warn'", '', 'test/model/check.test.ts', 'no other check'),
  bug(
    'S1',
    'client/preflight.ts',
    "last('source-stopped') > last('source-started')",
    "last('source-stopped') >= 0",
    underWay,
    'started again',
  ),
  bug(
    'S1',
    'model/check.ts',
    'if (stands && (',
    'if (byRun || stands && (',
    'test/model/check.test.ts',
    'spared all the same',
  ),
  bug(
    'L3',
    'model/convergence.ts',
    '.filter(({ round }) => isTimed(round))',
    '',
    'test/model/convergence.test.ts',
    'stood still in between',
  ),
  bug(
    'L3',
    'model/convergence.ts',
    'stood && moverMs !== undefined ?',
    '!stood && moverMs ?',
    'test/model/forecast.test.ts',
    'what a mover worked',
  ),
  bug(
    'L3',
    rounds,
    'workedMs === undefined)) return { stood: true }',
    'workedMs === undefined)) return {}',
    report,
    'several attempts',
  ),
  bug('L3', rounds, 'workedMs = durationMs }) => workedMs', '}) => durationMs', report, 'several attempts'),
  bug('L3', rounds, 'if (tried || again.some', 'if (again.some', report, 'several attempts'),
  bug(
    'L3',
    allAttempts,
    'before + Math.round(performance.now() - startedAt) };\n}',
    'before };\n}',
    attempts,
    'two attempts',
  ),
  bug(
    'L3',
    allAttempts,
    'attempt === 1 && told === undefined && ',
    'told === undefined && ',
    attempts,
    'nothing told of',
  ),
  bug('L3', allAttempts, ' && firstAt === thisAt', '', attempts, 'nothing told of'),
  bug('S7', 'model/waits.ts', "complete !== 'no';", "complete !== '';", 'test/model/waits.test.ts', 'complete again'),
  bug('R11', steps, ' || steps.some(({ cancelling }) => cancelling)', '', finished, 'told as nothing'),
  bug('R11', steps, 'steps.length === 0 || ', '', finished, 'told as nothing'),
  bug(
    'S7',
    'model/refusals.ts',
    'isFinal(status.phase) ?',
    'status.phase ?',
    'test/model/refusals.test.ts',
    'under way',
  ),
  bug('S5', 'workflows/verbs.ts', 'retry: first ?', 'retry: !input ?', lastCount, 'the first sample'),
  bug('S5', 'workflows/write-count.ts', ' && !startUnseen', '', lastCount, 'made once'),
  bug('S5', 'workflows/write-count.ts', 'whyNot === undefined && ', '', lastCount, 'made once'),
  bug(
    'S5',
    'client/command/approve.ts',
    '{ status, silent } = await openCounted(asked)',
    '{ status, silent } = await openRun(asked)',
    openRun,
    'how much it is',
  ),
  bug('S5', 'client/command/open-run.ts', 'isFirstCount(view) && ', '', openRun, 'not at all'),
  bug(
    'S5',
    arriving,
    'found: way.found, ...neverStarted(teller.story)',
    'found: way.found',
    failed,
    'runs all the same',
  ),
  bug(
    'S5',
    'model/commit-rules.ts',
    'targetLive ? {} : { neverStarted',
    '!targetLive ? {} : { neverStarted',
    failed,
    'runs all',
  ),
  bug('S5', 'workflows/changing-point.ts', 'uses, ...neverStarted(teller.story)', 'uses', failed, 'runs all the same'),
  bug('S5', 'sites/vsphere/power.ts', 'if (request.neverStarted) ', 'if (false) ', faults, 'no start of the run'),
  bug(
    'L1',
    'sites/vsphere/act.ts',
    'plan.subject, work, plan.othersTurns);\n    const',
    'plan.subject, work);\n    const',
    question,
    'tells a person',
  ),
  bug(
    'L1',
    'sites/vsphere/reconfigure.ts',
    "      othersTurns: noQuestion(at, machine, 'ReconfigVM_Task', work),\n",
    '',
    question,
    'a stop',
  ),
  bug('L1', 'sites/vsphere/tasks.ts', 'subject, ...turns }', 'subject }', question, 'tells a person'),
  bug(
    'S5',
    'client/command/open-run.ts',
    ' && Date.now() < deadline',
    ' && Date.now() > deadline',
    openRun,
    'is waited for, before',
  ),
];
