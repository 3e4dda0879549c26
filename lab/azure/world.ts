/**
 * The subscription as it is now: machines, disks, snapshots, network interfaces, grants; and the rules that tie them.
 * Rule: every change of state goes through here; routes only translate between the wire and these verbs.
 */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Grants } from './grants.ts';
import { type BootGuest, MachinePower } from './machine-power.ts';
import { conflict, notFound, Refusal } from './refusal.ts';
import { type Disk, type EncryptionSet, key, type Machine, type Nic, type Snapshot } from './resources.ts';
import { RestorePoints } from './restore-points.ts';
import { SnapshotTaking } from './snapshot-taking.ts';
import { TrackedDisk } from './tracked-disk.ts';
import type { Settings, WorldDisk, WorldFile, WorldMachine } from './world-file.ts';

export class World {
  readonly file: WorldFile;
  readonly settings: Settings;
  readonly machines = new Map<string, Machine>();
  readonly disks = new Map<string, Disk>();
  readonly snapshots = new Map<string, Snapshot>();
  readonly nics = new Map<string, Nic>();
  readonly encryptionSets = new Map<string, EncryptionSet>();
  readonly grants: Grants;
  readonly power: MachinePower;
  readonly restorePoints: RestorePoints;
  readonly folder: string;
  private readonly taking: SnapshotTaking;

  private constructor(file: WorldFile, folder: string, bootGuest: BootGuest) {
    this.file = file;
    this.settings = file.settings;
    this.folder = folder;
    this.power = new MachinePower(bootGuest);
    this.taking = new SnapshotTaking(this.snapshots, this.settings, (failed) => this.deleteSnapshot(failed));
    this.grants = new Grants(this.settings);
    this.restorePoints = new RestorePoints({
      settings: this.settings,
      disksOf: (machine) => this.disksOf(machine),
      isGranted: (on) => this.grants.liveOn(on) !== undefined,
    });
  }

  static async open(file: WorldFile, folder: string, bootGuest: BootGuest): Promise<World> {
    const world = new World(file, folder, bootGuest);
    await mkdir(join(folder, 'disks'), { recursive: true });
    for (const one of file.vms) await world.addMachine(one);
    return world;
  }

  private async addMachine(one: WorldMachine): Promise<void> {
    const { resourceGroup, name } = one;
    for (const disk of [one.osDisk, ...one.dataDisks]) await this.addDisk(one, disk, disk === one.osDisk);
    for (const nic of one.nics)
      this.nics.set(key(resourceGroup, nic.name), {
        name: nic.name,
        resourceGroup,
        resourceGuid: randomUUID(),
        mac: nic.mac,
        privateIp: nic.privateIp,
        subnet: nic.subnet,
      });
    const machine: Machine = {
      name,
      resourceGroup,
      vmSize: one.vmSize,
      vmId: randomUUID(),
      osType: one.osType,
      osName: one.osName,
      osVersion: one.osVersion,
      tags: one.tags,
      osDisk: one.osDisk.name,
      dataDisks: one.dataDisks.map((disk, index) => ({ lun: disk.lun ?? index, disk: disk.name })),
      nics: one.nics.map((nic) => nic.name),
      guestSettings: one.guest,
      power: 'deallocated',
      resting: 'deallocated',
      guest: undefined,
      deleting: false,
      toolsStart: 'Disabled',
      toolsLocked: false,
      runCommands: new Map(),
      goWithIt: new Set([
        ...[one.osDisk, ...one.dataDisks].flatMap((disk) =>
          disk.deleteOption === 'Delete' ? [`disks/${disk.name}`] : [],
        ),
        ...one.nics.flatMap((nic) => (nic.deleteOption === 'Delete' ? [`nics/${nic.name}`] : [])),
      ]),
    };
    this.machines.set(key(resourceGroup, name), machine);
    if (one.power === 'running') await this.powerOn(machine);
  }

  private async addDisk(machine: WorldMachine, disk: WorldDisk, system: boolean): Promise<void> {
    const path = disk.file ?? join(this.folder, 'disks', `${disk.name}.raw`);
    const data = await TrackedDisk.adopt(disk.name, path, disk.sizeBytes, join(this.folder, 'disks'));
    this.disks.set(key(machine.resourceGroup, disk.name), {
      name: disk.name,
      resourceGroup: machine.resourceGroup,
      uniqueId: randomUUID(),
      sku: disk.sku,
      sectorBytes: disk.sectorBytes,
      hyperVGeneration: disk.hyperVGeneration ?? (system ? 'V2' : undefined),
      osType: system ? machine.osType : undefined,
      timeCreated: new Date().toISOString(),
      managedBy: machine.name,
      origin: { createOption: 'Empty' },
      data,
      tags: {},
      snapshotTimes: [],
      state: 'Succeeded',
      ownershipChangedAt: new Date().toISOString(),
      upload: undefined,
    });
  }

  /** Room for a new disk's bytes, in a file of its own. */
  newData(name: string, sizeBytes: number): Promise<TrackedDisk> {
    const folder = join(this.folder, 'disks');
    return TrackedDisk.create(name, join(folder, `${randomUUID()}.raw`), sizeBytes, folder);
  }

  putDisk(disk: Disk): void {
    this.disks.set(key(disk.resourceGroup, disk.name), disk);
  }

  findDisk(resourceGroup: string, name: string): Disk | undefined {
    return this.disks.get(key(resourceGroup, name));
  }

  machine(resourceGroup: string, name: string): Machine {
    const found = this.machines.get(key(resourceGroup, name));
    if (!found) throw notFound(`Microsoft.Compute/virtualMachines/${name}' under resource group '${resourceGroup}`);
    return found;
  }

