/**
 * `npm test`: runs jest over everything, or over what is named, and ends with one line of true counts.
 * Rule: the last line is `N passed, N failed` (with skipped ones where there are any), and the exit code agrees with it. A run
 * that is ended ends all that it started.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onceStarterIsGone } from '../setup/parents.mjs';

interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly numTotalTestSuites: number;
}

const folder = await mkdtemp(join(tmpdir(), 'homeward-test-'));
const answers = join(folder, 'results.json');
const root = join(import.meta.dirname, '..');
/**
 * A file's modules alone are 70 MB of live objects, and the heap is looked through anew for every 15 MB more: a third of what
 * the files compute in their own process. Jest's workers take the options of their parent.
 */
const roomToGrow = ['--initial-heap-size=512'];
// One more than there are cores: a story waits about as long as it computes; with a second one more all only take longer.
const jest = spawn(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    ...roomToGrow,
    join(root, 'node_modules/jest/bin/jest.js'),
    '--reporters=default',
    `--reporters=${join(root, 'test/counts-reporter.cjs')}`,
    `--maxWorkers=${availableParallelism() + 1}`,
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, HOMEWARD_TEST_COUNTS: answers },
    // A group of its own, so that all of it can be ended.
    detached: true,
  },
);
/** jest alone would end and leave its workers to play their files to the end. */
const endAll = (signal: NodeJS.Signals): void => {
  if (jest.pid !== undefined && jest.exitCode === null && jest.signalCode === null) process.kill(-jest.pid, signal);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => endAll(signal));
onceStarterIsGone(() => endAll('SIGTERM'));
const code = await new Promise<number>((resolve) => jest.on('close', (status) => resolve(status ?? 1)));
const counts = await readFile(answers, 'utf8')
  .then((text) => JSON.parse(text) as Counts)
  .catch(() => undefined);
await rm(folder, { recursive: true, force: true });
if (!counts) {
  console.error('jest ended before it could say what it found.');
  process.exit(code || 1);
}
if (counts.numTotalTestSuites === 0) console.error(`No test file has a name like ${process.argv.slice(2).join(', ')}.`);
// A file that could not even be loaded holds no tests, but it is a failure all the same.
const failed = counts.numFailedTests + counts.numRuntimeErrorTestSuites;
const skipped = counts.numPendingTests + counts.numTodoTests;
console.log(`${counts.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : code);
