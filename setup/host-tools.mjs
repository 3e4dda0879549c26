/**
 * Tools of the operating system that the lab uses.
 * Rule: a needed tool that is missing stops the set-up with the name of its package; an optional one is only reported.
 * Never installs anything on the machine.
 */
import { findOnPath } from './command.mjs';
import { SetUpProblem } from './problem.mjs';

const systemFolders = [
  '/sbin',
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/opt/e2fsprogs/sbin',
  '/usr/local/opt/e2fsprogs/sbin',
];

const tools = {
  mke2fs: { package: 'e2fsprogs', needed: true },
  e2fsck: { package: 'e2fsprogs', needed: false },
  debugfs: { package: 'e2fsprogs', needed: false },
  'qemu-system-x86_64': { package: 'qemu-system-x86', needed: false },
  'qemu-img': { package: 'qemu-utils', needed: false },
};

/** @returns {string | undefined} the tool's path, also when it lies in a folder for administrators that is not on PATH. */
export const hostTool = (name) => findOnPath(name, systemFolders);

/** What is missing, as "name (package)". */
export const missingOptionalTools = () =>
  Object.entries(tools)
    .filter(([name, tool]) => !tool.needed && hostTool(name) === undefined)
    .map(([name, tool]) => `${name} (package ${tool.package})`);

export function ensureHostTools() {
  for (const [name, tool] of Object.entries(tools)) {
    if (!tool.needed || hostTool(name) !== undefined) continue;
    const how = process.platform === 'darwin' ? `brew install ${tool.package}` : `apt-get install ${tool.package}`;
    throw new SetUpProblem(
      `${name} is not there; the lab makes its disks with it.`,
      `Install the package ${tool.package} (for example: ${how}) and run the command again.`,
    );
  }
}
