/**
 * What must be true of everything in Azure before the first deletion after a commit.
 * Rule (S2): the whole picture is the recorded one, or nothing is deleted: same machine, same disks, same NICs, not run
 * since the final point; and where the machine is gone, only our own mark says that it was we who deleted it.
 * Changes nothing.
 */
import type { Disk, Snapshot, VirtualMachine } from '@azure/arm-compute';
import type { NetworkInterface } from '@azure/arm-network';
import { type Failure, refused } from '../../model/failure.ts';
import type { SourceDisk, SourceNic } from '../../model/machine.ts';
import type { RetireRequest } from '../source.ts';
import { parseId, sameId, sameIds } from './arm-id.ts';
import { nicIds, powerOf, powerSeen, stoppedSince } from './machine.ts';
import { retiringMark, tellsOurDeletion } from './retirement-mark.ts';
import { strangeDisk } from './same-source.ts';

export interface SeenDisk {
  readonly recorded: SourceDisk;
  readonly seen: Disk;
}

export interface SeenNic {
  readonly recorded: SourceNic;
  readonly seen: NetworkInterface;
}

/** What of the request still exists. */
export interface Remains {
  readonly vm: VirtualMachine | undefined;
  readonly nics: readonly SeenNic[];
  readonly disks: readonly SeenDisk[];
  readonly snapshots: readonly Snapshot[];
}

export function assertAsRecorded(request: RetireRequest, { vm, nics, disks }: Remains): void {
  for (const { recorded, seen } of disks) assertSameDisk(recorded, seen);
  for (const { recorded, seen } of nics) assertSameNic(recorded, seen);
  if (vm === undefined) assertWeDeletedIt(request, disks);
  else assertSameMachine(request, vm, disks);
  for (const { recorded, seen } of disks)
    if (seen.managedBy !== undefined && !sameId(seen.managedBy, vm?.id))
      throw unlike(recorded.id, `disk ${recorded.name} is attached to ${parseId(seen.managedBy).name}`);
  for (const { recorded, seen } of nics) {
    const holder = seen.virtualMachine?.id;
    if (holder !== undefined && !sameId(holder, vm?.id))
      throw unlike(recorded.id, `network interface ${seen.name ?? ''} belongs to ${parseId(holder).name}`);
  }
}

function assertSameMachine(request: RetireRequest, vm: VirtualMachine, disks: readonly SeenDisk[]): void {
  const { path } = request;
  const power = powerSeen(vm);
  if (powerOf(power) !== 'stopped')
    throw ranAgain(path, `was observed as ${power}; only a deallocated machine is deleted`);
  if (vm.vmId !== request.identity) throw unlike(path, `${path} was made anew: it is not the machine that came home`);
  const stranger = strangeDisk(vm, request.disks);
  if (stranger !== undefined) throw unlike(path, `disk ${stranger} of ${path} is not in the record of this run`);
  const since = stoppedSince(
    vm,
    disks.map((disk) => disk.seen),
  );
  if (since === undefined || since !== request.final.sourceStoppedSince)
    throw ranAgain(path, 'was started after its final recovery point was taken');
  // A NIC may be set to go with its machine, so a NIC that was added later stops us too.
  const recorded = request.nics.map((nic) => nic.id);
  const nic = nicIds(vm).find((id) => !sameIds(recorded, id));
  if (nic !== undefined) throw unlike(path, `${parseId(nic).name} of ${path} is not in the record`);
}

/** A deleted machine tells nothing any more: its disks may have run in another one, and hold what did not come home. */
function assertWeDeletedIt({ path, run }: RetireRequest, disks: readonly SeenDisk[]): void {
  const unmarked = disks.find(({ seen }) => !tellsOurDeletion(seen, run));
  if (unmarked === undefined) return;
  throw refused({
    op: 'source-changed',
    subject: path,
    message: `${path} is gone and it was not this run that deleted it (disk ${unmarked.recorded.name} does not say so); nothing was deleted`,
    hint: `Its disks may have been written to elsewhere and hold data that did not come home; a retry deletes nothing. Find out who deleted the machine. If you know that the disks hold nothing newer, tag each of them ${retiringMark(run)} in the Azure portal and resolve with retry; to keep them, resolve with skip: the target serves, and what is left in Azure is yours.`,
  });
}

export function assertSameDisk(recorded: SourceDisk, seen: Disk): void {
  if (seen.uniqueId === recorded.identity) return;
  throw unlike(recorded.id, `disk ${recorded.name} was made anew: it is not the disk whose bytes came home`);
}

export function assertSameNic(recorded: SourceNic, seen: NetworkInterface): void {
  if (seen.resourceGuid === recorded.identity) return;
  throw unlike(recorded.id, `network interface ${parseId(recorded.id).name} was made anew: it is not the machine’s`);
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
    hint: 'The source may hold newer data that did not come home. Keep it and save that data; a retry deletes nothing. To keep the source for good, resolve with skip: the target serves, and what is left in Azure is yours.',
  });
