/**
 * Stops and starts the machine in Azure.
 * Rule: look, decide, act, look again; what is returned was observed after the act (S1).
 * Never takes an accepted call for a stopped machine, and never touches another machine that stands under its name.
 */
import type { VirtualMachine } from '@azure/arm-compute';
import { type Failure, refused, sourceGone, transient } from '../../model/failure.ts';
import type { SourceState } from '../../model/machine.ts';
import type { PowerRequest, SourceStart, Work } from '../source.ts';
import { parsePath } from './arm-id.ts';
import type { AzureClients } from './client.ts';
import { goneIsDone, lookUntil, runOperation } from './long-running.ts';
import { observeState, powerOf, powerSeen, readVm } from './machine.ts';

/** Deallocates the machine and answers what was observed afterwards. */
export async function ensureStopped(azure: AzureClients, request: PowerRequest, work: Work): Promise<SourceState> {
  const { path } = request;
  const before = powerSeen(await present(azure, request, work));
  if (powerOf(before) !== 'stopped') {
    // A deallocation that is on its way is waited for. Any other change is overtaken: Azure queues or refuses with
    // a conflict, which Temporal tries again.
    if (before !== 'PowerState/deallocating') await deallocate(azure, path, work);
    await settled(azure, request, work);
  }
  const machine = await observedSame(azure, request, work);
  if (machine.power !== 'stopped') throw notSo('stop', machine);
  return machine;
}

/**
 * Starts the machine and answers what was observed afterwards. S5: also a machine that is seen running is sent the start.
 * A stop that Azure has accepted shows late, and what is sent after it is what brings the machine back from it; on a
 * machine that goes on running it changes nothing.
 */
export async function ensureStarted(azure: AzureClients, request: SourceStart, work: Work): Promise<SourceState> {
  await atRest(azure, request, work);
  await start(azure, request, work);
  await settled(azure, request, work);
  const machine = await observedSame(azure, request, work);
  if (machine.powerSeen !== 'PowerState/running') throw notSo('start', machine);
  return machine;
}

async function deallocate(azure: AzureClients, path: string, work: Work): Promise<void> {
  const { resourceGroup, vm } = parsePath(path);
  await runOperation(
    { op: 'virtualMachines.deallocate', subject: path },
    work,
    (call) => azure.compute.virtualMachines.deallocate(resourceGroup, vm, call),
    goneIsDone,
  );
}

async function start(azure: AzureClients, { path, otherSideOff }: SourceStart, work: Work): Promise<void> {
  const { resourceGroup, vm } = parsePath(path);
  await runOperation(
    { op: 'virtualMachines.start', subject: path },
    { ...work, lastLook: otherSideOff },
    (call) => azure.compute.virtualMachines.start(resourceGroup, vm, call),
    goneIsDone,
  );
}

async function observedSame(azure: AzureClients, request: PowerRequest, work: Work): Promise<SourceState> {
  const seen = await observeState(azure, request.path, work);
  if (seen.power !== 'absent') assertSameIdentity(request, seen.identity);
  return seen;
}

async function present(azure: AzureClients, request: PowerRequest, work: Work): Promise<VirtualMachine> {
  const { path } = request;
  const vm = await readVm(azure, path, work);
  if (vm !== undefined) {
    assertSameIdentity(request, vm.vmId);
    return vm;
  }
  throw refused({
    op: sourceGone,
    subject: path,
    message: `${path} does not exist in Azure`,
    hint: 'It was deleted, moved or renamed: look in the Azure portal before anything else is done.',
  });
}

/** Waits while the machine is between two states. */
const settled = (azure: AzureClients, request: PowerRequest, work: Work): Promise<string> =>
  lookUntil(
    `${request.path} to settle`,
    work,
    async () => powerSeen(await present(azure, request, work)),
    (seen) => powerOf(seen) !== 'changing',
  );

/** Waits while Azure is doing anything with the machine: it would refuse a start, or do it before what is on its way. */
const atRest = (azure: AzureClients, request: PowerRequest, work: Work): Promise<VirtualMachine> =>
  lookUntil(
    `${request.path} to be at rest`,
    work,
    () => present(azure, request, work),
    (vm) => vm.provisioningState !== 'Updating' && powerOf(powerSeen(vm)) !== 'changing',
  );

/** Azure's power calls go by name alone, so the identity is looked at each time before one is sent. */
function assertSameIdentity({ path, identity }: PowerRequest, seen: string | undefined): void {
  if (seen === identity) return;
  throw refused({
    op: 'source-changed',
    subject: path,
    message: `${path} is another machine than the one this run began with; it was left as it is`,
    hint: 'It was deleted and made anew under the same name. Find out who did it and where the disks of the first one are, before anything else is done.',
  });
}

const notSo = (verb: 'stop' | 'start', machine: SourceState): Failure =>
  transient({
    op: `virtualMachines.${verb === 'stop' ? 'deallocate' : 'start'}`,
    subject: machine.address.path,
    message: `after the ${verb}, ${machine.address.path} was observed as ${machine.powerSeen}`,
    hint: 'Someone or some automation works on the machine too: find out who, Homeward tries again.',
  });
