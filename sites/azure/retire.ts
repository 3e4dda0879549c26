/**
 * Deletes the machine from Azure after the commit: VM, then NICs, then disks, then our snapshots.
 * Rule (S2): everything is looked at before anything is deleted; what is not in the request, or is not what the request
 * recorded, stops it. A deletion counts only when Azure says 404 afterwards.
 * Never deletes a machine that is not stopped or ran after the final point, a machine or disk that was made anew, or a
 * snapshot without our tags.
 */
import type { Disk, Snapshot, VirtualMachine } from '@azure/arm-compute';
import type { NetworkInterface } from '@azure/arm-network';
import { type Failure, refused, transient } from '../../model/failure.ts';
import type { SourceDisk } from '../../model/machine.ts';
import type { RemainsRequest, RetireRequest, Work } from '../source.ts';
import { parseId, parsePath, sameId, sameIds } from './arm-id.ts';
import { look, together } from './call.ts';
import type { AzureClients } from './client.ts';
import { goneIsDone, runOperation } from './long-running.ts';
import { nicIds, powerOf, powerSeen, readVm, stoppedSince } from './machine.ts';
import { strangeDisk } from './same-source.ts';
import { markOf } from './snapshot-mark.ts';
import { deleteSnapshot, hasGrant, listSnapshots, placeOf, readSnapshot } from './snapshots.ts';

interface Remains {
  readonly vm: VirtualMachine | undefined;
  readonly nics: readonly NetworkInterface[];
  readonly disks: readonly { readonly recorded: SourceDisk; readonly seen: Disk }[];
  readonly snapshots: readonly Snapshot[];
}

/** What of the request still exists. */
async function lookAtAll(azure: AzureClients, request: RemainsRequest, work: Work): Promise<Remains> {
  const [vm, nics, disks, all] = await Promise.all([
    readVm(azure, request.path, work),
    together(request.nics.map((id) => readNic(azure, id, work))),
    together(request.disks.map(async (recorded) => ({ recorded, seen: await findDisk(azure, recorded.id, work) }))),
    listSnapshots(azure, parsePath(request.path).resourceGroup, work),
  ]);
  return {
    vm,
    nics: nics.filter((nic) => nic !== undefined),
    disks: disks.flatMap(({ recorded, seen }) => (seen === undefined ? [] : [{ recorded, seen }])),
    snapshots: all.filter((snapshot) => isOurs(snapshot, request)),
  };
}

/** Ours: tagged for this machine, and either of this run or of a disk that goes now. */
function isOurs(snapshot: Snapshot, request: RemainsRequest): boolean {
  const mark = markOf(snapshot);
  if (mark?.machine !== request.machine) return false;
  const ids = request.disks.map((disk) => disk.id);
  return mark.run === request.run || sameIds(ids, snapshot.creationData?.sourceResourceId);
}

/** Deletes it all; answers what is verified to be gone. */
export async function ensureRetired(azure: AzureClients, request: RetireRequest, work: Work): Promise<string[]> {
  const seen = await lookAtAll(azure, request, work);
  assertAsRecorded(request, seen);
  const { resourceGroup, vm } = parsePath(request.path);
  if (seen.vm !== undefined) {
    work.report(`deleting virtual machine ${vm}`);
    await runOperation(
      { op: 'virtualMachines.delete', subject: request.path },
      work,
      (call) => azure.compute.virtualMachines.delete(resourceGroup, vm, call),
      goneIsDone,
    );
    await assertGone(`virtual machine ${vm}`, () => readVm(azure, request.path, work));
  }
  await together(seen.nics.map((nic) => deleteNic(azure, nic.id ?? '', work)));
  await together(seen.disks.map(({ recorded }) => deleteDisk(azure, recorded, work)));
  const snapshots = await together(seen.snapshots.map((snapshot) => deleteOurs(azure, snapshot, work)));
  return [
    `virtual machine ${vm}`,
    ...request.nics.map((id) => `network interface ${parseId(id).name}`),
    ...request.disks.map((disk) => `disk ${disk.name}`),
    ...snapshots,
  ];
}

/** What of the machine, and of ours by tag, still exists. */
export async function observeRemains(azure: AzureClients, request: RemainsRequest, work: Work): Promise<string[]> {
  const { vm, nics, disks, snapshots } = await lookAtAll(azure, request, work);
  return [
    ...(vm === undefined ? [] : [`virtual machine ${parsePath(request.path).vm}`]),
    ...nics.map((nic) => `network interface ${nic.name ?? ''}`),
    ...disks.map(({ recorded, seen }) =>
      seen.uniqueId === recorded.identity ? `disk ${recorded.name}` : `disk ${recorded.name} (made anew, not ours)`,
    ),
    ...snapshots.map((snapshot) => `snapshot ${snapshot.name ?? ''}`),
  ];
}

