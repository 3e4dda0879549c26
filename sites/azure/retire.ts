/**
 * Deletes the machine from Azure after the commit: VM, then NICs, then disks, then our snapshots.
 * Rule (S2): everything is looked at before anything is deleted, and each thing once more right before it goes; what is not
 * as recorded stops it (retire-guards.ts). A deletion counts only when Azure says 404 afterwards.
 * Never deletes a machine that is not stopped or ran after the final point, disks of a machine that somebody else deleted,
 * a machine, disk or NIC that was made anew, or a snapshot without our tags.
 */
import type { Snapshot } from '@azure/arm-compute';
import { Failure, transient } from '../../model/failure.ts';
import type { SourceDisk, SourceNic } from '../../model/machine.ts';
import type { RemainsRequest, RetireRequest, Work } from '../source.ts';
import { releaseApplicationPoints, remainingApplicationPoints } from './application-point.ts';
import { parseId, parsePath, sameId } from './arm-id.ts';
import { together } from './call.ts';
import type { AzureClients } from './client.ts';
import { goneIsDone, lookUntil, runOperation } from './long-running.ts';
import { findDisk, powerSeen, readNic, readVm } from './machine.ts';
import type { NetworkClients } from './network-client.ts';
import { assertAsRecorded, assertSameDisk, assertSameNic, type Remains } from './retire-guards.ts';
import { markRetiring, tellsOurDeletion, unmarkRetiring } from './retirement-mark.ts';
import { markOf } from './snapshot-mark.ts';
import { deleteSnapshot, hasGrant, listSnapshots, placeOf, readSnapshot, revokeGrant } from './snapshots.ts';

/** What of the request still exists. */
async function lookAtAll(azure: NetworkClients, request: RemainsRequest, work: Work): Promise<Remains> {
  const [vm, nics, disks, all] = await Promise.all([
    readVm(azure, request.path, work),
    together(request.nics.map(async (recorded) => ({ recorded, seen: await readNic(azure, recorded.id, work) }))),
    together(request.disks.map(async (recorded) => ({ recorded, seen: await findDisk(azure, recorded.id, work) }))),
    listSnapshots(azure, parsePath(request.path).resourceGroup, work),
  ]);
  return {
    vm,
    nics: nics.flatMap(({ recorded, seen }) => (seen === undefined ? [] : [{ recorded, seen }])),
    disks: disks.flatMap(({ recorded, seen }) => (seen === undefined ? [] : [{ recorded, seen }])),
    snapshots: all.filter((snapshot) => isOurs(snapshot, request)),
  };
}

/**
 * Ours: tagged for this machine, and either of this run or of a disk that goes now. A final one of another run is what that
 * run keeps for its days (S2), and a disk of the same name that was made anew is another disk.
 */
function isOurs({ creationData, ...snapshot }: Snapshot, request: RemainsRequest): boolean {
  const mark = markOf(snapshot);
  if (mark?.machine !== request.machine) return false;
  if (mark.run === request.run) return true;
  const goes = request.disks.some(
    ({ id, identity }) => sameId(id, creationData?.sourceResourceId) && identity === creationData?.sourceUniqueId,
  );
  return goes && !mark.final;
}

/** Deletes it all; when it returns, all of it is verified to be gone. */
export async function ensureRetired(azure: NetworkClients, request: RetireRequest, work: Work): Promise<void> {
  await ensureMachineRetired(azure, request, work);
  const seen = await lookAtAll(azure, request, work);
  assertAsRecorded(request, seen);
  await together(seen.nics.map(({ recorded }) => deleteNic(azure, recorded, work)));
  await together(seen.disks.map(({ recorded }) => deleteDisk(azure, recorded, work)));
  if (request.applicationPoints) await releaseApplicationPoints(azure, { ...request, before: 'all' }, work);
  const stays = (one: Snapshot): boolean => request.keepFinal === true && isFinalOf(one, request);
  await together(seen.snapshots.map((one) => (stays(one) ? close(azure, one, work) : deleteOurs(azure, one, work))));
}

const isFinalOf = (snapshot: Snapshot, { run }: RetireRequest): boolean => {
  const mark = markOf(snapshot);
  return mark?.run === run && mark.final;
};

/** S11: what stays can be read by nobody who was let in for the copy. */
async function close(azure: AzureClients, snapshot: Snapshot, work: Work): Promise<void> {
  const at = placeOf(snapshot);
  const seen = await readSnapshot(azure, at, work);
  if (seen !== undefined && hasGrant(seen)) await revokeGrant(azure, at, work);
}

