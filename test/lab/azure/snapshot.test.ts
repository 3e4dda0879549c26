/**
 * Snapshots, grants, page lists and their diffs, read with the official SDK through the proxy.
 * Rule: whether a delta is right is judged by the digest of the whole image, asked at the control door.
 * Never trusts the `count` of the storage SDK, which is one short; the list iterators give start and end.
 */

import {
  dataBytes,
  failureOf,
  group,
  MiB,
  machine,
  quick,
  type Simulator,
  sha256,
  startSimulator,
} from './official-clients.ts';
import { type DiffPage, getPagesOfDiff } from './page-diff.ts';

let azure: Simulator;
beforeAll(async () => {
  const names = ['delta', 'paged', 'family', 'limits', 'twice', 'grants', 'big', 'wire', 'other'];
  const slow = { name: 'slow-os', sizeBytes: MiB, sku: 'PremiumV2_LRS' };
  azure = await startSimulator({
    vms: [...names.map((name) => machine(name)), machine('slow', { osDisk: slow })],
    settings: { snapshotsPer5Min: 50, copyMs: 400 },
  });
});
afterAll(() => azure.stop());

const create = (name: string, disk: string) =>
  azure
    .compute()
    .snapshots.createOrUpdate(
      group,
      name,
      {
        location: 'westeurope',
        incremental: true,
        creationData: { createOption: 'Copy', sourceResourceId: azure.diskId(disk) },
        tags: { 'made-by': 'test' },
      },
      quick,
    )
    .pollUntilDone();

const grant = async (name: string, durationInSeconds = 3600): Promise<string> => {
  const uri = await azure
    .compute()
    .snapshots.grantAccess(group, name, { access: 'Read', durationInSeconds }, quick)
    .pollUntilDone();
  if (uri.accessSAS === undefined) throw new Error('no SAS was given');
  return uri.accessSAS;
};
const revoke = (name: string) => azure.compute().snapshots.revokeAccess(group, name, quick).pollUntilDone();

const write = (disk: string, offset: number, length: number, fill: number) =>
  azure.door.post(`/disks/${disk}/write`, { offset, length, fill });
const discard = (disk: string, offset: number, length: number) =>
  azure.door.post(`/disks/${disk}/discard`, { offset, length });

const readAll = (sas: string): Promise<Buffer> => azure.blob(sas).downloadToBuffer(0, dataBytes);

/** Applies a delta to an image as a mover would. */
async function apply(image: Buffer, pages: readonly DiffPage[], sas: string): Promise<void> {
  for (const { start, end, isClear } of pages) {
    if (isClear) image.fill(0, start, end + 1);
    else (await azure.blob(sas).downloadToBuffer(start, end + 1 - start)).copy(image, start);
  }
}

test('a snapshot tells its family, its source and its size without the footer', async () => {
  const made = await create('wire-1', 'wire-data');
  const disk = await azure.compute().disks.get(group, 'wire-data');
  expect(made).toMatchObject({
    provisioningState: 'Succeeded',
    incremental: true,
    diskSizeBytes: dataBytes,
    tags: { 'made-by': 'test' },
    sku: { name: 'Standard_ZRS' },
    diskState: 'Unattached',
  });
  expect(made.creationData?.sourceUniqueId).toBe(disk.uniqueId);
  expect(made.incrementalSnapshotFamilyId).toBeTruthy();
  expect((await create('wire-2', 'wire-data')).incrementalSnapshotFamilyId).toBe(made.incrementalSnapshotFamilyId);
});

test('an exported disk ends with the footer of a fixed VHD', async () => {
  const blob = azure.blob(await grant('wire-1'));
  const properties = await blob.getProperties();
  expect(properties).toMatchObject({ contentLength: dataBytes + 512, blobType: 'PageBlob' });
  const footer = await blob.downloadToBuffer(dataBytes, 512);
  expect(footer.toString('latin1', 0, 8)).toBe('conectix');
  expect(footer.readBigUInt64BE(48)).toBe(BigInt(dataBytes));
  const stored = footer.readUInt32BE(64);
  footer.writeUInt32BE(0, 64);
  expect(~footer.reduce((sum, byte) => sum + byte, 0) >>> 0).toBe(stored);
  await revoke('wire-1');
});

