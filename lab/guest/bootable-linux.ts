/**
 * A Linux that really boots, as one file for the EFI partition of the lab's OS disk: a kernel of this computer or of the
 * user's cache, the drivers of its disks, and the lab's own program (lab/go/guest), which reads the disks and says so.
 * Rule: made once for the same parts and kept in the cache; without the parts it says what is missing, and nothing fails.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type BootParts, findBootParts, partsFolder } from './boot-parts.ts';
import { writtenCpio } from './cpio.ts';
import { diskModules } from './kernel-modules.ts';
import type { Release } from './os-tree.ts';
import { buildUnifiedKernel } from './unified-kernel.ts';

export interface BootLoader {
  /**
   * The file for EFI/BOOT/BOOTX64.EFI. The older release has its kernel elsewhere in the file, so that the bytes at one
   * place of the disk mean something else on either side.
   */
  readonly paths: Readonly<Record<Release, string>>;
  /** Changes whenever a file's content would. */
  readonly stamp: string;
}

/** Bump when what is built changes without a part or the program changing. */
const builderVersion = 1;
/** The words of the machine go to its screen and its first serial port. A kernel that panics starts the machine anew. */
const commandLine = 'console=tty0 console=ttyS0 quiet panic=1';
const programFolder = join(import.meta.dirname, '../go/guest');
const goBuild = pathToFileURL(join(import.meta.dirname, '../../setup/go-build.mjs')).href;

const folder = (): string => join(partsFolder(), '../boot');

async function programStamp(): Promise<string> {
  const digest = createHash('sha256');
  const names = (await readdir(programFolder)).filter((name) => /\.go$|^go\.mod$/.test(name));
  for (const name of names.sort()) digest.update(`${name}\0`).update(await readFile(join(programFolder, name)));
  return digest.digest('hex').slice(0, 12);
}

/** Builds the program in a process of its own: the set-up is made of ES modules, and tests run as CommonJS. */
async function buildProgram(): Promise<string> {
  const target = join(folder(), `guest-${await programStamp()}`);
  if (existsSync(target)) return target;
  const plan = { target, module: programFolder, package: '.', flags: ['-ldflags', '-s -w'] };
  const script = `import { goBuild } from ${JSON.stringify(goBuild)}; await goBuild(${JSON.stringify(plan)});`;
  const env = { ...process.env, GOOS: 'linux', GOARCH: 'amd64', CGO_ENABLED: '0' };
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  } catch (cause) {
    throw new Error('Go could not build lab/go/guest', { cause });
  }
  return target;
}

async function stampOf(parts: BootParts): Promise<string> {
  const digest = createHash('sha256').update(`${builderVersion}/${commandLine}/${await programStamp()}`);
  for (const path of [parts.kernel, parts.stub, parts.modules ?? parts.kernel]) {
    const { size, mtimeMs } = await stat(path);
    digest.update(`\0${path}/${size}/${mtimeMs}`);
  }
  return digest.digest('hex').slice(0, 24);
}

async function build(parts: BootParts, release: Release, path: string): Promise<void> {
  await mkdir(folder(), { recursive: true });
  const program = await readFile(await buildProgram());
  const modules = parts.modules === undefined ? [] : await diskModules(parts.modules);
  const archive = writtenCpio([{ path: 'init', data: program, executable: true }, ...modules]);
  const initrd = release === 'current' ? gzipSync(archive) : archive;
  // Several labs may build it at once: each builds its own, and a rename makes one of them the cached one.
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await buildUnifiedKernel({ ...parts, initrd, commandLine }, own);
    await rename(own, path);
  } finally {
    await rm(own, { force: true });
  }
}

/** The loader that boots, or in one sentence why this computer cannot make one. */
export async function bootableLinux(): Promise<BootLoader | { readonly missing: string }> {
  const parts = findBootParts();
  if ('missing' in parts) return parts;
  const stamp = await stampOf(parts);
  const pathOf = (release: Release): string => join(folder(), `${basename(parts.kernel)}-${stamp}-${release}.efi`);
  const paths = { current: pathOf('current'), 'before-failover': pathOf('before-failover') };
  try {
    for (const release of ['current', 'before-failover'] as const)
      if (!existsSync(paths[release])) await build(parts, release, paths[release]);
    return { paths, stamp };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { missing: `The lab’s OS disk has no Linux on it and only looks bootable: it could not be built (${why}).` };
  }
}
