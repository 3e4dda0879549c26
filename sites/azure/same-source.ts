/**
 * Whether the source is still the machine a run began with, and whether it ran again after it was stopped.
 * Rule: what differs is Refused with op `source-changed`, because what is there now did not come home: a retry that looked
 * away would lose it. What Azure does not tell counts as different.
 */
import type { Disk, VirtualMachine } from '@azure/arm-compute';
import { type Failure, refused, sourceGone, transient } from '../../model/failure.ts';
import type { SourceDisk } from '../../model/machine.ts';
import type { PointRequest, Work } from '../source.ts';
import { sameIds } from './arm-id.ts';
import { together } from './call.ts';
import type { AzureClients } from './client.ts';
import { findElsewhere } from './elsewhere.ts';
import { diskPlaces, powerOf, powerSeen, readDisk, readVm, stoppedSince, unlessDeleted } from './machine.ts';

export interface SourceLook {
  /** Since when it is stopped; only for a final point. */
  readonly since?: string;
  /** Whether it serves; absent for a final point, and while it is between two states. */
  readonly serves?: boolean;
}

/** Looks at the machine before a recovery point: the same one, with the same disks, and for a final point stopped. */
export async function lookAtSource(azure: AzureClients, request: PointRequest, work: Work): Promise<SourceLook> {
  const { path, final, disks } = request;
  const vm = await readVm(azure, path, work);
  if (vm === undefined) throw await movedOrDeleted(azure, request, work);
  assertSameMachine(request, vm);
  const serves = servesNow(powerSeen(vm));
  if (!final) return serves === undefined ? {} : { serves };
  const power = powerSeen(vm);
  if (powerOf(power) !== 'stopped') throw notStopped(path, power);
  const seen = await onSource(azure, request, work, () =>
    together(disks.map((disk) => readDisk(azure, disk.id, work))),
  );
  const since = stoppedSince(vm, seen);
  if (since === undefined) throw untold(path, seen);
  return { since };
}

/** What is done with the disks of a machine that was there; where it was deleted with them meanwhile, that is told. */
export async function onSource<T>(
  azure: AzureClients,
  request: PointRequest,
  work: Work,
  act: () => Promise<T[]>,
): Promise<T[]> {
  const done = await unlessDeleted(azure, request.path, work, act);
  if (done === undefined) throw await movedOrDeleted(azure, request, work);
  return done;
}

/** A guest that is off serves nobody, whatever the machine still holds. Undefined while it is between two states. */
function servesNow(power: string): boolean | undefined {
  if (power === 'PowerState/running') return true;
  return power === 'PowerState/stopped' || powerOf(power) === 'stopped' ? false : undefined;
}

/** The attached disks must be the recorded ones: one that was added or swapped would stay behind. */
function assertSameMachine({ path, identity, disks }: PointRequest, vm: VirtualMachine): void {
  if (vm.vmId !== identity)
    throw sourceChanged(path, `${path} is another machine than the one this run began with`, leaveAndStart);
  const stranger = strangeDisk(vm, disks);
  if (stranger !== undefined)
    throw sourceChanged(
      path,
      `disk ${stranger} of ${path} was attached or swapped after this run began`,
      `Detach it in Azure and resolve with retry, and the machine comes home without it. To take it along: ${startAgain}`,
    );
  const attached = diskPlaces(vm).flatMap(({ id }) => (id === undefined ? [] : [id]));
  const gone = disks.find((disk) => !sameIds(attached, disk.id));
  if (gone !== undefined)
    throw sourceChanged(
      path,
      `disk ${gone.disk} (${gone.name}) is not attached to ${path} any more`,
      `Attach it again in Azure and resolve with retry. To do without it: ${leaveAndStart}`,
    );
}

/** A machine that is not where it was. */
async function movedOrDeleted(azure: AzureClients, { path, identity }: PointRequest, work: Work): Promise<Failure> {
  const moved = await findElsewhere(azure, ({ vmId }) => vmId !== undefined && vmId === identity, work);
  if (moved !== undefined)
    return sourceChanged(
      path,
      `${path} was moved in Azure and is now ${moved}`,
      `Move it back and resolve with retry. Or write its new resource group into the inventory: ${startAgain}`,
    );
  return refused({
    op: sourceGone,
    subject: path,
    message: `${path} does not exist in Azure any more`,
    hint: 'This run’s recovery points may be the last copy of its disks, as they were when each was taken; neither a retry nor a cancel deletes them while the machine is not there. Look in the Azure portal whether its disks still exist, and make the machine anew from them or from the snapshots tagged homeward-machine. Then cancel, leave out with skip what the cancel would delete, and start again; delete the snapshots by hand once the new machine is well.',
  });
}

/** The first attached disk that is not in the record, by its key. */
export function strangeDisk(vm: VirtualMachine, recorded: readonly SourceDisk[]): string | undefined {
  const ids = recorded.map((disk) => disk.id);
  return diskPlaces(vm).find((place) => !sameIds(ids, place.id))?.disk;
}

const startAgain = 'cancel and start again, so that all disks are brought home as they are now.';
/** Where the way back finds no source to go back to (activities/source-there.ts). */
const leaveAndStart =
  'cancel, leave out with skip what the cancel would delete, and start again; delete that by hand once nobody needs it.';

const sourceChanged = (path: string, message: string, hint: string): Failure =>
  refused({ op: 'source-changed', subject: path, message, hint: hint.charAt(0).toUpperCase() + hint.slice(1) });

/** For a final point that is older than the last run of the machine. */
export const startedSince = (path: string): Failure =>
  refused({
    op: 'source-changed',
    subject: path,
    message: `${path} was started after its final recovery point was taken`,
    hint: 'The source has newer data; a plain retry loses data. Undo (cancel), then start a new failback.',
  });

const notStopped = (path: string, seen: string): Failure =>
  refused({
    op: 'make the final recovery point',
    subject: path,
    message: `${path} was observed as ${seen}; a final recovery point needs it deallocated`,
    hint: 'Someone started the machine again: stop it in Azure, or cancel the failback.',
  });

function untold(path: string, disks: readonly Disk[]): Failure {
  const late = disks.find((disk) => disk.diskState === 'Attached');
  if (late !== undefined)
    return transient({
      op: 'make the final recovery point',
      subject: path,
      message: `${path} is deallocated, but Azure still shows ${late.name ?? 'a disk'} as attached to a running machine`,
      hint: 'Azure is still letting go of the disks: Homeward looks again.',
    });
  return refused({
    op: 'make the final recovery point',
    subject: path,
    message: `Azure does not tell when ${path} was last started or deallocated`,
    hint: 'Without it nobody can see whether it ran after its final point: look at the disks (lastOwnershipUpdateTime) in the Azure portal, then retry.',
  });
}
