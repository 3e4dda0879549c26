/**
 * `npm run test:planted`: plants each bug in a copy of the sources, runs the test that must notice it, and fails when
 * one is not noticed. Rule: noticed means that a test failed, or never ended; a copy that does not even load has shown nothing.
 * Words behind the command choose bugs by their file or promise. Never touches the working tree.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlantedBug } from './bug.ts';
import { plantedBugs } from './bugs.ts';

const root = join(import.meta.dirname, '..', '..');
const lanes = 2;

/** A copy of what belongs to the project, with the packages of the original. */
async function copyOfSources(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'homeward-planted-'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const parts = new Set(
    listed
      .split('\0')
      .filter((file) => file !== '')
      .map((file) => file.split('/')[0] ?? ''),
  );
  for (const part of parts) await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** A bug may make an endless loop, which no time-out of a test ends. */
const longestMs = 5 * 60_000;

/** Runs test files in a copy; `named`: only the tests of these names. Undefined when they were ended after `withinMs`. */
async function runTests(
  folder: string,
  files: readonly string[],
  named?: string,
  withinMs?: number,
): Promise<Counts | undefined> {
  const answers = join(folder, 'answers.json');
  const args = ['--json', `--outputFile=${answers}`, '--maxWorkers=2', ...(named === undefined ? [] : ['-t', named])];
  const jest = spawn(process.execPath, [join(folder, 'node_modules/jest/bin/jest.js'), ...args, ...files], {
    cwd: folder,
    stdio: 'ignore',
    // A test of the long run may be the one that notices.
    env: { ...process.env, HOMEWARD_FAULTS: 'all' },
  });
  const late = withinMs === undefined ? undefined : setTimeout(() => jest.kill('SIGKILL'), withinMs);
  const [, signal] = await once(jest, 'close');
  clearTimeout(late);
  if (signal === 'SIGKILL') return undefined;
  const counts = JSON.parse(await readFile(answers, 'utf8')) as Counts;
  await rm(answers);
  return counts;
}

/** What the tests say of the bug, in a word. */
async function plant(
  folder: string,
  bug: PlantedBug,
): Promise<'noticed' | 'never ends' | 'NOT NOTICED' | 'DOES NOT LOAD'> {
  const path = join(folder, bug.file);
  const sound = await readFile(path, 'utf8');
  await writeFile(
    path,
    sound.replace(bug.line, () => bug.instead),
  );
  try {
    const counts = await runTests(folder, [bug.caughtBy], bug.named, longestMs);
    if (!counts) return 'never ends';
    const { numFailedTests, numRuntimeErrorTestSuites } = counts;
    if (numFailedTests > 0) return 'noticed';
    return numRuntimeErrorTestSuites > 0 ? 'DOES NOT LOAD' : 'NOT NOTICED';
  } finally {
    await writeFile(path, sound);
  }
}

/** In a sound copy every test passes; else a failure would say nothing about a bug. Answers what does not. */
async function unsound(folder: string, bugs: readonly PlantedBug[]): Promise<string[]> {
  const wholeFiles = bugs.filter(({ named }) => named === undefined).map(({ caughtBy }) => caughtBy);
  // Of a file whose bugs name their tests no other test is run: a story takes half a minute.
  const byName = bugs.filter(({ caughtBy, named }) => named !== undefined && !wholeFiles.includes(caughtBy));
  const names = byName.map(({ named = '' }) => named);
  const found: string[] = [];
  for (const [files, named] of [
    [wholeFiles, undefined],
    [byName.map(({ caughtBy }) => caughtBy), names.join('|')],
  ] as const) {
    if (files.length === 0) continue;
    const {
      numPassedTests = 0,
      numRuntimeErrorTestSuites = 0,
      testResults = [],
    } = (await runTests(folder, [...new Set(files)], named)) ?? {};
    found.push(
      ...testResults.flatMap(({ assertionResults }) =>
        assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
      ),
      ...(numRuntimeErrorTestSuites > 0 ? [`${numRuntimeErrorTestSuites} files that do not load`] : []),
      ...(numPassedTests === 0 ? ['no test passed'] : []),
    );
  }
  return found;
}

const words = process.argv.slice(2);
const chosen = plantedBugs.filter(
  ({ file, promise }) => words.length === 0 || words.some((word) => file.includes(word) || promise === word),
);
const rest = chosen.values();
let wrong = 0;
const copies = await Promise.all(Array.from({ length: Math.min(lanes, chosen.length) }, copyOfSources));
const failing = copies[0] === undefined ? [] : await unsound(copies[0], chosen);
if (failing.length > 0) console.log(`without any bug, so that nothing can be shown, fail:\n${failing.join('\n')}`);
await Promise.all(
  copies.map(async (folder) => {
    for (const bug of failing.length > 0 ? [] : rest) {
      const said = await plant(folder, bug);
      if (said !== 'noticed' && said !== 'never ends') wrong++;
      console.log(`${said.padEnd(13)} ${bug.promise.padEnd(3)} ${bug.file}: ${bug.line}`);
    }
    await rm(folder, { recursive: true, force: true });
  }),
);
if (failing.length > 0) process.exit(1);
console.log(`${chosen.length - wrong} of ${chosen.length} planted bugs were noticed`);
process.exit(wrong > 0 || chosen.length === 0 ? 1 : 0);
