/**
 * The mover's search for its device, on folders made to look like Linux's, and on a mounted datastore.
 * Rule: only the places are given; links, sizes and descriptors are real files.
 */
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenDisk } from '../../model/machine.ts';
import type { DeviceFinder } from '../../sites/target.ts';
import { createDeviceFinder } from '../../sites/vsphere/device.ts';
import { stagedFile } from '../../sites/vsphere/staged-disks.ts';
import { diskOf, original, quietWork, requestFor, runA, type Simulator, startSimulator } from './simulator.ts';

const sizeBytes = 1 << 20;
const uuid = '6000C29a-AAAA-bbbb-cccc-ddddeeeeffff';
const hex = '6000c29aaaaabbbbccccddddeeeeffff';
const disk: OpenDisk = { disk: 'os', slot: '1000:1', file: '[ds] erp-db/erp-db.vmdk', sizeBytes, uuid };
const work = quietWork();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-device-'));
  for (const name of ['byId', 'blocks', 'dev', 'mount/erp-db']) await mkdir(join(folder, name), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const finder = (datastores: Record<string, string> = {}, waitMs = 100): DeviceFinder =>
  createDeviceFinder(
    { site: 'dc-home', datastores },
    { byId: join(folder, 'byId'), blocks: join(folder, 'blocks'), waitMs },
  );

/** A disk as the kernel and udev show it. */
async function plug(name: string, links: readonly string[], sectors = sizeBytes / 512): Promise<string> {
  const path = join(folder, 'dev', name);
  await writeFile(path, '');
  await mkdir(join(folder, 'blocks', name, 'device'), { recursive: true });
  await writeFile(join(folder, 'blocks', name, 'size'), `${sectors}\n`);
  await writeFile(join(folder, 'blocks', name, 'device', 'wwid'), `naa.${hex}\n`);
  for (const link of links) await symlink(`../dev/${name}`, join(folder, 'byId', link));
  return path;
}

test('a hot-added disk is found by its WWN, whichever of its names udev gave', async () => {
  const path = await plug('sdb', [`wwn-0x${hex}`, `scsi-3${hex}`]);
  expect(await finder().findDevice(disk, work)).toBe(path);
  await rm(join(folder, 'byId', `wwn-0x${hex}`));
  expect(await finder().findDevice(disk, work)).toBe(path);
});

test('a disk that udev shows late is waited for', async () => {
  setTimeout(() => void plug('sdb', [`wwn-0x${hex}`]), 200);
  expect(await finder({}, 5_000).findDevice(disk, work)).toBe(join(folder, 'dev', 'sdb'));
});

test('a device of another size is refused, and so is a missing one after the wait, with the setting that shows it', async () => {
  await expect(finder().findDevice(disk, work)).rejects.toMatchObject({
    kind: 'Refused',
    hint: expect.stringContaining('disk.EnableUUID = TRUE'),
  });
  await plug('sdb', [`wwn-0x${hex}`], 4096);
  await expect(finder().findDevice(disk, work)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining('2097152 bytes'),
  });
});

test('S000-9 two devices of one identity are refused, even when udev names only one of them', async () => {
  await plug('sdb', [`wwn-0x${hex}`]);
  await plug('sdc', []);
  await expect(finder().findDevice(disk, work)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining('more than one'),
  });
});

const descriptor = (extents: string): string =>
  `# Disk DescriptorFile\nversion=1\nCID=fffffffe\ncreateType="vmfs"\n\n# Extent description\n${extents}\n`;

test('on a mounted datastore the flat file that the descriptor names is found', async () => {
  const mount = join(folder, 'mount');
  await writeFile(join(mount, 'erp-db/erp-db.vmdk'), descriptor(`RW ${sizeBytes / 512} VMFS "other-flat.vmdk"`));
  await writeFile(join(mount, 'erp-db/other-flat.vmdk'), '');
  await expect(finder({ ds: mount }).findDevice(disk, work)).rejects.toMatchObject({ kind: 'Refused' });
  await truncate(join(mount, 'erp-db/other-flat.vmdk'), sizeBytes);
  expect(await finder({ ds: mount }).findDevice(disk, work)).toBe(join(mount, 'erp-db/other-flat.vmdk'));
});

test.each([
  ['two extents', 'RW 1024 VMFS "a-flat.vmdk"\nRW 1024 VMFS "b-flat.vmdk"'],
  ['a sparse extent', 'RW 2048 SPARSE "a.vmdk"'],
  ['an extent outside its folder', 'RW 2048 VMFS "../../a-flat.vmdk"'],
  ['no extent', ''],
])('a descriptor with %s is refused', async (_name, extents) => {
  await writeFile(join(folder, 'mount/erp-db/erp-db.vmdk'), descriptor(extents));
  await expect(finder({ ds: join(folder, 'mount') }).findDevice(disk, work)).rejects.toMatchObject({ kind: 'Refused' });
});

test('a path that leaves the datastore and a disk that is not there are refused', async () => {
  const mounted = finder({ ds: join(folder, 'mount') });
  await expect(mounted.findDevice({ ...disk, file: '[ds] ../../etc/passwd' }, work)).rejects.toMatchObject({
    kind: 'Refused',
  });
  await expect(mounted.findDevice(disk, work)).rejects.toMatchObject({
    kind: 'Refused',
    message: expect.stringContaining('ENOENT'),
  });
});

test('the disks that the target site opened are found on the simulator’s datastore', async () => {
  const simulator: Simulator = await startSimulator([original('mounted')]);
  try {
    const target = simulator.target();
    const opened = await target.ensureDisksOpen(await requestFor(target, 'mounted', 'staged'), work);
    const mounted = finder({ 'lab-ds': simulator.datastoreFolder });
    const paths = await Promise.all(opened.map((one) => mounted.findDevice(one, work)));
    expect(paths.every((path) => /-homeward-[0-9a-f]{16}-flat\.vmdk$/.test(path))).toBe(true);
    expect(opened[0]?.file).toBe(stagedFile(diskOf('mounted'), runA));
  } finally {
    await simulator.stop();
  }
});
