/**
 * `node setup/run.mjs [--no-lab] <entry> [arguments]`: sets up what is missing, then runs the entry on the project's own Node.
 * Rule: what is run is as good as run directly: same terminal, same signals, same exit code; and it ends with the npm that
 * was asked for it.
 * Never hides a failure of the set-up behind one of the entry.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, relative, resolve } from 'node:path';
import { refuseTakenByNpm } from './npm-options.mjs';
import { onceNpmIsGone } from './parents.mjs';
import { projectFolder } from './places.mjs';
import { SetUpProblem } from './problem.mjs';
import { processOptions } from './process-options.mjs';
import { Progress } from './progress.mjs';
import { endWith, ensureSetUp } from './setup.mjs';

function readArguments() {
  const given = process.argv.slice(2);
  const lab = given[0] !== '--no-lab';
  if (!lab) given.shift();
  const [entry, ...rest] = given;
  if (entry === undefined)
    throw new SetUpProblem('Nothing to run was named.', 'Use: node setup/run.mjs [--no-lab] <entry> [arguments]');
  return { lab, entry: resolve(projectFolder, entry), rest };
}

function runEntry(node, { file, flags, env: variables }, rest) {
  const env = {
    ...variables,
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
  };
  // Nothing is sent over the channel: it closes with us, which tells an entry that listens (parents.mjs) of our end.
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc'];
  const child = spawn(node, [...flags, file, ...rest], { stdio, env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both of us already; a second one would look like impatience.
      if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
    });
  }
  onceNpmIsGone(() => child.kill('SIGTERM'));
  child.once('error', endWith);
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)));
}

try {
  refuseTakenByNpm(process.env);
  const { lab, entry, rest } = readArguments();
  const { node } = await ensureSetUp({ lab });
  if (!existsSync(entry))
    throw new SetUpProblem(`There is no file ${entry}.`, 'Name an entry of this project, for example lab/demo.ts.');
  const progress = new Progress();
  const options = await progress.during('making one program of many files (once)', () =>
    processOptions(relative(projectFolder, entry).replaceAll('\\', '/'), node, (text) => progress.say(text)),
  );
  runEntry(node, options, rest);
} catch (problem) {
  endWith(problem);
}
