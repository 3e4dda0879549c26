/**
 * Incremental snapshots: creation from a disk, tags, grants, deletion.
 * Rule: the snapshot's moment is the moment the PUT was accepted; the same PUT twice is one snapshot.
 */
import { type ArmParts, beginAccess, type Entries, endAccess, ok, read, sameName, startVerb } from './arm-entry.ts';
import { badRequest, conflict, Refusal } from './refusal.ts';
import type { Disk } from './resources.ts';
import { completionPercent } from './snapshot-taking.ts';
import type { World } from './world.ts';

export function snapshotsEntries(parts: ArmParts, group: string, name: string): Entries {
  const { world, shapes } = parts;
  const id = shapes.id(group, 'Microsoft.Compute/snapshots', name);
  const snapshot = () => world.snapshot(group, name);
  return {
    list: read('listByResourceGroup', async () =>
      ok({
        value: [...world.snapshots.values()]
          .filter((one) => sameName(one.resourceGroup, group))
          .map((one) => shapes.snapshot(one)),
      }),
    ),
    get: read('get', async () => ok(shapes.snapshot(snapshot()))),
    put: {
      name: 'createOrUpdate',
      right: 'write',
      act: async ({ body, fault }) => {
        const { source, sourceId } = sourceOf(world, body);
        const tags = (body.tags ?? {}) as Record<string, string>;
        const created = await world.createSnapshot(group, name, source, sourceId, tags);
        if (created.state === 'Succeeded') return ok(shapes.snapshot(created));
        const finish = async () => {
          created.state = 'Succeeded';
        };
        const failed = () => {
          created.state = 'Failed';
        };
        const effect = 'snapshots.createOrUpdate';
        return startVerb(
          parts,
          { form: 'both', effect, resource: id, fault, first: shapes.snapshot(created), failed },
          finish,
        );
      },
    },
    patch: {
      name: 'update',
      right: 'write',
      act: async ({ body }) => {
        const found = snapshot();
        found.tags = (body.tags ?? found.tags) as Record<string, string>;
        return ok(shapes.snapshot(found));
      },
    },
    delete: {
      name: 'delete',
      right: 'delete',
      act: async ({ fault }) => {
        const found = [...world.snapshots.values()].find(
          (one) => sameName(one.name, name) && sameName(one.resourceGroup, group),
        );
        if (!found) return { status: 204 };
        world.assertNoGrant(`Snapshot ${name}`, `snapshot/${found.uniqueId}`);
        return startVerb(parts, { form: 'location', effect: 'snapshots.delete', resource: id, fault }, () =>
          world.deleteSnapshot(found),
        );
      },
    },
    begingetaccess: beginAccess(parts, 'snapshots', id, (access) => {
      const found = snapshot();
      if (access !== 'Read') throw badRequest(`Snapshot ${name} can be read only.`);
      if (found.state !== 'Succeeded')
        throw new Refusal(409, 'OperationNotAllowed', `Snapshot ${name} is still being created.`);
      if (completionPercent(found) < 100)
        throw conflict(`The background copy of snapshot ${name} is not complete; wait for completionPercent 100.`);
      if (found.source.sectorBytes === 4096)
        throw badRequest(
          `Snapshot ${name} has sectors of 4096 bytes; it is exported as VHDX, which the lab does not make.`,
        );
      return { on: `snapshot/${found.uniqueId}`, family: found.source.uniqueId, name, access };
    }),
    endgetaccess: endAccess(parts, 'snapshots', id, () => ({ on: `snapshot/${snapshot().uniqueId}` })),
  };
}

function sourceOf(world: World, body: Record<string, unknown>): { source: Disk; sourceId: string } {
  const { creationData, incremental } = (body.properties ?? {}) as {
    creationData?: { createOption?: string; sourceResourceId?: string };
    incremental?: boolean;
  };
  if (body.location === undefined)
    throw new Refusal(400, 'LocationRequired', 'The location property is required for this definition.');
  if (creationData?.createOption !== 'Copy' || incremental !== true)
    throw new Refusal(400, 'InvalidParameter', 'The lab makes incremental snapshots with createOption Copy only.');
  const sourceId = creationData.sourceResourceId ?? '';
  const found = /\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/disks\/([^/]+)$/i.exec(sourceId);
  if (!found)
    throw new Refusal(400, 'InvalidParameter', `The value '${sourceId}' of parameter 'sourceResourceId' is invalid.`);
  return { source: world.disk(found[1] ?? '', found[2] ?? ''), sourceId };
}