/** The whole picture must be the recorded one before the first deletion. */
function assertAsRecorded(request: RetireRequest, { vm, nics, disks }: Remains): void {
  for (const { recorded, seen } of disks) assertSameDisk(recorded, seen);
  if (vm !== undefined) {
    const power = powerSeen(vm);
    if (powerOf(power) !== 'stopped')
      throw ranAgain(request.path, `was observed as ${power}; only a deallocated machine is deleted`);
    if (vm.vmId !== request.identity)
      throw unlike(request.path, `${request.path} was made anew: it is not the machine that came home`);
    const stranger = strangeDisk(vm, request.disks);
    if (stranger !== undefined)
      throw unlike(request.path, `disk ${stranger} of ${request.path} is not in the record of this run`);
    // Once the machine is deleted its disks count as let go anew, so only a machine that is there is asked.
    const { sourceStoppedSince } = request.final;
    const since = stoppedSince(
      vm,
      disks.map((disk) => disk.seen),
    );
    if (since === undefined || since !== sourceStoppedSince)
      throw ranAgain(request.path, 'was started after its final recovery point was taken');
    // A NIC may be set to go with its machine, so a NIC that was added later stops us too.
    const nic = nicIds(vm).find((id) => !sameIds(request.nics, id));
    if (nic !== undefined) throw unlike(request.path, `${parseId(nic).name} of ${request.path} is not in the record`);
  }
  for (const { recorded, seen } of disks)
    if (seen.managedBy !== undefined && !sameId(seen.managedBy, vm?.id))
      throw unlike(recorded.id, `disk ${recorded.name} is attached to ${parseId(seen.managedBy).name}`);
  for (const nic of nics) {
    const holder = nic.virtualMachine?.id;
    if (holder !== undefined && !sameId(holder, vm?.id))
      throw unlike(nic.id ?? '', `network interface ${nic.name ?? ''} belongs to ${parseId(holder).name}`);
  }
}

function assertSameDisk(recorded: SourceDisk, seen: Disk): void {
  if (seen.uniqueId === recorded.identity) return;
  throw unlike(recorded.id, `disk ${recorded.name} was made anew: it is not the disk whose bytes came home`);
}

const readNic = (azure: AzureClients, id: string, work: Work): Promise<NetworkInterface | undefined> => {
  const { resourceGroup, name } = parseId(id);
  return look({ op: 'networkInterfaces.get', subject: name }, work, (call) =>
    azure.network.networkInterfaces.get(resourceGroup, name, call),
  );
};

const findDisk = (azure: AzureClients, id: string, work: Work): Promise<Disk | undefined> => {
  const { resourceGroup, name } = parseId(id);
  return look({ op: 'disks.get', subject: name }, work, (call) => azure.compute.disks.get(resourceGroup, name, call));
};

async function deleteNic(azure: AzureClients, id: string, work: Work): Promise<void> {
  const { resourceGroup, name } = parseId(id);
  await runOperation(
    { op: 'networkInterfaces.delete', subject: name },
    work,
    (call) => azure.network.networkInterfaces.delete(resourceGroup, name, call),
    goneIsDone,
  );
  await assertGone(`network interface ${name}`, () => readNic(azure, id, work));
}

async function deleteDisk(azure: AzureClients, recorded: SourceDisk, work: Work): Promise<void> {
  const { resourceGroup, name } = parseId(recorded.id);
  // S2: looked at once more, because minutes may lie between the first look and now.
  const seen = await findDisk(azure, recorded.id, work);
  if (seen === undefined) return;
  assertSameDisk(recorded, seen);
  work.report(`deleting disk ${name}`);
  await runOperation(
    { op: 'disks.delete', subject: name },
    work,
    (call) => azure.compute.disks.delete(resourceGroup, name, call),
    goneIsDone,
  );
  await assertGone(`disk ${name}`, () => findDisk(azure, recorded.id, work));
}

async function deleteOurs(azure: AzureClients, snapshot: Snapshot, work: Work): Promise<string> {
  const at = placeOf(snapshot);
  await deleteSnapshot(azure, at, hasGrant(snapshot), work);
  await assertGone(`snapshot ${at.name}`, () => readSnapshot(azure, at, work));
  return `snapshot ${at.name}`;
}

async function assertGone(what: string, see: () => Promise<unknown>): Promise<void> {
  if ((await see()) === undefined) return;
  throw transient({
    op: 'retire the source',
    subject: what,
    message: `${what} still exists after its deletion was reported done`,
    hint: 'Azure is slow, or something makes it anew: Homeward looks again.',
  });
}

const unlike = (subject: string, message: string): Failure =>
  refused({
    op: 'retire the source',
    subject,
    message: `${message}; nothing more was deleted`,
    hint: 'What differs did not come home: do not delete it. Detach or move it in the Azure portal so that it is kept, then resolve with retry.',
  });

const ranAgain = (path: string, seen: string): Failure =>
  refused({
    op: 'source-changed',
    subject: path,
    message: `${path} ${seen}; nothing was deleted`,
    hint: 'The source may hold newer data that did not come home. Keep it and save that data; a retry deletes nothing. To keep the source for good, terminate this run in Temporal: the target serves.',
  });
