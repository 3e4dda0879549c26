/**
 * VM restore points and their collections: all disks of a machine at one moment, with the guest's applications held still.
 * Rule: the documented limits hold (Microsoft Learn, "Overview of Virtual Machine restore points" and its support matrix):
 * three creations an hour for each machine and kind, 500 at a time, one creation at a time, no shared disks, and of the
 * modes only CrashConsistent may be asked for; without one the service reaches what the guest's agent can.
 * Never answers a comparison with a snapshot: whether the service does is not documented.
 */
import { randomUUID } from 'node:crypto';
import type { Guest } from '../guest/guest.ts';
import { badRequest, conflict, notFound, Refusal } from './refusal.ts';
import type { RestorePointCollection } from './resources.ts';
import { type Disk, type DiskRestorePoint, key, type Machine, type RestorePoint } from './resources.ts';
import type { Settings } from './world-file.ts';

const hourMs = 3_600_000;
const mostOfAMachine = 500;

/** What it needs to know of the world around. */
export interface Surroundings {
  readonly settings: Settings;
  disksOf(machine: Machine): Disk[];
  isGranted(on: string): boolean;
}

export class RestorePoints {
  readonly collections = new Map<string, RestorePointCollection>();
  private readonly around: Surroundings;
  /** Times of creations, by machine and kind. */
  private readonly times = new Map<string, number[]>();

  constructor(around: Surroundings) {
    this.around = around;
  }

  collection(resourceGroup: string, name: string): RestorePointCollection {
    const found = this.collections.get(key(resourceGroup, name));
    if (!found) throw notFound(`Microsoft.Compute/restorePointCollections/${name}`);
    return found;
  }

  point(resourceGroup: string, collection: string, name: string): RestorePoint {
    const found = this.collection(resourceGroup, collection).points.get(name.toLowerCase());
    if (!found) throw notFound(`Microsoft.Compute/restorePointCollections/${collection}/restorePoints/${name}`);
    return found;
  }

  /** Only tags may change afterwards. */
  putCollection(wanted: Omit<RestorePointCollection, 'collectionId' | 'points'>): RestorePointCollection {
    const { resourceGroup, name, source, tags } = wanted;
    const existing = this.collections.get(key(resourceGroup, name));
    if (existing && existing.source !== source)
      throw conflict(`Changing property 'source.id' of ${name} is not allowed.`, 'PropertyChangeNotAllowed');
    if (existing) return Object.assign(existing, { tags });
    const made: RestorePointCollection = { ...wanted, collectionId: randomUUID(), points: new Map() };
    this.collections.set(key(resourceGroup, name), made);
    return made;
  }

  /** The creation was accepted; `take` does it. */
  accept(collection: RestorePointCollection, name: string, mode: string | undefined): RestorePoint {
    const { source, points } = collection;
    if (mode !== undefined && mode !== 'CrashConsistent')
      throw badRequest(
        `The value '${mode}' of parameter 'consistencyMode' is invalid; only CrashConsistent is accepted.`,
      );
    const all = this.ofMachine(source);
    if (all.some((one) => one.state === 'Creating'))
      throw conflict(`A restore point of VM ${source.name} is being created already.`, 'AnotherOperationInProgress');
    if (all.length >= mostOfAMachine)
      throw conflict(`VM ${source.name} has ${mostOfAMachine} restore points already; delete some.`);
    this.countCreation(source, mode ?? 'application');
    const made: RestorePoint = {
      ...{ name, timeCreated: undefined, consistencyMode: mode, disks: [], state: 'Creating', newestRecord: undefined },
    };
    points.set(name.toLowerCase(), made);
    return made;
  }

  private ofMachine(machine: Machine): RestorePoint[] {
    const own = [...this.collections.values()].filter(({ source }) => source === machine);
    return own.flatMap(({ points }) => [...points.values()]);
  }

  private countCreation({ vmId }: Machine, kind: string): void {
    const now = Date.now();
    const most = this.around.settings.restorePointsPerHour;
    const before = (this.times.get(`${vmId} ${kind}`) ?? []).filter((time) => now - time < hourMs);
    if (before.length >= most)
      throw new Refusal(429, 'TooManyRequests', `At most ${most} restore points of a VM are created in an hour.`, {
        'Retry-After': String(Math.ceil((hourMs - (now - (before[0] ?? now))) / 1000)),
      });
    this.times.set(`${vmId} ${kind}`, [...before, now]);
  }

  /** This very moment of all disks. A machine that does not run has nobody to hold still. */
  async take(machine: Machine, point: RestorePoint): Promise<void> {
    const crash = point.consistencyMode !== undefined;
    const disks = this.around.disksOf(machine).map((disk, index): DiskRestorePoint => {
      const lun = index === 0 ? undefined : machine.dataDisks[index - 1]?.lun;
      return { name: `${disk.name}_${randomUUID()}`, uniqueId: randomUUID(), disk, lun };
    });
    const guest = crash ? undefined : machine.guest;
    const images = () => Promise.all(disks.map(({ disk, uniqueId }) => disk.data.snapshot(uniqueId)));
    const moment = async (): Promise<void> => {
      await images();
      point.newestRecord = machine.guest?.newest();
    };
    await heldStill(guest, moment);
    const { guestConsistency } = this.around.settings;
    const reached = machine.resting === 'running' && !crash ? guestConsistency : 'CrashConsistent';
    Object.assign(point, {
      disks,
      timeCreated: new Date().toISOString(),
      consistencyMode: reached,
      state: 'Succeeded',
    });
  }

  assertDeletable(points: Iterable<RestorePoint>): void {
    for (const { name, disks, state } of points) {
      if (state === 'Creating') throw conflict(`Restore point ${name} is being created.`, 'AnotherOperationInProgress');
      if (disks.some(({ uniqueId }) => this.around.isGranted(`diskRestorePoint/${uniqueId}`)))
        throw conflict(
          `There is an active shared access signature session for disk restore points of ${name}.`,
          'DiskRestorePointUsedByCustomer',
        );
    }
  }

  async deletePoint(collection: RestorePointCollection, point: RestorePoint): Promise<void> {
    this.assertDeletable([point]);
    if (!collection.points.delete(point.name.toLowerCase())) return;
    await Promise.all(point.disks.map(({ disk, uniqueId }) => disk.data.deleteSnapshot(uniqueId)));
  }

  /** With all that is in it. */
  async deleteCollection(collection: RestorePointCollection): Promise<void> {
    this.assertDeletable(collection.points.values());
    for (const point of [...collection.points.values()]) await this.deletePoint(collection, point);
    this.collections.delete(key(collection.resourceGroup, collection.name));
  }

  /** Every disk restore point there is. */
  *disks(): Generator<DiskRestorePoint> {
    for (const { points } of this.collections.values()) for (const { disks } of points.values()) yield* disks;
  }
}

const heldStill = (guest: Guest | undefined, act: () => Promise<void>): Promise<void> =>
  guest ? guest.quiesced(act) : act();
