/**
 * The folder trees a lab machine's root file system is filled with.
 * Rule: a tree is made of real files, and its stamp changes whenever its content would.
 * Never touches the files it takes over: they are linked or copied, not moved.
 */
import { createHash } from 'node:crypto';
import { copyFile, link, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const MiB = 1 << 20;
const fullTreeBytes = 220 * MiB;
const olderTreeBytes = 70 * MiB;
/** Packages with many real files of all sizes, among those the project has anyway. */
const richPackages = ['@temporalio', '@swc', 'webpack', 'typescript', '@babel', 'rxjs', '@azure'];
/** The installation as it runs in Azure now, or as it was left on-prem before the failover. */
export type Release = 'current' | 'before-failover';

/** `small`: a few MiB for tests. `full`: at least 200 MB of real files, for the demo. Else a folder of your own. */
export type OsTree = 'small' | 'full' | { readonly folder: string };

/** Deterministic noise, so that the same tree can be made twice. */
export function noise(seed: string, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  const block = createHash('sha512').update(seed).digest();
  for (let at = 0; at < bytes; at += block.length) {
    block.copy(out, at);
    block.writeUInt32LE((block.readUInt32LE(0) * 1_664_525 + at + 1) >>> 0, 0);
    if (at % 4096 === 0) createHash('sha512').update(block).digest().copy(block);
  }
  return out;
}

const written = async (folder: string, name: string, data: string | Uint8Array): Promise<void> => {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, data);
};

/** What every machine has: who it is, which release of its application runs, and some binary data. */
async function smallTree(folder: string, machine: string, release: Release): Promise<void> {
  await written(folder, 'etc/hostname', `${machine}\n`);
  await written(folder, 'etc/os-release', 'NAME="Homeward Lab Linux"\nVERSION_ID="1"\n');
  await written(folder, 'srv/erp/release', `${release}\n`);
  for (let index = 0; index < 24; index++) {
    const name = `srv/erp/tables/t${String(index).padStart(2, '0')}.dat`;
    await written(folder, name, noise(`${machine}/${release}/${index}`, 4096 * (1 + index * 2)));
  }
}

/** Takes over files from `from` until `left` bytes are used up; answers what is left. */
async function takeOver(from: string, to: string, left: number): Promise<number> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (left <= 0) return left;
    const [source, place] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) left = await takeOver(source, place, left);
    else if (entry.isFile()) {
      left -= (await stat(source)).size;
      await link(source, place).catch(() => copyFile(source, place));
    }
  }
  return left;
}

async function fullTree(folder: string, packages: string, release: Release): Promise<void> {
  let left = release === 'current' ? fullTreeBytes : olderTreeBytes;
  // The older installation holds other files, so that the same block means something else on either side.
  for (const name of release === 'current' ? richPackages : richPackages.toReversed()) {
    const from = join(packages, name);
    const there = await stat(from).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (there && left > 0) left = await takeOver(from, join(folder, 'srv/erp/app', name), left);
  }
}

/** Fills `folder` with the tree of a machine at a release of its application. */
export async function makeTree(tree: OsTree, folder: string, machine: string, release: Release): Promise<string> {
  if (typeof tree === 'object') return tree.folder;
  await smallTree(folder, machine, release);
  if (tree === 'full') await fullTree(folder, join(import.meta.dirname, '../../node_modules'), release);
  return folder;
}

/** Changes when the tree's content would: the cache of images is keyed by it. Undefined: do not cache. */
export async function stampOf(tree: OsTree): Promise<string | undefined> {
  if (tree === 'small') return 'small-2';
  if (tree !== 'full') return undefined;
  const lock = await readFile(join(import.meta.dirname, '../../package-lock.json')).catch(() => undefined);
  return lock === undefined ? undefined : `full-2-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`;
}
