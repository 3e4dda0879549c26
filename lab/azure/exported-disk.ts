/**
 * What a grant opens: the bytes of a snapshot or a disk as the blob service shows them, with the VHD footer behind them.
 * Rule: the footer of an export is computed, that of an upload is what was uploaded; offsets are half-open.
 */
import type { Grant } from './grants.ts';
import type { Range } from './intervals.ts';
import { Refusal } from './refusal.ts';
import type { Disk, Snapshot } from './resources.ts';
import { vhdFooter } from './vhd-footer.ts';
import type { World } from './world.ts';

export const footerBytes = 512;

export interface ExportedDisk {
  /** Without the footer. */
  readonly sizeBytes: number;
  readonly etag: string;
  readonly access: Grant['access'];
  readonly snapshot: Snapshot | undefined;
  readonly disk: Disk;
  readonly footer: Buffer;
  /** Inside of [0, sizeBytes). */
  readData(offset: number, length: number): Promise<Buffer>;
  mapped(from: number, to: number): Range[];
}

const gone = (): Refusal => new Refusal(404, 'BlobNotFound', 'The specified blob does not exist.');
const etagOf = (uniqueId: string, writes: number): string =>
  `"0x${(BigInt(`0x${uniqueId.replaceAll('-', '').slice(0, 15)}`) + BigInt(writes)).toString(16).toUpperCase()}"`;
const footerOf = (sizeBytes: number, uniqueId: string): Buffer =>
  vhdFooter(sizeBytes, Buffer.from(uniqueId.replaceAll('-', ''), 'hex'));

/** The disk at an earlier moment. `snapshot`: undefined for a disk restore point. */
function openMoment(
  uniqueId: string,
  source: Disk,
  access: Grant['access'],
  snapshot: Snapshot | undefined,
): ExportedDisk {
  const { data } = source;
  const sizeBytes = data.snapshotSize(uniqueId);
  return {
    ...{ sizeBytes, access, snapshot, disk: source, etag: etagOf(uniqueId, 0), footer: footerOf(sizeBytes, uniqueId) },
    readData: (offset, length) => data.readSnapshot(uniqueId, offset, length),
    mapped: (from, to) => data.mappedRanges(uniqueId, from, to),
  };
}

export function openExported(world: World, grant: Grant): ExportedDisk {
  const [kind = '', uniqueId = ''] = grant.on.split('/');
  const snapshot = [...world.snapshots.values()].find((one) => one.uniqueId === uniqueId);
  if (kind === 'snapshot' && snapshot) return openMoment(uniqueId, snapshot.source, grant.access, snapshot);
  const point =
    kind === 'diskRestorePoint' && [...world.restorePoints.disks()].find((one) => one.uniqueId === uniqueId);
  if (point) return openMoment(uniqueId, point.disk, grant.access, undefined);
  const disk = [...world.disks.values()].find((one) => one.uniqueId === uniqueId);
  if (kind !== 'disk' || !disk) throw gone();
  const { data, upload } = disk;
  return {
    ...{ sizeBytes: data.sizeBytes, access: grant.access, snapshot: undefined, disk },
    etag: etagOf(uniqueId, upload?.writes ?? 0),
    footer: upload?.footer ?? footerOf(data.sizeBytes, uniqueId),
    readData: (offset, length) => data.read(offset, length),
    mapped: (from, to) => data.mappedNow(from, to),
  };
}

/** Any part of [0, sizeBytes + footer). */
export async function readExported(disk: ExportedDisk, from: number, to: number): Promise<Buffer> {
  const { sizeBytes, footer } = disk;
  if (to <= sizeBytes) return await disk.readData(from, to - from);
  const data = from < sizeBytes ? await disk.readData(from, sizeBytes - from) : Buffer.alloc(0);
  return Buffer.concat([data, footer.subarray(Math.max(0, from - sizeBytes), to - sizeBytes)]);
}
