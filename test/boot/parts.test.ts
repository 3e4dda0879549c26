/**
 * The parts of the Linux that really boots: what is missing is said, and what is written is what a kernel can read.
 * Rule: nothing here needs QEMU, a kernel or a package; it runs on every computer.
 * Never builds a disk.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { findBootParts } from '../../lab/guest/boot-parts.ts';
import { bootableLinux } from '../../lab/guest/bootable-linux.ts';
import { writtenCpio } from '../../lab/guest/cpio.ts';
import { diskModules } from '../../lab/guest/kernel-modules.ts';

let folder: string;
const environment = { ...process.env };
const place = (path: string, data: string | Uint8Array): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), data);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeward-parts-'));
});
afterEach(() => {
  process.env = { ...environment };
  rmSync(folder, { recursive: true, force: true });
});

test('a kernel that was named and is not there is said in one sentence, and nothing fails', async () => {
  process.env.HOMEWARD_KERNEL = join(folder, 'vmlinuz-none');
  expect(await bootableLinux()).toEqual({ missing: expect.stringMatching(/^The lab’s OS disk .*vmlinuz-none.*\.$/) });
});

test('the newest kernel of the cache is taken, with the modules that lie beside it, and a missing tool is named', () => {
  delete process.env.HOMEWARD_KERNEL;
  process.env.XDG_CACHE_HOME = folder;
  const parts = 'homeward/boot-parts';
  for (const version of ['6.1.0-9-cloud', '6.1.0-10-cloud']) {
    place(`${parts}/boot/vmlinuz-${version}`, 'kernel');
    place(`${parts}/lib/modules/${version}/kernel/a.ko`, 'module');
  }
  place(`${parts}/usr/lib/systemd/boot/efi/linuxx64.efi.stub`, 'stub');
  process.env.PATH = join(folder, 'nothing');
  expect(findBootParts()).toEqual({ missing: expect.stringContaining('package binutils') });
  place('programs/objcopy', '');
  process.env.PATH = join(folder, 'programs');
  expect(findBootParts()).toMatchObject({
    kernel: expect.stringMatching(/vmlinuz-6\.1\.0-10-cloud$/),
    modules: expect.stringMatching(/6\.1\.0-10-cloud$/),
    stub: expect.stringContaining(folder),
  });
});

test('a driver comes after everything it depends on, whatever its file is packed with', async () => {
  const module = (depends: string): Buffer => Buffer.from(`\x7fELF\0license=GPL\0depends=${depends}\0name=x\0`);
  place('kernel/drivers/block/virtio_blk.ko.zst', zstdCompressSync(module('virtio-ring,virtio')));
  place('kernel/drivers/virtio/virtio-ring.ko.gz', gzipSync(module('virtio')));
  place('kernel/drivers/virtio/virtio.ko', module(''));
  const files = await diskModules(folder);
  expect(files.map((file) => file.path)).toEqual([
    'modules/00-virtio.ko',
    'modules/01-virtio_ring.ko',
    'modules/02-virtio_blk.ko',
  ]);
  expect(files.map((file) => Buffer.from(file.data))).toEqual([
    module(''),
    module('virtio'),
    module('virtio-ring,virtio'),
  ]);
});

test('the archive names each folder once before its files, aligned to four bytes, and ends with its trailer', () => {
  const archive = writtenCpio([
    { path: 'init', data: Buffer.from('12345'), executable: true },
    { path: 'modules/a.ko', data: Buffer.from('a') },
    { path: 'modules/b.ko', data: Buffer.alloc(0) },
  ]);
  const seen: string[] = [];
  for (let at = 0; at < archive.length; ) {
    const field = (index: number): number =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    expect([archive.toString('latin1', at, at + 6), at % 4]).toEqual(['070701', 0]);
    const [mode, size, nameBytes] = [field(1), field(6), field(11)];
    const name = archive.toString('latin1', at + 110, at + 110 + nameBytes - 1);
    const start = Math.ceil((at + 110 + nameBytes) / 4) * 4;
    seen.push(`${mode.toString(8)} ${name} ${archive.toString('latin1', start, start + size)}`);
    at = Math.ceil((start + size) / 4) * 4;
  }
  expect(seen).toEqual([
    '100755 init 12345',
    '40755 modules ',
    '100644 modules/a.ko a',
    '100644 modules/b.ko ',
    '0 TRAILER!!! ',
  ]);
});
