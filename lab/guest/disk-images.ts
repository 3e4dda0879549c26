/**
 * The disk images a lab starts from: what runs in Azure, and what was left on-prem before the failover.
 * Rule: what lies on-prem is older and full of other bytes, so that a byte nobody copied is seen; its records have
 * lower numbers than anything the machine writes later. Images are sparse, OS images are kept in the user's cache.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { BootLoader } from './bootable-linux.ts';
import { openFileDisk } from './file-disk.ts';
import { buildOsDisk } from './os-disk.ts';
import { makeTree, noise, type OsTree, type Release, stampOf } from './os-tree.ts';
import { freshLayout, recordBytes, slotOffset, writtenRecord, writtenSuperblock } from './record.ts';

const copyBlockBytes = 4 << 20;
const pieceBytes = 64 << 10;
/** Records that were written on-prem before the failover; both sides know them. */
const recordsBefore = 500;
/** Bump when the builder's output changes, so that older cached images are not used. */
const builderVersion = 2;

const cacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'homeward', 'lab-disks');

/** Copies a file and leaves holes where the original has zeros. */
export async function copySparse(from: string, to: string): Promise<void> {
  const source = await open(from, 'r');
  const copy = await open(to, 'w');
  try {
    const { size } = await source.stat();
    await copy.truncate(size);
    const block = Buffer.alloc(copyBlockBytes);
    const zeros = Buffer.alloc(pieceBytes);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await source.read(block, 0, block.length, at);
      if (bytesRead === 0) throw new Error(`${from} became shorter while it was copied`);
      for (let done = 0; done < bytesRead; done += pieceBytes) {
        const piece = block.subarray(done, Math.min(done + pieceBytes, bytesRead));
        if (!piece.equals(zeros.subarray(0, piece.length))) await copy.write(piece, 0, piece.length, at + done);
      }
      at += bytesRead;
    }
  } finally {
    await Promise.all([source.close(), copy.close()]);
  }
}

export interface OsImage {
  readonly tree: OsTree;
  readonly sizeBytes: number;
  readonly machine: string;
  readonly release: Release;
  /** The Linux it boots; without one it only looks bootable. */
  readonly loader?: BootLoader;
}

async function buildImage(image: OsImage, path: string, beside = path): Promise<void> {
  // Beside the image, so that it goes with the lab's folder also when nobody could tidy up.
  const scratch = await mkdtemp(`${beside}-tree-`);
  try {
    const tree = await makeTree(image.tree, scratch, image.machine, image.release);
    const loader = image.loader === undefined ? {} : { loader: await readFile(image.loader.paths[image.release]) };
    await buildOsDisk({ path, sizeBytes: image.sizeBytes, tree, installation: image.machine, ...loader });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Puts the OS image at `path`, from the cache when it is there. */
export async function placeOsDisk(image: OsImage, path: string): Promise<void> {
  const stamp = await stampOf(image.tree);
  if (stamp === undefined) return buildImage(image, path);
  const loader = image.loader === undefined ? '' : `/${image.loader.stamp}`;
  const words = `${builderVersion}/${stamp}/${image.sizeBytes}/${image.machine}/${image.release}${loader}`;
  const cached = join(cacheFolder(), `${createHash('sha256').update(words).digest('hex').slice(0, 24)}.raw`);
  const there = await stat(cached).then(
    (found) => found.size === image.sizeBytes,
    () => false,
  );
  if (!there) {
    await mkdir(cacheFolder(), { recursive: true });
    // Several labs may build the same image at once: each builds its own, and a rename makes one of them the cached one.
    const own = `${cached}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    const removeNow = (): void => rmSync(own, { force: true });
    // Nobody looks for leftovers in the cache: a process that ends meanwhile takes its half image along.
    process.once('exit', removeNow);
    try {
      await buildImage(image, own, path);
      await rename(own, cached);
    } finally {
      process.off('exit', removeNow);
      await rm(own, { force: true });
    }
  }
  await copySparse(cached, path);
}

/** A data disk as it was when the machine failed over: the application's log with its first records. */
export async function placeDataDisk(path: string, sizeBytes: number, machine: string): Promise<void> {
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  await file.close();
  const disk = await openFileDisk(path);
  try {
    const layout = freshLayout(sizeBytes);
    await disk.write(0, writtenSuperblock(layout));
    for (let seq = 1; seq <= Math.min(recordsBefore, layout.slots); seq++) {
      const slot = (seq * 7) % layout.slots;
      const seed = createHash('sha256').update(`${machine}/${seq}`).digest().readUInt32LE(0);
      await disk.write(slotOffset(layout, slot), writtenRecord({ seq, slot, seed, side: 2 }).bytes);
    }
    await disk.flush();
  } finally {
    await disk.close();
  }
}

/** Fills the gaps between a data disk's slots with bytes the source does not have: the target must not keep them (S10). */
export async function makeStale(path: string, machine: string): Promise<void> {
  const disk = await openFileDisk(path);
  try {
    const layout = freshLayout(disk.sizeBytes);
    const room = layout.strideBytes - 2 * recordBytes;
    if (room <= 0) return;
    for (let slot = 0; slot < layout.slots; slot += 5)
      await disk.write(slotOffset(layout, slot) + recordBytes, noise(`${machine}/${slot}`, Math.min(room, 4096)));
    await disk.flush();
  } finally {
    await disk.close();
  }
}