test('checksums come with ranges of at most 4 MiB', async () => {
  const blob = azure.blob(await grant('wire-1'));
  const small = await blob.download(0, 4 * MiB, { rangeGetContentMD5: true });
  expect(small.contentMD5).toHaveLength(16);
  expect((await blob.download(0, 4 * MiB, { rangeGetContentCrc64: true })).contentCrc64).toHaveLength(8);
  expect((await failureOf(blob.download(0, 4 * MiB + 512, { rangeGetContentMD5: true }))).statusCode).toBe(400);
  await revoke('wire-1');
});

test('If-Match with another ETag is refused', async () => {
  const blob = azure.blob(await grant('wire-1'));
  const { etag } = await blob.getProperties();
  await blob.download(0, 512, { conditions: { ifMatch: etag ?? '' } });
  const failure = await failureOf(blob.download(0, 512, { conditions: { ifMatch: '"0x1"' } }));
  expect(failure.statusCode).toBe(412);
  await revoke('wire-1');
});

test('a delta, applied to the older image, gives the newer one byte for byte', async () => {
  await write('delta-data', 0, 4 * MiB, 1);
  await write('delta-data', 8 * MiB, MiB, 2);
  await create('delta-1', 'delta-data');
  for (let piece = 0; piece < 40; piece++) {
    await write('delta-data', piece * 65_536, 512 * (1 + (piece % 5)), 10 + piece);
    await discard('delta-data', piece * 65_536 + 8192, 512 * (1 + (piece % 7)));
  }
  await discard('delta-data', 8 * MiB, MiB / 2);
  await create('delta-2', 'delta-data');
  await write('delta-data', 0, MiB, 99);
  const [older, newer] = [await grant('delta-1'), await grant('delta-2')];
  const image = await readAll(older);
  expect(sha256(image)).toBe(await azure.sha256('delta-data', 'delta-1'));
  const pages = await getPagesOfDiff(azure.blob(newer), older, { offset: 0, count: dataBytes });
  const kinds = pages.map((page) => page.isClear);
  expect(kinds.slice(0, 6)).toEqual([false, true, false, true, false, true]);
  await apply(image, pages, newer);
  expect(sha256(image)).toBe(await azure.sha256('delta-data', 'delta-2'));
  await revoke('delta-1');
  await revoke('delta-2');
});

test('a page list in many pages is the same list', async () => {
  for (let piece = 0; piece < 60; piece++) await write('paged-data', piece * 8192, 512, 1 + piece);
  await create('paged-1', 'paged-data');
  const blob = azure.blob(await grant('paged-1'));
  const collect = async (maxPageSize?: number) => {
    const found: { start: number; end: number }[] = [];
    const pages = blob.listPageRanges(0, dataBytes).byPage(maxPageSize === undefined ? {} : { maxPageSize });
    let count = 0;
    for await (const page of pages) {
      count++;
      for (const { start, end } of page.pageRange ?? []) found.push({ start, end });
    }
    return { found, count };
  };
  const [whole, parts] = [await collect(), await collect(7)];
  expect(parts.found).toEqual(whole.found);
  expect([whole.found.length, parts.count]).toEqual([60, 9]);
  await revoke('paged-1');
});

test('a diff needs both grants, the same family and the older one first', async () => {
  await create('family-1', 'family-data');
  await create('family-2', 'family-data');
  await create('family-os', 'family-os');
  const [one, two, os] = [await grant('family-1'), await grant('family-2'), await grant('family-os')];
  const diff = (sas: string, previous: string) =>
    failureOf(azure.blob(sas).getPageRangesDiffForManagedDisks(0, 512, previous));
  await azure.blob(two).getPageRangesDiffForManagedDisks(0, 512, one);
  expect((await diff(one, two)).statusCode).toBe(409);
  expect((await diff(two, os)).statusCode).toBe(409);
  expect((await diff(two, 'nonsense')).statusCode).toBe(400);
  await revoke('family-1');
  expect(await diff(two, one)).toMatchObject({ statusCode: 403, code: 'AuthenticationFailed' });
  await revoke('family-2');
  await revoke('family-os');
});

test('a diff across a resize over 4 TB is refused, and works again afterwards', async () => {
  await create('big-1', 'big-data');
  await azure.door.post('/disks/big-data/resize', { sizeBytes: 4 * 1024 ** 4 + MiB });
  await create('big-2', 'big-data');
  await create('big-3', 'big-data');
  const [one, two, three] = [await grant('big-1'), await grant('big-2'), await grant('big-3')];
  expect((await failureOf(azure.blob(two).getPageRangesDiffForManagedDisks(0, 512, one))).statusCode).toBe(409);
  await azure.blob(three).getPageRangesDiffForManagedDisks(0, 512, two);
});

