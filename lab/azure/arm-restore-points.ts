/**
 * The routes of VM restore points, which lie three resources deep: collection, restore point, disk restore point.
 * Rule: a point's moment is while its creation runs, not when it was accepted; it is there from its acceptance on.
 */
import { type ArmParts, beginAccess, type Entries, endAccess, ok, read, sameName, startVerb } from './arm-entry.ts';
import type { Answer } from './operations.ts';
import { badRequest, notFound, Refusal } from './refusal.ts';
import type { DiskRestorePoint } from './resources.ts';
import { RestorePointShapes } from './restore-point-shapes.ts';

interface Place {
  readonly group: string;
  readonly collection: string;
  readonly point: string;
  readonly disk: string;
}

type Level = 'restorePointCollections' | 'restorePoints' | 'diskRestorePoint';
const levels: Readonly<Record<Level, { action: string; entries: (parts: ArmParts, place: Place) => Entries }>> = {
  restorePointCollections: { action: 'restorePointCollections', entries: collectionEntries },
  restorePoints: { action: 'restorePointCollections/restorePoints', entries: pointEntries },
  diskRestorePoint: { action: 'restorePointCollections/restorePoints/diskRestorePoints', entries: diskEntries },
};

const pattern =
  /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/restorePointCollections(?:\/([^/]+)(?:\/restorePoints\/([^/]+)(?:\/diskRestorePoints\/([^/]+)(?:\/(beginGetAccess|endGetAccess))?)?)?)?$/i;

/** The names of the operations there are. */
export const restorePointOperations = (parts: ArmParts): string[] =>
  Object.entries(levels).flatMap(([level, { entries }]) =>
    Object.values(entries(parts, { group: '', collection: '', point: '', disk: '' })).map(
      ({ name }) => `${level}.${name}`,
    ),
  );

/** The route of a path that belongs to restore points; undefined: it does not. */
export function restorePointRoute(parts: ArmParts, method: string, path: string) {
  const found = pattern.exec(path);
  if (!found) return undefined;
  const [group = '', collection = '', point = '', disk = ''] = found
    .slice(1, 5)
    .map((part) => decodeURIComponent(part ?? ''));
  const verb = found[5]?.toLowerCase() ?? (collection === '' ? 'list' : method.toLowerCase());
  const level: Level = disk !== '' ? 'diskRestorePoint' : point !== '' ? 'restorePoints' : 'restorePointCollections';
  const { action, entries } = levels[level];
  const entry = entries(parts, { group, collection, point, disk })[verb];
  if (!entry) return undefined;
  return {
    operation: `${level}.${entry.name}`,
    action: `Microsoft.Compute/${action}/${entry.right}`,
    resource: collection === '' ? group : path,
    act: entry.act,
  };
}

function collectionEntries(parts: ArmParts, { group, collection: name }: Place): Entries {
  const { world } = parts;
  const shapes = new RestorePointShapes(world, parts.shapes);
  const all = world.restorePoints;
  return {
    list: read('list', async () => {
      const own = [...all.collections.values()].filter((one) => sameName(one.resourceGroup, group));
      return ok({ value: own.map((one) => shapes.collection(one, false)) });
    }),
    get: read('get', async ({ url }) =>
      ok(shapes.collection(all.collection(group, name), url.searchParams.get('$expand') === 'restorePoints')),
    ),
    put: {
      name: 'createOrUpdate',
      right: 'write',
      act: async ({ body }) => {
        if (body.location === undefined)
          throw new Refusal(400, 'LocationRequired', 'The location property is required for this definition.');
        const { source } = (body.properties ?? {}) as { source?: { id?: string } };
        const sourceId = source?.id ?? '';
        const vm = /\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/virtualMachines\/([^/]+)$/i.exec(
          sourceId,
        );
        if (!vm) throw badRequest(`The value '${sourceId}' of parameter 'source.id' is invalid.`);
        const machine = world.machine(vm[1] ?? '', vm[2] ?? '');
        const tags = (body.tags ?? {}) as Record<string, string>;
        const wanted = { name, resourceGroup: group, source: machine, sourceId, tags };
        return ok(shapes.collection(all.putCollection(wanted), false));
      },
    },
    delete: {
      name: 'delete',
      right: 'delete',
      act: async ({ fault }) => {
        const found = gone(() => all.collection(group, name));
        if (!found) return { status: 204 };
        all.assertDeletable(found.points.values());
        const resource = shapes.collectionId(group, name);
        const verb = { form: 'location', effect: 'restorePointCollections.delete', resource, fault } as const;
        return startVerb(parts, verb, () => all.deleteCollection(found));
      },
    },
  };
}

function pointEntries(parts: ArmParts, { group, collection, point: name }: Place): Entries {
  const { world } = parts;
  const shapes = new RestorePointShapes(world, parts.shapes);
  const all = world.restorePoints;
  const inside = () => all.collection(group, collection);
  const point = () => all.point(group, collection, name);
  const resource = shapes.pointId(group, collection, name);
  return {
    get: read('get', async () => ok(shapes.point(inside(), point()))),
    put: {
      name: 'create',
      right: 'write',
      act: async ({ body, fault }): Promise<Answer> => {
        const existing = gone(point);
        // "Updating properties of an existing restore point is not allowed": the same wish is answered with what is there.
        if (existing) return ok(shapes.point(inside(), existing));
        const { source, resourceGroup } = inside();
        world.machine(resourceGroup, source.name);
        const { consistencyMode } = (body.properties ?? {}) as { consistencyMode?: string };
        const made = all.accept(inside(), name, consistencyMode);
        const failed = (): void => {
          made.state = 'Failed';
        };
        const first = shapes.point(inside(), made);
        return startVerb(parts, { form: 'both', effect: 'restorePoints.create', resource, fault, first, failed }, () =>
          all.take(source, made),
        );
      },
    },
    delete: {
      name: 'delete',
      right: 'delete',
      act: async ({ fault }) => {
        const found = gone(point);
        if (!found) return { status: 204 };
        all.assertDeletable([found]);
        return startVerb(parts, { form: 'location', effect: 'restorePoints.delete', resource, fault }, () =>
          all.deletePoint(inside(), found),
        );
      },
    },
  };
}

function diskEntries(parts: ArmParts, { group, collection, point: pointName, disk: name }: Place): Entries {
  const { world } = parts;
  const shapes = new RestorePointShapes(world, parts.shapes);
  const point = () => world.restorePoints.point(group, collection, pointName);
  const id = shapes.diskId(group, collection, pointName, name);
  const disk = (): DiskRestorePoint => {
    const found = point().disks.find((one) => sameName(one.name, name));
    if (!found) throw notFound(`Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints/${name}`);
    return found;
  };
  return {
    get: read('get', async () => ok(shapes.disk(world.restorePoints.collection(group, collection), point(), disk()))),
    begingetaccess: beginAccess(parts, 'diskRestorePoint', id, (access) => {
      const { uniqueId, disk: of } = disk();
      if (access !== 'Read') throw badRequest(`Disk restore point ${name} can be read only.`);
      return { on: `diskRestorePoint/${uniqueId}`, family: of.uniqueId, name, access };
    }),
    endgetaccess: endAccess(parts, 'diskRestorePoint', id, () => ({ on: `diskRestorePoint/${disk().uniqueId}` })),
  };
}

/** What is there, or undefined when it is not; any other refusal stays one. */
function gone<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined;
    throw error;
  }
}