/** The machine itself, whose disks are marked first: without it nothing else tells that it was we who deleted it. */
async function ensureMachineRetired(azure: NetworkClients, request: RetireRequest, work: Work): Promise<void> {
  const { path, run } = request;
  const { resourceGroup, vm } = parsePath(path);
  const first = await assertedLook(azure, request, work);
  if (first.vm === undefined) return;
  await together(first.disks.map(({ seen }) => markRetiring(azure, seen, run, work)));
  // S2: marking took a while; what is deleted now is what is seen now.
  if ((await assertedLook(azure, request, work)).vm === undefined) return;
  work.report(`deleting virtual machine ${vm}`);
  try {
    await runOperation(
      { op: 'virtualMachines.delete', subject: path },
      work,
      (call) => azure.compute.virtualMachines.delete(resourceGroup, vm, call),
      goneIsDone,
    );
  } catch (error) {
    if (error instanceof Failure && error.kind === 'Refused') await takeMarksOff(azure, request, work);
    throw error;
  }
  await assertGone(`virtual machine ${vm}`, () => readVm(azure, path, work));
}

/** S2: a deletion that was refused is none of ours any more; whoever deletes the machine later must not look like us. */
async function takeMarksOff(azure: NetworkClients, request: RetireRequest, work: Work): Promise<void> {
  try {
    const { vm, disks } = await lookAtAll(azure, request, work);
    if (vm === undefined || powerSeen(vm) === 'Deleting') return;
    await together(disks.map(({ seen }) => unmarkRetiring(azure, seen, request.run, work)));
  } catch {
    // The refusal is what the operator must hear; a mark that stays is bounded by its moment.
  }
}

/** Looks at everything and refuses what is not as recorded; a mark of ours then comes off a machine that still stands. */
async function assertedLook(azure: NetworkClients, request: RetireRequest, work: Work): Promise<Remains> {
  const { path, run } = request;
  let seen = await lookAtAll(azure, request, work);
  const ours = seen.disks.length > 0 && seen.disks.every((disk) => tellsOurDeletion(disk.seen, run));
  if (ours && seen.vm !== undefined && powerSeen(seen.vm) === 'Deleting') {
    await lookUntil(
      `${path} to be gone`,
      work,
      () => readVm(azure, path, work),
      (vm) => vm === undefined || powerSeen(vm) !== 'Deleting',
    );
    seen = await lookAtAll(azure, request, work);
  }
  try {
    assertAsRecorded(request, seen);
  } catch (error) {
    if (seen.vm !== undefined) await together(seen.disks.map((disk) => unmarkRetiring(azure, disk.seen, run, work)));
    throw error;
  }
  return seen;
}

/** What of the machine, and of ours by tag, still exists. */
export async function observeRemains(azure: NetworkClients, request: RemainsRequest, work: Work): Promise<string[]> {
  const { vm, nics, disks, snapshots } = await lookAtAll(azure, request, work);
  const points = request.applicationPoints ? await remainingApplicationPoints(azure, request, work) : [];
  return [
    ...(vm === undefined ? [] : [`virtual machine ${parsePath(request.path).vm}`]),
    ...nics.map(({ recorded, seen }) => {
      const name = `network interface ${seen.name ?? ''}`;
      return seen.resourceGuid === recorded.identity ? name : `${name} (made anew, not ours)`;
    }),
    ...disks.map(({ recorded, seen }) =>
      seen.uniqueId === recorded.identity ? `disk ${recorded.name}` : `disk ${recorded.name} (made anew, not ours)`,
    ),
    ...snapshots.map((snapshot) => `snapshot ${snapshot.name ?? ''}`),
    ...points,
  ];
}

async function deleteNic(azure: NetworkClients, recorded: SourceNic, work: Work): Promise<void> {
  const { resourceGroup, name } = parseId(recorded.id);
  // S2: looked at once more, as the disks are: one of the same name may have been made meanwhile.
  const seen = await readNic(azure, recorded.id, work);
  if (seen === undefined) return;
  assertSameNic(recorded, seen);
  await runOperation(
    { op: 'networkInterfaces.delete', subject: name },
    work,
    (call) => azure.network.networkInterfaces.delete(resourceGroup, name, call),
    goneIsDone,
  );
  await assertGone(`network interface ${name}`, () => readNic(azure, recorded.id, work));
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

async function deleteOurs(azure: AzureClients, listed: Snapshot, work: Work): Promise<void> {
  const at = placeOf(listed);
  if (!(await deleteSnapshot(azure, listed, work))) return;
  await assertGone(`snapshot ${at.name}`, async () => {
    const seen = await readSnapshot(azure, at, work);
    return seen?.uniqueId === listed.uniqueId ? seen : undefined;
  });
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
