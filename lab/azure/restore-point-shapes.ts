/**
 * VM restore points and their collections as ARM shows them: properties nested, as the official SDK reads them.
 */
import type { DiskRestorePoint, RestorePoint, RestorePointCollection } from './resources.ts';
import type { Shapes } from './shapes.ts';
import type { World } from './world.ts';

const collections = 'Microsoft.Compute/restorePointCollections';

export class RestorePointShapes {
  private readonly world: World;
  private readonly shapes: Shapes;

  constructor(world: World, shapes: Shapes) {
    this.world = world;
    this.shapes = shapes;
  }

  collectionId = (group: string, name: string): string => this.shapes.id(group, collections, name);
  pointId = (group: string, collection: string, name: string): string =>
    `${this.collectionId(group, collection)}/restorePoints/${name}`;
  diskId = (group: string, collection: string, point: string, name: string): string =>
    `${this.pointId(group, collection, point)}/diskRestorePoints/${name}`;

  /** `points`: with all that is in it, which is only shown when asked for. */
  collection(one: RestorePointCollection, points: boolean) {
    const { location } = this.world.file;
    return {
      id: this.collectionId(one.resourceGroup, one.name),
      ...{ name: one.name, type: collections, location, tags: one.tags },
      properties: {
        source: { id: one.sourceId, location },
        provisioningState: 'Succeeded',
        restorePointCollectionId: one.collectionId,
        ...(points ? { restorePoints: [...one.points.values()].map((point) => this.point(one, point)) } : {}),
      },
    };
  }

  point(collection: RestorePointCollection, point: RestorePoint) {
    const { resourceGroup, name, source } = collection;
    const shown = (each: DiskRestorePoint) => ({
      name: each.disk.name,
      caching: 'None',
      diskSizeGB: Math.ceil(each.disk.data.sizeBytes / 1024 ** 3),
      managedDisk: { id: this.shapes.id(each.disk.resourceGroup, 'Microsoft.Compute/disks', each.disk.name) },
      diskRestorePoint: { id: this.diskId(resourceGroup, name, point.name, each.name) },
    });
    const os = point.disks.find(({ lun }) => lun === undefined);
    const data = point.disks.filter(({ lun }) => lun !== undefined);
    return {
      id: this.pointId(resourceGroup, name, point.name),
      name: point.name,
      type: `${collections}/restorePoints`,
      properties: {
        provisioningState: point.state,
        ...(point.consistencyMode === undefined ? {} : { consistencyMode: point.consistencyMode }),
        ...(point.timeCreated === undefined ? {} : { timeCreated: point.timeCreated }),
        ...(os === undefined
          ? {}
          : {
              sourceMetadata: {
                vmId: source.vmId,
                hardwareProfile: { vmSize: source.vmSize },
                storageProfile: {
                  osDisk: { osType: os.disk.osType, ...shown(os) },
                  dataDisks: data.map((each) => ({ lun: each.lun, ...shown(each) })),
                },
              },
            }),
      },
    };
  }

  /** Of one disk. The service tells no size in bytes and no state of its grants here. */
  disk({ resourceGroup, name }: RestorePointCollection, point: RestorePoint, { disk, name: own }: DiskRestorePoint) {
    return {
      id: this.diskId(resourceGroup, name, point.name, own),
      name: own,
      properties: {
        timeCreated: point.timeCreated,
        sourceResourceId: this.shapes.id(disk.resourceGroup, 'Microsoft.Compute/disks', disk.name),
        sourceUniqueId: disk.uniqueId,
        familyId: disk.uniqueId,
        ...(disk.osType ? { osType: disk.osType, hyperVGeneration: disk.hyperVGeneration } : {}),
        logicalSectorSize: disk.sectorBytes,
        networkAccessPolicy: 'AllowAll',
        publicNetworkAccess: 'Enabled',
      },
    };
  }
}
