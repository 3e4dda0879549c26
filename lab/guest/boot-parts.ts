/**
 * The parts a really booting Linux is made of, as they are found on this computer.
 * Rule: it looks where the user says (HOMEWARD_KERNEL), then in the user's cache, then where distributions put them;
 * what is missing is said in one sentence. Never downloads anything and never installs anything.
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';

export interface BootParts {
  readonly kernel: string;
  /** The folder of the kernel's modules; undefined when there is none, and then all drivers must be built in. */
  readonly modules: string | undefined;
  readonly stub: string;
  readonly objcopy: string;
}

export interface Missing {
  readonly missing: string;
}

/** Where packages may be unpacked for the lab alone, without installing them (`dpkg -x`). */
export const partsFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'homeward', 'boot-parts');

/** The first of the paths that exists, each looked for in the user's cache before the system. */
export const findPart = (paths: readonly string[]): string | undefined =>
  [partsFolder(), '/'].flatMap((root) => paths.map((path) => join(root, path))).find((path) => existsSync(path));

export const findProgram = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** The newest kernel under a root folder, by its version. */
function newestKernel(root: string): string | undefined {
  const folder = join(root, 'boot');
  const kernels = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('vmlinuz-')) : [];
  const newest = kernels.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest === undefined ? undefined : join(folder, newest);
}

/** Modules lie beside the kernel: `<root>/boot/vmlinuz-<version>` and `<root>/lib/modules/<version>`. */
function findModules(kernel: string): string | undefined {
  const version = basename(kernel).replace(/^vmlinuz-/, '');
  const root = dirname(dirname(kernel));
  const places = [join(root, 'lib/modules', version), join(root, 'usr/lib/modules', version)];
  return places.find((path) => existsSync(join(path, 'kernel')));
}

const missing = (part: string): Missing => ({
  missing: `The lab’s OS disk has no Linux on it and only looks bootable, because ${part}.`,
});

/** All parts, or in one sentence which is missing. */
export function findBootParts(): BootParts | Missing {
  const named = process.env.HOMEWARD_KERNEL || undefined;
  if (named !== undefined && !existsSync(named)) return missing(`HOMEWARD_KERNEL names ${named}, which is not there`);
  const kernel = named ?? newestKernel(partsFolder()) ?? newestKernel('/');
  if (kernel === undefined) return missing(`there is no kernel in /boot, in ${partsFolder()} or in HOMEWARD_KERNEL`);
  const stub = findPart(['usr/lib/systemd/boot/efi/linuxx64.efi.stub']);
  if (stub === undefined) return missing('linuxx64.efi.stub is not there (package systemd-boot-efi)');
  const objcopy = findProgram('objcopy');
  if (objcopy === undefined) return missing('objcopy is not there (package binutils)');
  return { kernel, modules: findModules(kernel), stub, objcopy };
}
