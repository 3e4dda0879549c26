/**
 * Finds the Node that Homeward runs on: the `node` package of this project, whatever Node the machine has.
 * Rule: a Node counts only after it has said its version, and that is new enough.
 * Never changes the machine's own Node.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.mjs';
import { npmCommand } from './packages.mjs';
import { cacheFolder, platform, projectFolder } from './places.mjs';
import { SetUpProblem } from './problem.mjs';

/** From this version on, Node runs TypeScript files as they are. */
const oldest = [22, 19];

const packageFolder = join(projectFolder, 'node_modules', 'node');
const ownProgram = join(packageFolder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

const newEnough = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
};

async function works(program) {
  if (!existsSync(program)) return false;
  try {
    return newEnough((await runCommand(program, ['--version'])).trim());
  } catch {
    return false;
  }
}

/** The package that holds the program itself; the `node` package only fetches it, by an install script that npm may hold back. */
const platformPackage = () => {
  const prefix = platform === 'darwin-arm64' ? 'node-bin' : 'node';
  return `${prefix}-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
};

const wantedVersion = () => JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version;

async function fetchIntoCache(version) {
  const folder = join(cacheFolder(), 'node', `${version}-${platform}`);
  const program = join(folder, 'node_modules', platformPackage(), 'bin', 'node');
  if (!(await works(program))) {
    mkdirSync(folder, { recursive: true });
    const what = `${platformPackage()}@${version}`;
    await runCommand(npmCommand(), [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      what,
    ]);
  }
  return program;
}

/** @returns {Promise<string>} an absolute path. */
export async function ensureNode(progress) {
  if (await works(ownProgram)) return ownProgram;
  let trouble = 'the package `node` is not installed';
  if (existsSync(packageFolder)) {
    const version = wantedVersion();
    try {
      const program = await progress.during(`fetching Node ${version}`, () => fetchIntoCache(version));
      if (await works(program)) return program;
      trouble = `Node ${version} was fetched but does not run here`;
    } catch (cause) {
      trouble = cause.message;
    }
  }
  if (newEnough(process.version)) return process.execPath;
  throw new SetUpProblem(
    `Homeward needs Node ${oldest.join('.')} or newer; this is ${process.version}, and a newer one could not be fetched (${trouble}).`,
    'Install Node 24 and run the command again.',
  );
}
