/**
 * Makes `node_modules` what package-lock.json says.
 * Rule: a stamp in the folder holds the digest of the lock file it was filled from; an equal stamp means nothing is to do.
 * Never touches package-lock.json, never refills a folder that npm has already filled as the lock says, and never empties it:
 * there is always one whole `node_modules`, in its place or set aside.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, isExecutable, runCommand } from './command.mjs';
import { platform, projectFolder } from './places.mjs';
import { SetUpProblem } from './problem.mjs';
import { inTurn } from './turn.mjs';

const lockFile = join(projectFolder, 'package-lock.json');
const modules = join(projectFolder, 'node_modules');
const stampFile = join(modules, '.homeward-setup');

/** Where an install is made, and where it sets the packages aside that it replaces. */
const beside = join(projectFolder, '.homeward-setup');
const setAside = join(beside, 'replaced');

const wantedStamp = () => `${createHash('sha256').update(readFileSync(lockFile)).digest('hex')} ${platform}\n`;

/** npm keeps its own record of what it has put in place; equal versions everywhere mean the folder is right. */
function filledAsTheLockSays() {
  const record = join(modules, '.package-lock.json');
  if (!existsSync(record)) return false;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages ?? {};
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages ?? {};
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || entry.optional === true || entry.peer === true || present[path]?.version === entry.version,
  );
}

/** npm as a command, or the npm that came with this Node, run by it. */
export function npmCommand() {
  const own = join(dirname(process.execPath), 'npm');
  const npm = [isExecutable(own) ? own : undefined, findOnPath('npm')].find((each) => each !== undefined);
  if (npm === undefined) {
    throw new SetUpProblem(
      'npm is not there',
      'Install Node.js with npm (version 20 or newer), then run the command again.',
    );
  }
  return npm;
}

export async function ensurePackages(progress) {
  const isDone = () => existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wantedStamp();
  if (isDone()) return;
  const work = async () => {
    if (isDone()) return;
    const wanted = wantedStamp();
    clearAway();
    if (!filledAsTheLockSays()) await progress.during('installing packages', install);
    writeFileSync(stampFile, wanted);
  };
  await inTurn(join(projectFolder, '.homeward-setup.lock'), work, (waiting) =>
    progress.during('another set-up of this folder runs (if not: delete .homeward-setup.lock), waiting', waiting),
  );
}

/**
 * Beside what is there, and put in its place when it is whole: an install that fails, or a worker of this folder that runs
 * meanwhile, does not lose the packages it has.
 */
async function install() {
  mkdirSync(beside);
  try {
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
      if (existsSync(join(projectFolder, name))) copyFileSync(join(projectFolder, name), join(beside, name));
    }
    await runCommand(npmCommand(), ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: beside });
    if (existsSync(modules)) renameSync(modules, setAside);
    renameSync(join(beside, 'node_modules'), modules);
  } catch (cause) {
    const next = isOfTheNetwork(cause.message)
      ? 'Check the network (or your npm registry and proxy settings)'
      : 'Mend that';
    throw new SetUpProblem(
      `the packages could not be installed: ${cause.message}`,
      `${next}, then run \`npm ci\` and the command again.`,
    );
  } finally {
    clearAway();
  }
}

/** What an install left behind, killed or failed: packages that are set aside go back where none are in their place, and stay where they cannot. */
function clearAway() {
  if (existsSync(setAside)) {
    // Those that were replaced must not look like whole ones while they are removed.
    if (existsSync(modules)) renameSync(setAside, join(beside, 'outworn'));
    else putBack();
  }
  rmSync(beside, { recursive: true, force: true });
}

function putBack() {
  try {
    renameSync(setAside, modules);
  } catch (cause) {
    throw new SetUpProblem(
      `the packages that were there could not be put back: ${cause.message}`,
      'Mend that, then run the command again: they are kept in .homeward-setup/replaced until then.',
    );
  }
}

/** By the codes that npm tells of a registry that it does not reach, or that does not serve it. */
const isOfTheNetwork = (said) =>
  /\b(E(CONN\w+|NOTFOUND|AI_AGAIN|TIMEDOUT|SOCKETTIMEOUT|NETUNREACH|HOSTUNREACH|PIPE|PROTO|[45]\d\d)|ERR_SOCKET_TIMEOUT|\w*CERT\w*)\b/.test(
    said,
  );
