/**
 * Disks made by upload, from a snapshot or empty, and the faults of the wire.
 * Rule: bytes are compared by the digest asked at the control door; faults are set by rules and counted.
 */
import { failureOf, group, MiB, machine, quick, type Simulator, sha256, startSimulator } from './official-clients.ts';

const uploadBytes = 24 * MiB;
let azure: Simulator;
beforeAll(async () => {
  azure = await startSimulator({
    vms: ['up', 'wire'].map((name) => machine(name)),
    settings: { snapshotsPer5Min: 50 },
  });
});
afterAll(() => azure.stop());

const makeUpload = async (name: string): Promise<string> => {
  const compute = azure.compute();
  const creationData = { createOption: 'Upload' as const, uploadSizeBytes: uploadBytes + 512 };
  const made = await compute.disks
    .createOrUpdate(group, name, { location: 'westeurope', creationData }, quick)
    .pollUntilDone();
  expect(made.diskState).toBe('ReadyToUpload');
  const uri = await compute.disks
    .grantAccess(group, name, { access: 'Write', durationInSeconds: 600 }, quick)
    .pollUntilDone();
  expect(uri.accessSAS).toContain('https://md-impexp-');
  return uri.accessSAS ?? '';
};
const stateOf = async (name: string) => (await azure.compute().disks.get(group, name)).diskState;

/** A footer the service takes: a fixed disk of `sizeBytes`. */
function footerOf(sizeBytes: number): Buffer {
  const footer = Buffer.alloc(512);
  footer.write('conectix', 0, 'latin1');
  footer.writeBigUInt64BE(BigInt(sizeBytes), 48);
  footer.writeUInt32BE(2, 60);
  footer.writeUInt32BE(~footer.reduce((sum, byte) => sum + byte, 0) >>> 0, 64);
  return footer;
}

test('an uploaded disk holds what was put into it', async () => {
  const sas = await makeUpload('uploaded');
  expect(await stateOf('uploaded')).toBe('ActiveUpload');
  const image = Buffer.alloc(uploadBytes);
  image.fill(3, MiB, 3 * MiB);
  const blob = azure.blob(sas);
  await blob.uploadPages(image.subarray(0, 4 * MiB), 0, 4 * MiB);
  await blob.clearPages(2 * MiB, MiB);
  image.fill(0, 2 * MiB, 3 * MiB);
  await blob.uploadPages(footerOf(uploadBytes), uploadBytes, 512);
  await azure.compute().disks.revokeAccess(group, 'uploaded', quick).pollUntilDone();
  expect(await stateOf('uploaded')).toBe('Unattached');
  expect(await azure.sha256('uploaded')).toBe(sha256(image));
});

test('a missing footer shows when the upload is ended', async () => {
  const blob = azure.blob(await makeUpload('broken'));
  await blob.uploadPages(Buffer.alloc(512, 1), 0, 512);
  const failure = await failureOf(azure.compute().disks.revokeAccess(group, 'broken', quick).pollUntilDone());
  expect(failure).toMatchObject({ statusCode: 400, code: 'InvalidVhd' });
  expect(failure.message).toContain('conectix');
});

test('pages outside of the disk, crooked ones and wrong checksums are refused', async () => {
  const blob = azure.blob(await makeUpload('strict'));
  const page = Buffer.alloc(512);
  expect((await failureOf(blob.uploadPages(page, uploadBytes + 512, 512))).statusCode).toBe(416);
  expect((await failureOf(blob.uploadPages(page, 100, 512))).statusCode).toBe(416);
  const wrong = { transactionalContentMD5: new Uint8Array(16) };
  expect(await failureOf(blob.uploadPages(page, 0, 512, wrong))).toMatchObject({
    statusCode: 400,
    code: 'Md5Mismatch',
  });
});

test('nothing can be put into a snapshot, and no upload begins into a disk that exists', async () => {
  const compute = azure.compute();
  const source = { createOption: 'Copy' as const, sourceResourceId: azure.diskId('up-data') };
  await compute.snapshots
    .createOrUpdate(group, 'up-1', { location: 'westeurope', incremental: true, creationData: source }, quick)
    .pollUntilDone();
  const uri = await compute.snapshots
    .grantAccess(group, 'up-1', { access: 'Read', durationInSeconds: 600 }, quick)
    .pollUntilDone();
  const put = azure.blob(uri.accessSAS ?? '').uploadPages(Buffer.alloc(512), 0, 512);
  expect(await failureOf(put)).toMatchObject({ statusCode: 403, code: 'AuthorizationPermissionMismatch' });
  const write = compute.disks.grantAccess(group, 'up-os', { access: 'Write', durationInSeconds: 600 }, quick);
  expect((await failureOf(write.pollUntilDone())).statusCode).toBe(409);
});

