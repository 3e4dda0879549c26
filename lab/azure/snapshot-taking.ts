/**
 * Taking an incremental snapshot: the documented limits, and one snapshot for any number of equal requests.
 * Rule: the snapshot's moment is the moment its PUT was accepted, after the write in flight.
 * Never takes a second one for a repeated PUT, be it late or at the same time.
 */
import { randomUUID } from 'node:crypto';
import { conflict, Refusal } from './refusal.ts';
import { type Disk, key, type Snapshot, type WantedSnapshot } from './resources.ts';
import type { Settings } from './world-file.ts';

const fiveMinutesMs = 300_000;
const mostSnapshots = 500;
/** Documented for Premium SSD v2 and Ultra disks. */
const mostPendingCopies = 3;

/** How much of the snapshot's background copy is done; only Premium SSD v2 and Ultra disks have one. */
export function completionPercent({ copy: { startedAt, takesMs } }: Snapshot): number {
  return takesMs === 0 ? 100 : Math.min(100, Math.floor(((Date.now() - startedAt) * 100) / takesMs));
}

export class SnapshotTaking {
  private readonly snapshots: Map<string, Snapshot>;
  private readonly settings: Settings;
  private readonly remove: (failed: Snapshot) => Promise<void>;
  private readonly taking = new Map<string, Promise<unknown>>();

  constructor(snapshots: Map<string, Snapshot>, settings: Settings, remove: (failed: Snapshot) => Promise<void>) {
    this.snapshots = snapshots;
    this.settings = settings;
    this.remove = remove;
  }

  /** Creates the snapshot, or finds it when it is the same; another source under this name is a conflict. */
  async create(wanted: WantedSnapshot): Promise<Snapshot> {
    const at = key(wanted.resourceGroup, wanted.name);
    await this.taking.get(at);
    const existing = this.snapshots.get(at);
    if (existing && existing.source !== wanted.source)
      throw conflict(
        `Changing property 'sourceResourceId' of snapshot ${wanted.name} is not allowed.`,
        'PropertyChangeNotAllowed',
      );
    if (existing && existing.state !== 'Failed') return existing;
    const taking = this.take(wanted, existing);
    this.taking.set(
      at,
      taking.catch(() => undefined),
    );
    return await taking.finally(() => this.taking.delete(at));
  }

  private async take(wanted: WantedSnapshot, failed: Snapshot | undefined): Promise<Snapshot> {
    const { source, name, resourceGroup } = wanted;
    this.assertAllowed(source);
    source.snapshotTimes.push(Date.now());
    if (failed) await this.remove(failed);
    const uniqueId = randomUUID();
    await source.data.snapshot(uniqueId);
    const now = new Date();
    const takesMs = /^(PremiumV2|UltraSSD)/.test(source.sku) ? this.settings.copyMs : 0;
    const snapshot: Snapshot = {
      ...{ name, resourceGroup, uniqueId, source, sourceId: wanted.sourceId, tags: wanted.tags },
      timeCreated: now.toISOString(),
      sku: 'Standard_ZRS',
      copy: { startedAt: now.getTime(), takesMs },
      state: 'Updating',
    };
    this.snapshots.set(key(resourceGroup, name), snapshot);
    return snapshot;
  }

  private assertAllowed(source: Disk): void {
    const now = Date.now();
    const most = this.settings.snapshotsPer5Min;
    source.snapshotTimes = source.snapshotTimes.filter((time) => now - time < fiveMinutesMs);
    if (source.upload) throw conflict(`Disk ${source.name} is being filled by upload; end the access first.`);
    if (source.snapshotTimes.length >= most)
      throw new Refusal(429, 'TooManyRequests', `Disk ${source.name}: at most ${most} snapshots in five minutes.`, {
        'Retry-After': String(Math.ceil((fiveMinutesMs - (now - (source.snapshotTimes[0] ?? now))) / 1000)),
      });
    const family = [...this.snapshots.values()].filter((one) => one.source === source);
    if (family.length >= mostSnapshots)
      throw conflict(`Disk ${source.name} has ${mostSnapshots} incremental snapshots already; delete some.`);
    if (family.filter((one) => completionPercent(one) < 100).length >= mostPendingCopies)
      throw conflict(`Disk ${source.name} has ${mostPendingCopies} snapshots whose copy is pending; wait for one.`);
  }
}
