/**
 * Builds the raw image of an operating-system disk: GPT, an EFI partition with a boot loader, a real ext4 with a
 * real tree, and a small log partition that the running guest writes (so that the ext4 stays clean for e2fsck).
 * Rule: the image is sparse, and equal input gives an equal partition table. Needs Node and mke2fs, nothing else.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { writtenFat } from './fat.ts';
import { type Partition, partitionTypes, sectorBytes, writtenGpt } from './gpt.ts';
import { loaderPath } from './partition-check.ts';

const MiB = 1 << 20;
const espBytes = 8 * MiB;
/** Room for a kernel and its first file system. */
const linuxEspBytes = 24 * MiB;
const logBytes = 4 * MiB;
/** The smallest disk that holds all partitions with a tree of a few MiB. */
export const smallestOsDiskBytes = 32 * MiB;
export const smallestLinuxDiskBytes = smallestOsDiskBytes + linuxEspBytes - espBytes;

export interface OsDiskPlan {
  readonly path: string;
  readonly sizeBytes: number;
  /** Folder whose tree the ext4 is filled with. */
  readonly tree: string;
  /** Names the installation: ids of disk, partitions and file system come from it. */
  readonly installation: string;
  /** What lies at EFI/BOOT/BOOTX64.EFI: a placeholder, unless a really booting image is given. */
  readonly loader?: Uint8Array;
}

/** An id that depends on nothing but the words it is made from. */
function stableGuid(words: string): string {
  const hash = createHash('sha256').update(words).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** Where the three partitions of a disk of this size lie. */
export function osPartitions(
  sizeBytes: number,
  installation = 'homeward',
  firstBytes = espBytes,
): [Partition, Partition, Partition] {
  const last = Math.floor((sizeBytes - MiB) / MiB) * MiB;
  const part = (name: string, type: string, offset: number, end: number): Partition => ({
    name,
    type,
    offset,
    sizeBytes: end - offset,
    guid: stableGuid(`${installation}/${name}`),
  });
  return [
    part('EFI', partitionTypes.efiSystem, MiB, MiB + firstBytes),
    part('root', partitionTypes.linux, MiB + firstBytes, last - logBytes),
    part('log', partitionTypes.linuxReserved, last - logBytes, last),
  ];
}

/** Finds one of the ext tools; they live in sbin, which is not on every PATH. */
export async function findExtTool(name: 'mke2fs' | 'e2fsck'): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  for (const folder of folders.filter((each) => each !== '')) {
    const path = `${folder}/${name}`;
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

async function makeExt4(plan: OsDiskPlan, root: Partition): Promise<void> {
  const mke2fs = await findExtTool('mke2fs');
  if (mke2fs === undefined) throw new Error('mke2fs is missing: install e2fsprogs to build the lab’s disks');
  const options = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-L', 'root', '-d', plan.tree];
  if (root.sizeBytes < 512 * MiB) options.push('-J', 'size=4');
  const extended = `nodiscard,offset=${root.offset},root_owner=0:0`;
  const blocks = String(Math.floor(root.sizeBytes / 4096));
  const uuid = stableGuid(`${plan.installation}/ext4`);
  await promisify(execFile)(mke2fs, [...options, '-U', uuid, '-E', extended, plan.path, blocks]);
}

/** Writes the image to `plan.path`. The size must be a multiple of 1 MiB and at least `smallestOsDiskBytes`. */
export async function buildOsDisk(plan: OsDiskPlan): Promise<void> {
  if (plan.sizeBytes % MiB !== 0 || plan.sizeBytes < smallestOsDiskBytes)
    throw new Error(`an OS disk of ${plan.sizeBytes} bytes cannot be built: use whole MiB, at least 32`);
  if (plan.loader !== undefined && plan.sizeBytes < smallestLinuxDiskBytes)
    throw new Error(`an OS disk of ${plan.sizeBytes} bytes has no room for a kernel: use at least 48 MiB`);
  const firstBytes = plan.loader === undefined ? espBytes : linuxEspBytes;
  const partitions = osPartitions(plan.sizeBytes, plan.installation, firstBytes);
  const [esp, root] = partitions;
  const image = await open(plan.path, 'w');
  try {
    await image.truncate(plan.sizeBytes);
    await makeExt4(plan, root);
    const words = `This stands for a boot loader. Installation: ${plan.installation}\n`;
    const loader = plan.loader ?? Buffer.from(words.padEnd(4 * sectorBytes, '.'));
    const fat = writtenFat(esp.sizeBytes, 'ESP', [{ path: loaderPath, data: loader }]);
    const used = fat.findLastIndex((byte) => byte !== 0) + 1;
    await image.write(fat, 0, used, esp.offset);
    const gpt = writtenGpt(plan.sizeBytes, stableGuid(`${plan.installation}/disk`), partitions);
    await image.write(gpt.head, 0, gpt.head.length, 0);
    await image.write(gpt.tail, 0, gpt.tail.length, plan.sizeBytes - gpt.tail.length);
    await image.datasync();
  } finally {
    await image.close();
  }
}
