/**
 * The lab's guest: what a disk must have to boot, and what its application promises about its records.
 * Rule: each test plants one fault and looks whether the guest's own checks see it.
 * Never needs more than Node and mke2fs.
 */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeStale, placeDataDisk, placeOsDisk } from '../../lab/guest/disk-images.ts';
import { type FileDisk, openFileDisk } from '../../lab/guest/file-disk.ts';
import { bootSignatures, headSectors, sectorBytes, tailSectors } from '../../lab/guest/gpt.ts';
import { bootGuest } from '../../lab/guest/guest.ts';
import { osPartitions } from '../../lab/guest/os-disk.ts';
import { checkBootable } from '../../lab/guest/partition-check.ts';
import { recordBytes, slotOffset } from '../../lab/guest/record.ts';
import { readLayout } from '../../lab/guest/record-log.ts';
import { verifyRecords } from '../../lab/guest/verify-records.ts';

const MiB = 1 << 20;
const osBytes = 48 * MiB;
let folder: string;
let open: FileDisk[] = [];
const use = async (name: string): Promise<FileDisk> => {
  const disk = await openFileDisk(join(folder, name));
  open.push(disk);
  return disk;
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeward-guest-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await placeOsDisk(
    { tree: 'small', sizeBytes: osBytes, machine: 'erp-db', release: 'current' },
    join(folder, 'os.raw'),
  );
  await writeFile(join(folder, 'data.raw'), '');
  await truncate(join(folder, 'data.raw'), 32 * MiB);
  await rm(join(folder, 'acks'), { force: true });
});
afterEach(async () => {
  await Promise.all(open.map((disk) => disk.close()));
  open = [];
});

type Side = 'azure' | 'on-prem';

async function bootHere(side: Side) {
  return await bootGuest([await use('os.raw'), await use('data.raw')], {
    acknowledgements: join(folder, 'acks'),
    recordsPerSecond: 500,
    side,
  });
}

async function runFor(ms: number, side: Side = 'azure') {
  const guest = await bootHere(side);
  await pause(ms);
  await guest.stop();
  return guest;
}

/** Runs it until it has acknowledged so many records more; a busy machine only takes longer. */
async function runUntil(records: number, side: Side = 'azure') {
  const guest = await bootHere(side);
  while (guest.written() < records) await pause(10);
  await guest.stop();
  return guest;
}

/** Bytes that are not zero between the records. */
async function filledBetween(disk: FileDisk): Promise<number> {
  const layout = await readLayout(disk);
  if (layout === undefined) return 0;
  const bytes = await disk.read(slotOffset(layout, 0), layout.slots * layout.strideBytes);
  let filled = 0;
  for (let slot = 0; slot < layout.slots; slot++) {
    const end = (slot + 1) * layout.strideBytes;
    for (let at = slot * layout.strideBytes + recordBytes; at < end; at += recordBytes)
      if (bytes[at] !== 0) filled += recordBytes;
  }
  return filled;
}

describe('The firmware', () => {
  test('boots a whole OS disk', async () => {
    expect(await checkBootable(await use('os.raw'))).toMatchObject({ bootable: true, partitionTable: 'primary' });
  });

  test('boots from the backup partition table when the primary header is damaged', async () => {
    const disk = await use('os.raw');
    await disk.write(sectorBytes + 60, Buffer.from([1, 2, 3]));
    expect(await checkBootable(disk)).toMatchObject({ bootable: true, partitionTable: 'backup' });
  });

  test('does not boot an open disk, whose boot sectors are withheld', async () => {
    const disk = await use('os.raw');
    await disk.write(0, Buffer.alloc(headSectors * sectorBytes));
    await disk.write(osBytes - tailSectors * sectorBytes, Buffer.alloc(tailSectors * sectorBytes));
    expect(await bootSignatures(disk)).toEqual([]);
    expect(await checkBootable(disk)).toMatchObject({ bootable: false, reason: expect.stringMatching(/sector 0/) });
  });

  test.each([
    ['the boot loader', () => osPartitions(osBytes)[0].offset, 4 * MiB, /BOOT|EFI/],
    ['the ext4 superblock', () => osPartitions(osBytes)[1].offset, 4096, /ext4/],
  ])('does not boot a disk that has lost %s', async (_what, offset, bytes, reason) => {
    const disk = await use('os.raw');
    await disk.write(offset(), Buffer.alloc(bytes));
    expect(await checkBootable(disk)).toMatchObject({ bootable: false, reason: expect.stringMatching(reason) });
  });
});

