/**
 * Managed disks: creation, looking, grants, upload, deletion.
 * Rule: no grant on a disk of a running VM; no deletion while attached or granted; a bad VHD footer shows at the end of
 * the upload.
 */
import { type ArmParts, beginAccess, type Entries, endAccess, ok, read, sameName, startVerb } from './arm-entry.ts';
import { planDisk } from './new-disk.ts';
import { badRequest, conflict } from './refusal.ts';
import type { Disk } from './resources.ts';
import type { World } from './world.ts';

const fixedDisk = 2;

export function disksEntries(parts: ArmParts, group: string, name: string): Entries {
  const { world, shapes } = parts;
  const id = shapes.id(group, 'Microsoft.Compute/disks', name);
  const disk = () => world.disk(group, name);
  return {
    list: read('list', async () =>
      ok({
        value: [...world.disks.values()]
          .filter((one) => sameName(one.resourceGroup, group))
          .map((one) => shapes.disk(one)),
      }),
    ),
    get: read('get', async () => ok(shapes.disk(disk()))),
    put: {
      name: 'createOrUpdate',
      right: 'write',
      act: async ({ body, fault }) => {
        const { disk: made, fill } = await planDisk(world, group, name, body);
        if (!fill) return ok(shapes.disk(made));
        const run = async () => {
          await fill();
          made.state = 'Succeeded';
        };
        const failed = () => {
          made.state = 'Failed';
        };
        const effect = 'disks.createOrUpdate';
        return startVerb(parts, { form: 'body', effect, resource: id, fault, first: shapes.disk(made), failed }, run);
      },
    },
    patch: {
      name: 'update',
      right: 'write',
      act: async ({ body }) => {
        const found = disk();
        found.tags = (body.tags ?? found.tags) as Record<string, string>;
        return ok(shapes.disk(found));
      },
    },
    delete: {
      name: 'delete',
      right: 'delete',
      act: async ({ fault }) => {
        const found = [...world.disks.values()].find(
          (one) => sameName(one.name, name) && sameName(one.resourceGroup, group),
        );
        if (!found) return { status: 204 };
        world.assertDiskDeletable(found);
        return startVerb(parts, { form: 'both', effect: 'disks.delete', resource: id, fault }, async () =>
          world.deleteDisk(found),
        );
      },
    },
    begingetaccess: beginAccess(parts, 'disks', id, (access) => {
      const found = disk();
      assertGrantable(world, found, access);
      return { on: `disk/${found.uniqueId}`, family: found.uniqueId, name, access };
    }),
    endgetaccess: endAccess(parts, 'disks', id, () => {
      const found = disk();
      const { upload, uniqueId, data } = found;
      const finished = upload !== undefined && upload.writes > 0 && world.diskState(found) === 'ActiveUpload';
      if (finished) assertFooter(upload.footer, data.sizeBytes);
      const closed = () => {
        // Closed for good: an upload is possible only while the disk is being created.
        if (finished) found.upload = undefined;
      };
      return { on: `disk/${uniqueId}`, closed };
    }),
  };
}

function assertGrantable(world: World, disk: Disk, access: 'Read' | 'Write'): void {
  const holder = world.holder(disk);
  if (holder && holder.power !== 'deallocated')
    throw conflict(
      `Access not permitted because disk ${disk.name} is currently attached to running VM ${holder.name}.`,
    );
  if (disk.state !== 'Succeeded') throw conflict(`Disk ${disk.name} is still being created.`);
  if (access === 'Write' && !disk.upload)
    throw conflict(`Upload is possible only into a disk that was created for it; disk ${disk.name} was not.`);
  if (access === 'Read' && disk.upload)
    throw conflict(`Disk ${disk.name} is to be filled by upload; it cannot be read before that is done.`);
}

/** What the service checks when an upload is ended. */
function assertFooter(footer: Buffer, sizeBytes: number): void {
  const cookie = footer.toString('latin1', 0, 8);
  if (cookie !== 'conectix')
    throw badRequest(
      `The VHD footer is invalid: expected cookie value 'conectix', found '${printable(cookie)}'.`,
      'InvalidVhd',
    );
  if (footer.readUInt32BE(60) !== fixedDisk || footer.readBigUInt64BE(48) !== BigInt(sizeBytes))
    throw badRequest(`The VHD footer is invalid: it must tell of a fixed disk of ${sizeBytes} bytes.`, 'InvalidVhd');
  const bare = Buffer.from(footer);
  bare.writeUInt32BE(0, 64);
  if (~bare.reduce((sum, byte) => sum + byte, 0) >>> 0 !== footer.readUInt32BE(64))
    throw badRequest('The VHD footer is invalid: its checksum is wrong.', 'InvalidVhd');
}

const printable = (text: string): string => text.replaceAll(/[^ -~]/g, '.');