test('a disk made from a snapshot has its bytes, and is one disk however often it is asked for', async () => {
  const compute = azure.compute();
  await azure.door.post('/disks/wire-data/write', { offset: 5 * MiB, length: MiB, fill: 7 });
  const source = { createOption: 'Copy' as const, sourceResourceId: azure.diskId('wire-data') };
  const snapshot = await compute.snapshots
    .createOrUpdate(group, 'wire-1', { location: 'westeurope', incremental: true, creationData: source }, quick)
    .pollUntilDone();
  const creationData = { createOption: 'Copy' as const, sourceResourceId: snapshot.id ?? '' };
  const make = () =>
    compute.disks.createOrUpdate(group, 'copy', { location: 'westeurope', creationData }, quick).pollUntilDone();
  const first = await make();
  expect((await make()).uniqueId).toBe(first.uniqueId);
  expect(await azure.sha256('copy')).toBe(await azure.sha256('wire-data', 'wire-1'));
  const empty = { location: 'westeurope', diskSizeGB: 1, creationData: { createOption: 'Empty' as const } };
  expect((await failureOf(compute.disks.createOrUpdate(group, 'copy', empty, quick).pollUntilDone())).statusCode).toBe(
    409,
  );
});

const readable = async (): Promise<string> => {
  const { compute } = azure;
  const uri = await compute()
    .snapshots.grantAccess(group, 'wire-1', { access: 'Read', durationInSeconds: 600 }, quick)
    .pollUntilDone();
  return uri.accessSAS ?? '';
};

test('each fault of the wire does what its rule says, as often as it says', async () => {
  const sas = await readable();
  const good = await azure.blob(sas).downloadToBuffer(5 * MiB, 4096);
  const read = async (action: object, tries = 1) => {
    await azure.door.remove('/rules');
    await azure.door.post('/rules', { operation: 'blob.getRange', resource: 'wire-1', action });
    return azure.blob(sas, tries).download(5 * MiB, 4096);
  };
  const bytesOf = async (action: object): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    for await (const piece of (await read(action)).readableStreamBody ?? []) pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces);
  };
  expect((await bytesOf({ flipByte: 10 })).equals(good)).toBe(false);
  expect((await bytesOf({})).equals(good)).toBe(true);
  expect((await failureOf(read({ status: 503, code: 'ServerBusy' }))).statusCode).toBe(503);
  expect((await read({ status: 503 }, 2)).contentLength).toBe(4096);
  expect((await failureOf(read({ drop: 'before' }))).message).toBeTruthy();
  expect((await read({ wrongRange: true })).contentRange).toContain(`bytes ${5 * MiB + 512}-`);
  expect((await read({ staleEtag: true })).etag).toBe('"0x0000000000000001"');
  expect((await read({ ignoreRange: true }))._response.status).toBe(200);
  expect(((await azure.door.get('/rules')) as { hits: number }[])[0]?.hits).toBe(1);
  await azure.door.remove('/rules');
});

test('a body that is cut short is an error for the official client, a held-up one is not', async () => {
  await azure.compute().snapshots.revokeAccess(group, 'wire-1', quick).pollUntilDone();
  const blob = azure.blob(await readable());
  await azure.door.post('/rules', { operation: 'blob.getRange', action: { truncateBytes: 1000 } });
  await failureOf(blob.downloadToBuffer(5 * MiB, MiB));
  await azure.door.post('/rules', { operation: 'blob.getRange', action: { stallMs: 50 } });
  expect((await blob.downloadToBuffer(5 * MiB, MiB)).equals(Buffer.alloc(MiB, 7))).toBe(true);
});

test('an effect whose answer was lost is done, and asking again finds it', async () => {
  const compute = azure.compute({ retryOptions: { maxRetries: 0 } });
  const source = { createOption: 'Copy' as const, sourceResourceId: azure.diskId('wire-data') };
  const body = { location: 'westeurope', incremental: true, creationData: source };
  await azure.door.post('/rules', { operation: 'snapshots.createOrUpdate', action: { drop: 'after' } });
  await failureOf(compute.snapshots.createOrUpdate(group, 'wire-2', body, quick).submitted());
  const made = await compute.snapshots.createOrUpdate(group, 'wire-2', body, quick).pollUntilDone();
  expect(made.name).toBe('wire-2');
  const { snapshots } = await azure.state();
  expect(snapshots.filter((one) => one.name === 'wire-2')).toHaveLength(1);
});

test('a throttled call says when to come back', async () => {
  const rule = { operation: 'disks.get', action: { status: 429, code: 'TooManyRequests', retryAfter: 1 } };
  await azure.door.post('/rules', rule);
  const began = performance.now();
  await azure.compute().disks.get(group, 'wire-os');
  expect(performance.now() - began).toBeGreaterThan(900);
  await azure.door.post('/rules', { ...rule, action: { status: 429, retryAfter: 'none' } });
  expect((await failureOf(azure.compute().disks.get(group, 'wire-os'))).statusCode).toBe(429);
});