  disk(resourceGroup: string, name: string): Disk {
    const found = this.disks.get(key(resourceGroup, name));
    if (!found) throw notFound(`Microsoft.Compute/disks/${name}`);
    return found;
  }

  snapshot(resourceGroup: string, name: string): Snapshot {
    const found = this.snapshots.get(key(resourceGroup, name));
    if (!found) throw notFound(`Microsoft.Compute/snapshots/${name}`);
    return found;
  }

  holder(disk: Disk): Machine | undefined {
    return disk.managedBy === undefined ? undefined : this.machines.get(key(disk.resourceGroup, disk.managedBy));
  }

  /** The group a machine's disk lies in, which may be another than the machine's. */
  groupOfDisk(machine: Machine, name: string): string {
    const lies = (disk: Disk): boolean => disk.name === name && disk.managedBy === machine.name;
    if (this.disks.has(key(machine.resourceGroup, name))) return machine.resourceGroup;
    return [...this.disks.values()].find(lies)?.resourceGroup ?? machine.resourceGroup;
  }

  disksOf(machine: Machine): Disk[] {
    return [machine.osDisk, ...machine.dataDisks.map((data) => data.disk)].map((name) =>
      this.disk(machine.resourceGroup, name),
    );
  }

  /** `diskState` as Azure words it. */
  diskState(disk: Disk): string {
    const granted = this.grants.liveOn(`disk/${disk.uniqueId}`) !== undefined;
    if (disk.upload) return granted ? 'ActiveUpload' : 'ReadyToUpload';
    if (granted) return 'ActiveSAS';
    const holder = this.holder(disk);
    if (!holder) return 'Unattached';
    return holder.resting === 'deallocated' ? 'Reserved' : 'Attached';
  }

  /** Whether the agent in the guest has not yet reported since the boot. */
  agentIsLate(machine: Machine): boolean {
    const bootedAt = Date.parse(
      this.disk(this.groupOfDisk(machine, machine.osDisk), machine.osDisk).ownershipChangedAt ?? '',
    );
    return Date.now() < bootedAt + this.settings.agentAfterMs;
  }

  assertStartable(machine: Machine): void {
    const busy = this.disksOf(machine).find((disk) => this.diskState(disk) === 'ActiveSAS');
    if (busy)
      throw conflict(`Disk ${busy.name} has an active shared access signature; revoke it before starting the VM.`);
  }

  powerOn(machine: Machine): Promise<void> {
    return this.power.on(
      machine,
      () => {
        this.assertStartable(machine);
        return this.disksOf(machine).map((disk) => disk.data);
      },
      () => this.changeOwnership(machine),
    );
  }

  powerOff(machine: Machine, to: 'stopped' | 'deallocated'): Promise<void> {
    return this.power.off(machine, to, () => this.changeOwnership(machine));
  }

  private changeOwnership(machine: Machine): void {
    const now = new Date().toISOString();
    for (const disk of this.disksOf(machine)) disk.ownershipChangedAt = now;
  }

  /** Creates the snapshot, or finds it when it is the same; see snapshot-taking.ts. */
  createSnapshot(
    resourceGroup: string,
    name: string,
    source: Disk,
    sourceId: string,
    tags: Record<string, string>,
  ): Promise<Snapshot> {
    return this.taking.create({ resourceGroup, name, source, sourceId, tags });
  }

  assertNoGrant(what: string, of: string): void {
    if (this.grants.liveOn(of))
      throw conflict(`${what} has an active shared access signature; call EndGetAccess first.`, 'ActiveSasExists');
  }

  async deleteSnapshot(snapshot: Snapshot): Promise<void> {
    this.assertNoGrant(`Snapshot ${snapshot.name}`, `snapshot/${snapshot.uniqueId}`);
    if (!this.snapshots.delete(key(snapshot.resourceGroup, snapshot.name))) return;
    await snapshot.source.data.deleteSnapshot(snapshot.uniqueId);
  }

  assertDiskDeletable(disk: Disk): void {
    const holder = this.holder(disk);
    if (holder) throw conflict(`Disk ${disk.name} is attached to VM ${holder.name}.`);
    this.assertNoGrant(`Disk ${disk.name}`, `disk/${disk.uniqueId}`);
  }

  deleteDisk(disk: Disk): void {
    this.disks.delete(key(disk.resourceGroup, disk.name));
  }

  async deleteMachine(machine: Machine): Promise<void> {
    await this.powerOff(machine, 'deallocated');
    this.changeOwnership(machine);
    this.machines.delete(key(machine.resourceGroup, machine.name));
    for (const gone of machine.goWithIt) {
      const [kind, name = ''] = gone.split('/');
      (kind === 'disks' ? this.disks : this.nics).delete(key(machine.resourceGroup, name));
    }
  }

  /** The machine that uses it. */
  userOf(nic: Nic): Machine | undefined {
    return [...this.machines.values()].find(
      (one) => one.resourceGroup === nic.resourceGroup && one.nics.includes(nic.name),
    );
  }

  assertNicDeletable(nic: Nic): void {
    const holder = this.userOf(nic);
    if (holder)
      throw new Refusal(
        400,
        'NicInUse',
        `Network Interface ${nic.name} is used by existing resource virtualMachines/${holder.name}.`,
      );
  }

  deleteNic(nic: Nic): void {
    this.nics.delete(key(nic.resourceGroup, nic.name));
  }

  async close(): Promise<void> {
    for (const machine of this.machines.values()) await machine.guest?.stop();
    await Promise.all([...this.disks.values()].map((disk) => disk.data.close()));
  }
}
