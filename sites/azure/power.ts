/**
 * Stops and starts the machine in Azure.
 * Rule: look, decide, act, look again; what is returned was observed after the act (S1).
 * Never takes an accepted call for a stopped machine.
 */
import type { VirtualMachine } from '@azure/arm-compute';
import { type Failure, refused, transient } from '../../model/failure.ts';
import type { SourceMachine } from '../../model/machine.ts';
import type { Work } from '../source.ts';
import { parsePath } from './arm-id.ts';
import type { AzureClients } from './client.ts';
import { goneIsDone, lookUntil, runOperation } from './long-running.ts';
import { observeMachine, powerOf, powerSeen, readVm } from './machine.ts';

/** Deallocates the machine and answers what was observed afterwards. */
export async function ensureStopped(azure: AzureClients, path: string, work: Work): Promise<SourceMachine> {
  const before = powerSeen(await present(azure, path, work));
  if (powerOf(before) !== 'stopped') {
    // A deallocation that is on its way is waited for. Any other change is overtaken: Azure queues or refuses with
    // a conflict, which Temporal tries again.
    if (before !== 'PowerState/deallocating') await deallocate(azure, path, work);
    await settled(azure, path, work);
  }
  const machine = await observeMachine(azure, path, work);
  if (machine.power !== 'stopped') throw notSo('stop', machine);
  return machine;
}

/** Starts the machine and answers what was observed afterwards. */
export async function ensureStarted(azure: AzureClients, path: string, work: Work): Promise<SourceMachine> {
  const before = powerSeen(await present(azure, path, work));
  if (before !== 'PowerState/running') {
    if (before === 'PowerState/deallocating') await settled(azure, path, work);
    if (before !== 'PowerState/starting') await start(azure, path, work);
    await settled(azure, path, work);
  }
  const machine = await observeMachine(azure, path, work);
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

async function start(azure: AzureClients, path: string, work: Work): Promise<void> {
  const { resourceGroup, vm } = parsePath(path);
  await runOperation(
    { op: 'virtualMachines.start', subject: path },
    work,
    (call) => azure.compute.virtualMachines.start(resourceGroup, vm, call),
    goneIsDone,
  );
}

async function present(azure: AzureClients, path: string, work: Work): Promise<VirtualMachine> {
  const vm = await readVm(azure, path, work);
  if (vm !== undefined) return vm;
  throw refused({
    op: 'observe the machine',
    subject: path,
    message: `${path} does not exist in Azure`,
    hint: 'It was deleted, moved or renamed: look in the Azure portal before anything else is done.',
  });
}

/** Waits while the machine is between two states. */
const settled = (azure: AzureClients, path: string, work: Work): Promise<string> =>
  lookUntil(
    `${path} to settle`,
    work,
    async () => powerSeen(await present(azure, path, work)),
    (seen) => powerOf(seen) !== 'changing',
  );

const notSo = (verb: 'stop' | 'start', machine: SourceMachine): Failure =>
  transient({
    op: `virtualMachines.${verb === 'stop' ? 'deallocate' : 'start'}`,
    subject: machine.address.path,
    message: `after the ${verb}, ${machine.address.path} was observed as ${machine.powerSeen}`,
    hint: 'Someone or some automation works on the machine too: find out who, Homeward tries again.',
  });
