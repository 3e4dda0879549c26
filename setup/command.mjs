/**
 * Runs one command to its end and answers what it said.
 * Rule: a command that fails is an error with its last lines; a missing command is told apart from a failing one.
 * Never goes through a shell, so that no path needs quoting.
 */
import { spawn } from 'node:child_process';
import { constants as access, accessSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

export class CommandFailed extends Error {
  /** @param {string} command @param {string} output @param {boolean} missing */
  constructor(command, output, missing) {
    super(missing ? `${command} is not there` : `${command} failed:\n${shortened(output)}`);
    this.missing = missing;
  }
}

/** Some commands say first what is wrong (npm), others last (go): both ends are kept. */
function shortened(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && line.trim() !== 'npm error');
  return (lines.length <= 20 ? lines : [...lines.slice(0, 8), '…', ...lines.slice(-8)]).join('\n');
}

const keptBytes = 64_000;

/** @returns {Promise<string>} standard output and standard error, the last 64 kB of them. */
export function runCommand(program, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const name = `${program} ${args[0] ?? ''}`.trim();
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-keptBytes);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    // The command ends with us, whether a signal or another part of the set-up ends us.
    const end = () => child.kill();
    const endBoth = (signal) => process.exit(128 + constants.signals[signal]);
    process.once('exit', end).once('SIGINT', endBoth).once('SIGTERM', endBoth);
    const settle = () => process.off('exit', end).off('SIGINT', endBoth).off('SIGTERM', endBoth);
    child.once('error', (cause) => {
      settle();
      reject(new CommandFailed(name, String(cause), cause.code === 'ENOENT'));
    });
    child.once('close', (code, signal) => {
      settle();
      if (code === 0) resolve(output);
      else reject(new CommandFailed(name, `${output}\n(it ended with ${signal ?? code})`, false));
    });
  });
}

/** The first executable of that name on PATH, then in `more` folders; undefined when there is none. */
export function findOnPath(name, more = []) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...more].filter((each) => each !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path) {
  try {
    accessSync(path, access.X_OK);
    return true;
  } catch {
    return false;
  }
}
