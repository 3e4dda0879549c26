/**
 * Making managed disks: empty ones, copies of a snapshot or of a disk, and ones to be filled by upload.
 * Rule: the same PUT twice is one disk; another origin under the same name is a conflict.
 * Never takes bytes from anywhere but a resource of this subscription.
 */
import { randomUUID } from 'node:crypto';
import { badRequest, conflict } from './refusal.ts';
import type { Disk, DiskOrigin } from './resources.ts';
import { completionPercent } from './snapshot-taking.ts';
import type { TrackedDisk } from './tracked-disk.ts';
import type { World } from './world.ts';

const gibibyte = 1024 ** 3;
const footerBytes = 512;
const leastUploadBytes = 20 * 1024 ** 2 + footerBytes;
const mostUploadBytes = 32 * 1024 ** 4 + footerBytes;
const pieceBytes = 4 * 1024 ** 2;

interface DiskBody {
  readonly location?: string;
  readonly tags?: Record<string, string>;
  readonly sku?: { readonly name?: string };
  readonly properties?: {
    readonly osType?: string;
    readonly hyperVGeneration?: string;
    readonly diskSizeGB?: number;
    readonly creationData?: {
      readonly createOption?: string;
      readonly sourceResourceId?: string;
      readonly uploadSizeBytes?: number;
      readonly logicalSectorSize?: number;
    };
  };
}

/** Where the first bytes come from, and how many there are. */
interface Origin extends DiskOrigin {
  readonly sizeBytes: number;
  fill(data: TrackedDisk): Promise<void>;
}

const sizeOf = (diskSizeGB: number | undefined, least: number): number => Math.max(least, (diskSizeGB ?? 0) * gibibyte);

async function copyRanges(
  from: readonly { readonly from: number; readonly to: number }[],
  read: (offset: number, length: number) => Promise<Buffer>,
  to: TrackedDisk,
): Promise<void> {
  for (const range of from)
    for (let at = range.from; at < range.to; at += pieceBytes)
      await to.write(at, await read(at, Math.min(pieceBytes, range.to - at)));
}

function copyOrigin(world: World, sourceId: string, diskSizeGB: number | undefined): Origin {
  const origin = { createOption: 'Copy', sourceResourceId: sourceId };
  const found = /\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/(disks|snapshots)\/([^/]+)$/i.exec(sourceId);
  if (!found) throw badRequest(`The value '${sourceId}' of parameter 'sourceResourceId' is invalid.`);
  const [, group = '', type = '', name = ''] = found;
  const snapshot = type.toLowerCase() === 'snapshots' ? world.snapshot(group, name) : undefined;
  if (snapshot && completionPercent(snapshot) < 100)
    throw conflict(`The background copy of snapshot ${name} is not complete; wait for completionPercent 100.`);
  const source = snapshot?.source ?? world.disk(group, name);
  const { data } = source;
  const id = snapshot?.uniqueId ?? randomUUID();
  return {
    ...origin,
    sizeBytes: sizeOf(diskSizeGB, snapshot ? data.snapshotSize(id) : data.sizeBytes),
    async fill(target) {
      if (!snapshot) await data.snapshot(id);
      const mapped = data.mappedRanges(id, 0, data.snapshotSize(id));
      await copyRanges(mapped, (offset, length) => data.readSnapshot(id, offset, length), target);
      if (!snapshot) await data.deleteSnapshot(id);
    },
  };
}

function originOf(world: World, { properties }: DiskBody): Origin {
  const { createOption, sourceResourceId, uploadSizeBytes } = properties?.creationData ?? {};
  const empty = async (): Promise<void> => undefined;
  switch (createOption) {
    case 'Empty':
      if (!properties?.diskSizeGB) throw badRequest("Required parameter 'disk.diskSizeGB' is missing (null).");
      return { createOption, sizeBytes: properties.diskSizeGB * gibibyte, fill: empty };
    case 'Copy':
      return copyOrigin(world, sourceResourceId ?? '', properties?.diskSizeGB);
    case 'Upload': {
      const bytes = uploadSizeBytes ?? 0;
      if (bytes % 512 !== 0 || bytes < leastUploadBytes || bytes > mostUploadBytes)
        throw badRequest(`uploadSizeBytes must be a multiple of 512 from ${leastUploadBytes} to ${mostUploadBytes}.`);
      return { createOption, uploadSizeBytes: bytes, sizeBytes: bytes - footerBytes, fill: empty };
    }
    default:
      throw badRequest(`The lab makes disks with createOption Empty, Copy or Upload, not '${createOption}'.`);
  }
}

/** The disk that exists under this name, if the PUT asks for that very disk; its tags follow the PUT. */
function sameDisk(existing: Disk, body: DiskBody): Disk {
  const wanted = body.properties?.creationData;
  const { createOption, sourceResourceId } = existing.origin;
  if (
    wanted !== undefined &&
    (wanted.createOption !== createOption || wanted.sourceResourceId?.toLowerCase() !== sourceResourceId?.toLowerCase())
  )
    throw conflict(
      `Changing property 'creationData' of disk ${existing.name} is not allowed.`,
      'PropertyChangeNotAllowed',
    );
  existing.tags = body.tags ?? existing.tags;
  return existing;
}

/** Answers the disk and what fills it; `fill` is undefined when the disk was there already. */
export async function planDisk(
  world: World,
  resourceGroup: string,
  name: string,
  body: DiskBody,
): Promise<{ disk: Disk; fill: (() => Promise<void>) | undefined }> {
  if (body.location === undefined)
    throw badRequest('The location property is required for this definition.', 'LocationRequired');
  const existing = world.findDisk(resourceGroup, name);
  if (existing && existing.state !== 'Failed') return { disk: sameDisk(existing, body), fill: undefined };
  const { fill, sizeBytes, ...origin } = originOf(world, body);
  const disk: Disk = {
    name,
    resourceGroup,
    uniqueId: randomUUID(),
    sku: body.sku?.name ?? 'Standard_LRS',
    sectorBytes: body.properties?.creationData?.logicalSectorSize ?? 512,
    hyperVGeneration: body.properties?.hyperVGeneration,
    osType: body.properties?.osType,
    timeCreated: new Date().toISOString(),
    managedBy: undefined,
    origin,
    data: await world.newData(name, sizeBytes),
    tags: body.tags ?? {},
    snapshotTimes: [],
    state: 'Creating',
    ownershipChangedAt: undefined,
    upload: origin.createOption === 'Upload' ? { footer: Buffer.alloc(footerBytes), writes: 0 } : undefined,
  };
  // Between the look and here another PUT of the same name may have come first.
  const first = world.findDisk(resourceGroup, name);
  if (first && first.state !== 'Failed') return { disk: sameDisk(first, body), fill: undefined };
  world.putDisk(disk);
  return { disk, fill: () => fill(disk.data) };
}