describe('The guest', () => {
  test('runs nothing when its OS disk does not boot', async () => {
    await (await use('os.raw')).write(0, Buffer.alloc(headSectors * sectorBytes));
    const guest = await runFor(20);
    expect([guest.booted, guest.written()]).toEqual([false, 0]);
  });

  test('loses no acknowledged record over reboots on either side', async () => {
    await runUntil(120);
    await runUntil(80);
    await runUntil(80, 'on-prem');
    const report = await verifyRecords(await use('data.raw'), join(folder, 'acks'));
    expect(report).toMatchObject({ lost: [], boots: ['azure', 'azure', 'on-prem'] });
    expect(report.acknowledged).toBeGreaterThan(150);
    expect(report.newest).toBeGreaterThanOrEqual(report.newestAcknowledged - 20);
  });

  test('keeps its ext4 and its boot path unwritten, and changes the log partition', async () => {
    const disk = await use('os.raw');
    const [, , log] = osPartitions(osBytes);
    const before = await disk.read(0, log.offset);
    await runFor(300);
    expect((await disk.read(0, log.offset)).equals(before)).toBe(true);
    expect((await disk.read(log.offset, 4096)).toString()).toMatch(/azure line 0/);
  });

  test('writes as many bytes a second more as it is told to, between its records, and none once it is stopped', async () => {
    const disk = await use('data.raw');
    const guest = await bootHere('azure');
    const began = performance.now();
    guest.writeMore(16 * MiB);
    while ((await filledBetween(disk)) < 4 * MiB) await pause(20);
    guest.writeMore(0);
    const seconds = (performance.now() - began) / 1000;
    await pause(150);
    const filled = await filledBetween(disk);
    expect(filled).toBeLessThanOrEqual(16 * MiB * (seconds + 0.25));
    await pause(150);
    expect(await filledBetween(disk)).toBe(filled);
    guest.writeMore(16 * MiB);
    while ((await filledBetween(disk)) === filled) await pause(20);
    await guest.stop();
    const stopped = await filledBetween(disk);
    await pause(150);
    expect([await filledBetween(disk), guest.failure()]).toEqual([stopped, undefined]);
    expect(await verifyRecords(disk, join(folder, 'acks'))).toMatchObject({ lost: [] });
  });

  test('does not format a data disk on-prem that has lost its log', async () => {
    const guest = await runFor(20, 'on-prem');
    expect(guest).toMatchObject({ booted: true, reason: expect.stringMatching(/no record log/) });
    expect((await (await use('data.raw')).read(0, 512)).every((byte) => byte === 0)).toBe(true);
  });
});

describe('The check of the records', () => {
  test.each([
    ['zeros', Buffer.alloc(512)],
    ['noise', Buffer.alloc(512, 7)],
  ])('sees an acknowledged record that was replaced by %s', async (_what, bytes) => {
    await runUntil(150);
    const disk = await use('data.raw');
    const layout = await readLayout(disk);
    if (layout === undefined) throw new Error('no layout');
    for (let slot = 0; slot < layout.slots; slot++) await disk.write(slotOffset(layout, slot), bytes);
    const report = await verifyRecords(disk, join(folder, 'acks'));
    expect(report.lost.length).toBeGreaterThan(50);
  });

  test('sees that an older disk was brought home, even after the application has written on', async () => {
    const older = join(folder, 'data.raw');
    await placeDataDisk(older, 32 * MiB, 'erp-db');
    await runUntil(150);
    await placeDataDisk(older, 32 * MiB, 'erp-db');
    await makeStale(older, 'erp-db');
    await runUntil(300, 'on-prem');
    const report = await verifyRecords(await use('data.raw'), join(folder, 'acks'));
    expect(report.lost.filter((each) => each.when.includes('on-prem')).length).toBeGreaterThan(50);
    // Where a person had that done, only the last start counts, and what it found there.
    const file = join(folder, 'acks');
    expect((await verifyRecords(await use('data.raw'), file, file)).lost).toEqual([]);
  });
});
