/**
 * The drivers a kernel needs to reach its disks, taken from its folder of modules together with what they depend on.
 * Rule: each comes after everything it depends on, so that loading them in order works.
 * A driver that is not in the folder is taken to be built into the kernel; the machine that boots will tell.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { ArchiveFile } from './cpio.ts';

/** Disks as QEMU, VMware and Hyper-V show them, and the file system with the checksum it asks for by name. */
const wanted = [
  'virtio_pci',
  'virtio_blk',
  'sd_mod',
  'vmw_pvscsi',
  'mptspi',
  'ahci',
  'hv_vmbus',
  'hv_storvsc',
  'nvme',
  'crc32c_generic',
  'ext4',
];

const endings = /\.ko(\.gz|\.xz|\.zst)?$/;
/** File names and module names differ in this alone. */
const moduleName = (file: string): string => basename(file).replace(endings, '').replaceAll('-', '_');
const largestModuleBytes = 64 << 20;

async function readModule(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  if (path.endsWith('.gz')) return gunzipSync(bytes);
  if (path.endsWith('.zst')) return zstdDecompressSync(bytes);
  if (!path.endsWith('.xz')) return bytes;
  const { stdout } = await promisify(execFile)('xz', ['-dc', path], {
    encoding: 'buffer',
    maxBuffer: largestModuleBytes,
  });
  return stdout;
}

const dependencies = (module: Buffer): string[] =>
  (/\0depends=([^\0]*)\0/.exec(module.toString('latin1'))?.[1] ?? '').split(',').filter((name) => name !== '');

/** The modules under `folder` (as in /lib/modules/<version>), as files `modules/<order>-<name>.ko`. */
export async function diskModules(folder: string): Promise<ArchiveFile[]> {
  const there = new Map<string, string>();
  for (const file of await readdir(join(folder, 'kernel'), { recursive: true }))
    if (endings.test(file)) there.set(moduleName(file), join(folder, 'kernel', file));
  const taken: ArchiveFile[] = [];
  const seen = new Set<string>();
  const take = async (name: string): Promise<void> => {
    const path = there.get(name);
    if (path === undefined || seen.has(name)) return;
    seen.add(name);
    const data = await readModule(path);
    for (const dependency of dependencies(data)) await take(dependency.replaceAll('-', '_'));
    taken.push({ path: `modules/${String(taken.length).padStart(2, '0')}-${name}.ko`, data });
  };
  for (const name of wanted) await take(name);
  return taken;
}