test('at most five snapshots of a family have a grant', async () => {
  for (let each = 1; each <= 6; each++) await create(`limits-${each}`, 'limits-data');
  for (let each = 1; each <= 5; each++) await grant(`limits-${each}`);
  expect((await failureOf(grant('limits-6'))).message).toContain('active SAS');
  await revoke('limits-1');
  await grant('limits-6');
  const state = await azure.state();
  expect(state.snapshots.filter((one) => one.name.startsWith('limits') && one.activeSas)).toHaveLength(5);
});

test('a disk takes only so many snapshots in five minutes', async () => {
  await azure.door.post('/settings', { snapshotsPer5Min: 2 });
  await create('other-1', 'other-data');
  await create('other-2', 'other-data');
  const failure = await failureOf(
    azure
      .compute({ retryOptions: { maxRetries: 0 } })
      .snapshots.createOrUpdate(group, 'other-3', {
        location: 'westeurope',
        incremental: true,
        creationData: { createOption: 'Copy', sourceResourceId: azure.diskId('other-data') },
      })
      .submitted(),
  );
  await azure.door.post('/settings', { snapshotsPer5Min: 50 });
  expect(failure.statusCode).toBe(429);
});

test('the same snapshot asked for twice is one, another source under its name is a conflict', async () => {
  const [first, second] = await Promise.all([create('twice-1', 'twice-data'), create('twice-1', 'twice-data')]);
  const third = await create('twice-1', 'twice-data');
  expect([second.uniqueId, third.uniqueId]).toEqual([first.uniqueId, first.uniqueId]);
  expect((await failureOf(create('twice-1', 'twice-os'))).statusCode).toBe(409);
});

test('a snapshot with a grant cannot be deleted until the grant is revoked', async () => {
  await create('grants-1', 'grants-data');
  const sas = await grant('grants-1');
  expect((await azure.compute().snapshots.get(group, 'grants-1')).diskState).toBe('ActiveSAS');
  expect((await failureOf(azure.compute().snapshots.delete(group, 'grants-1', quick).pollUntilDone())).statusCode).toBe(
    409,
  );
  await revoke('grants-1');
  expect(await failureOf(azure.blob(sas).getProperties())).toMatchObject({ statusCode: 403 });
  await azure.compute().snapshots.delete(group, 'grants-1', quick).pollUntilDone();
  expect((await failureOf(azure.compute().snapshots.get(group, 'grants-1'))).statusCode).toBe(404);
});

test('an expired or altered grant opens nothing', async () => {
  await create('grants-2', 'grants-data');
  const sas = await grant('grants-2', 1);
  const altered = sas.replace(/sig=(.)/, (_, first: string) => `sig=${first === 'A' ? 'B' : 'A'}`);
  expect((await failureOf(azure.blob(altered).getProperties())).statusCode).toBe(403);
  await azure.blob(sas).getProperties();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(await failureOf(azure.blob(sas).download(0, 512))).toMatchObject({
    statusCode: 403,
    code: 'AuthenticationFailed',
  });
  const again = await grant('grants-2');
  await azure.blob(again).getProperties();
  await azure.door.post('/expire-sas');
  expect((await failureOf(azure.blob(again).getProperties())).statusCode).toBe(403);
});

test('a snapshot of a Premium SSD v2 disk is usable only when its copy is complete', async () => {
  const made = await create('slow-1', 'slow-os');
  expect(made.completionPercent).toBeLessThan(100);
  expect((await failureOf(grant('slow-1'))).statusCode ?? 409).toBe(409);
  await new Promise((resolve) => setTimeout(resolve, 450));
  expect((await azure.compute().snapshots.get(group, 'slow-1')).completionPercent).toBe(100);
  await grant('slow-1');
});

test('tags of a snapshot can be changed and are listed', async () => {
  await create('twice-2', 'twice-data');
  await azure
    .compute()
    .snapshots.update(group, 'twice-2', { tags: { point: '7' } }, quick)
    .pollUntilDone();
  const tags: unknown[] = [];
  for await (const one of azure.compute().snapshots.listByResourceGroup(group))
    if (one.name === 'twice-2') tags.push(one.tags);
  expect(tags).toEqual([{ point: '7' }]);
});
