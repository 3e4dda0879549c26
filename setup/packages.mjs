/**
 * Makes `node_modules` what package-lock.json says.
 * Rule: a stamp in the folder holds the digest of the lock file it was filled from; an equal stamp means nothing is to do.
 * Never touches package-lock.json, and never refills a folder that npm has already filled as the lock says.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, isExecutable, runCommand } from './command.mjs';
import { platform, projectFolder } from './places.mjs';
import { SetUpProblem } from './problem.mjs';

const lockFile = join(projectFolder, 'package-lock.json');
const modules = join(projectFolder, 'node_modules');
const stampFile = join(modules, '.homeward-setup');

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
  const wanted = wantedStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  if (!filledAsTheLockSays()) {
    await progress.during('installing packages', async () => {
      try {
        await runCommand(npmCommand(), ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: projectFolder });
      } catch (cause) {
        throw new SetUpProblem(
          `the packages could not be installed: ${cause.message}`,
          'Check the network (or your npm registry and proxy settings), then run `npm ci` and the command again.',
        );
      }
    });
  }
  writeFileSync(stampFile, wanted);
}
