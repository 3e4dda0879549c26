/**
 * Somebody attaches a new, empty data disk to a machine in the portal, or takes one off again and deletes it.
 * Rule: nothing else of the machine changes, and its guest, which knows nothing of the disk, goes on.
 */
import { randomUUID } from 'node:crypto';
import { conflict } from './refusal.ts';
import type { Machine } from './resources.ts';
import type { World } from './world.ts';

/** Answers the name of the disk, which hangs on the next free LUN. */
export async function attachNewDisk(world: World, machine: Machine, sizeBytes: number): Promise<{ name: string }> {
  const lun = Math.max(-1, ...machine.dataDisks.map((data) => data.lun)) + 1;
  const name = `${machine.name}-added-${lun}`;
  const now = new Date().toISOString();
  world.putDisk({
    ...{ name, resourceGroup: machine.resourceGroup, uniqueId: randomUUID(), sku: 'Premium_LRS', sectorBytes: 512 },
    ...{ hyperVGeneration: undefined, osType: undefined, timeCreated: now, managedBy: machine.name, upload: undefined },
    ...{ origin: { createOption: 'Empty' }, tags: {}, snapshotTimes: [], state: 'Succeeded', ownershipChangedAt: now },
    data: await world.newData(name, sizeBytes),
  });
  machine.dataDisks = [...machine.dataDisks, { lun, disk: name }];
  return { name };
}

export async function detachAndDelete(world: World, machine: Machine, name: string): Promise<object> {
  if (!machine.dataDisks.some((data) => data.disk === name))
    throw conflict(`${machine.name} has no data disk ${name}.`);
  machine.dataDisks = machine.dataDisks.filter((data) => data.disk !== name);
  const disk = world.disk(machine.resourceGroup, name);
  world.deleteDisk(disk);
  await disk.data.close();
  return {};
}

/** The machine goes, and all its disks with it. */
export async function deleteWithDisks(world: World, machine: Machine): Promise<object> {
  const disks = world.disksOf(machine);
  await world.deleteMachine(machine);
  for (const disk of disks) {
    world.assertDiskDeletable(disk);
    world.deleteDisk(disk);
  }
  return { deleted: [machine.name, ...disks.map(({ name }) => name)] };
}
