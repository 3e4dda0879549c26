/**
 * Scripts in a machine's guest by Azure's managed run commands: each one is a resource below the machine, with its own end.
 * Rule: the resource of a try is looked for before it is made, because making it again would run the script again; only
 * what carries this run's tags is taken for ours. A script that fails is an answer. Never sends a secret: the resource
 * shows its script to everyone who may read the machine.
 */
import type { VirtualMachine, VirtualMachineRunCommand } from '@azure/arm-compute';
import { type AgentState, type StepRun, timedOutCode } from '../../model/arrival.ts';
import { refused } from '../../model/failure.ts';
import type { GuestPlaceRequest, GuestScriptRequest, Work } from '../source.ts';
import { parsePath } from './arm-id.ts';
import { look } from './call.ts';
import type { AzureClients } from './client.ts';
import { goneIsDone, lookUntil, runOperation } from './long-running.ts';
import { powerOf, powerSeen, readVm } from './machine.ts';
import { shortRun } from './snapshot-mark.ts';

const tagRun = 'homeward-run';

/** Azure's names of run commands take 64 characters; the run's hash keeps those of two runs apart. */
const nameOf = (run: string, key: string): string => `homeward-${shortRun(run)}-${key}`;

/** The agent of Azure inside the guest, which runs scripts. */
export async function observeAgent(azure: AzureClients, path: string, work: Work): Promise<AgentState> {
  const vm = await readVm(azure, path, work);
  if (vm === undefined) throw machineGone(path);
  const power = powerSeen(vm);
  if (powerOf(power) === 'stopped' || power === 'PowerState/stopped')
    throw refused({
      op: 'run-command',
      subject: path,
      message: `${path} does not run (${power}), so no script can run in it`,
      hint: 'Start it in Azure and resolve with retry, or take the step out of the policy and start a new run.',
    });
  return agentOf(vm, power);
}

function agentOf(vm: VirtualMachine, power: string): AgentState {
  const statuses = vm.instanceView?.vmAgent?.statuses ?? [];
  const ready = powerOf(power) === 'running' && statuses.some(({ displayStatus }) => displayStatus === 'Ready');
  const words = statuses
    .map(({ displayStatus, message }) => displayStatus ?? message ?? '')
    .filter((one) => one !== '');
  return { ready, seen: `${power}, VM agent: ${words.join(', ') || 'Azure tells nothing of it'}` };
}

export async function ensureScriptRun(azure: AzureClients, request: GuestScriptRequest, work: Work): Promise<StepRun> {
  const { path, run, key } = request;
  const name = nameOf(run, key);
  const found = await readCommand(azure, path, name, work);
  if (found === undefined) await begin(azure, request, name, work);
  else if (found.tags?.[tagRun] !== run) throw notOurs(path, name);
  return asRun(path, name, await untilEnded(azure, request, name, work));
}

/** How long a request that was cut off on its way may take to arrive at Azure after all. */
const arrivesWithinMs = 3_000;

/** How a try that may have been begun ended; undefined: Azure has none, so it did nothing. */
export async function observeScriptRun(
  azure: AzureClients,
  request: GuestScriptRequest,
  work: Work,
): Promise<StepRun | undefined> {
  const { path, run, key } = request;
  const name = nameOf(run, key);
  const deadline = performance.now() + arrivesWithinMs;
  const found = await lookUntil(
    `${name} to arrive at Azure`,
    work,
    () => readCommand(azure, path, name, work),
    (seen) => seen !== undefined || performance.now() > deadline,
  );
  if (found?.tags?.[tagRun] !== run) return undefined;
  const ended = await untilEnded(azure, request, name, work);
  return neverRan(ended) ? undefined : asRun(path, name, ended);
}

async function untilEnded(
  azure: AzureClients,
  { path, timeoutSeconds }: GuestScriptRequest,
  name: string,
  work: Work,
): Promise<VirtualMachineRunCommand> {
  const read = (): Promise<VirtualMachineRunCommand | undefined> => readCommand(azure, path, name, work);
  const deadline = Date.now() + (timeoutSeconds + 120) * 1000;
  const ended = await lookUntil(`${name} to end`, work, read, (seen) => seen === undefined || hasEnded(seen, deadline));
  if (ended === undefined) throw vanished(path, name);
  return ended;
}

async function begin(azure: AzureClients, request: GuestScriptRequest, name: string, work: Work): Promise<void> {
  const { resourceGroup, vm } = parsePath(request.path);
  const machine = await readVm(azure, request.path, work);
  if (machine === undefined) throw machineGone(request.path);
  const wanted: VirtualMachineRunCommand = {
    location: machine.location,
    tags: { [tagRun]: request.run, 'homeward-machine': request.machine },
    // The operation ends when the script begins; how the script ended is in the resource's instance view.
    asyncExecution: true,
    timeoutInSeconds: request.timeoutSeconds,
    source: { script: request.script },
  };
  await runOperation(
    { op: 'virtualMachineRunCommands.createOrUpdate', subject: `${request.path}/${name}` },
    work,
    (call) => azure.compute.virtualMachineRunCommands.createOrUpdate(resourceGroup, vm, name, wanted, call),
    async (failure) => {
      const seen = await readCommand(azure, request.path, name, work);
      if (seen === undefined) throw failure;
      return seen;
    },
  );
}

function readCommand(
  azure: AzureClients,
  path: string,
  name: string,
  work: Work,
): Promise<VirtualMachineRunCommand | undefined> {
  const { resourceGroup, vm } = parsePath(path);
  return look({ op: 'virtualMachineRunCommands.getByVirtualMachine', subject: `${path}/${name}` }, work, (call) =>
    azure.compute.virtualMachineRunCommands.getByVirtualMachine(resourceGroup, vm, name, {
      ...call,
      expand: 'instanceView',
    }),
  );
}

const ends: readonly string[] = ['Succeeded', 'Failed', 'TimedOut', 'Canceled'];

function hasEnded({ provisioningState, instanceView }: VirtualMachineRunCommand, deadline: number): boolean {
  if (ends.includes(instanceView?.executionState ?? '')) return true;
  return provisioningState === 'Failed' || Date.now() > deadline;
}

/** A script that never ran has no exit code: that is the world's refusal, not the script's answer. */
const neverRan = ({ instanceView, provisioningState }: VirtualMachineRunCommand): boolean =>
  provisioningState === 'Failed' && instanceView?.exitCode === undefined;

function asRun(path: string, name: string, command: VirtualMachineRunCommand): StepRun {
  const { instanceView } = command;
  const { executionState, executionMessage, exitCode, output, error, startTime, endTime } = instanceView ?? {};
  const timedOut = executionState === 'TimedOut' || !ends.includes(executionState ?? '');
  if (neverRan(command))
    throw refused({
      op: 'run-command',
      subject: `${path}/${name}`,
      message: `Azure could not run the script: ${executionMessage ?? 'it says no reason'}`,
      hint: 'Look at the run command below the machine in the Azure portal, then resolve with retry.',
    });
  const words = [output, error, timedOut ? 'it was stopped: it took too long' : undefined];
  return {
    exitCode: timedOut ? timedOutCode : (exitCode ?? (executionState === 'Succeeded' ? 0 : 1)),
    output: words.filter((one) => one !== undefined && one !== '').join('\n'),
    startedAt: (startTime ?? new Date()).toISOString(),
    endedAt: (endTime ?? new Date()).toISOString(),
  };
}

/** Deletes the run's run commands; what ran stays as it is. A machine that is gone took them along. */
export async function releaseScripts(
  azure: AzureClients,
  { path, run }: GuestPlaceRequest,
  work: Work,
): Promise<string[]> {
  const { resourceGroup, vm } = parsePath(path);
  const what = { op: 'virtualMachineRunCommands.listByVirtualMachine', subject: path };
  const all = await look(what, work, async (call) => {
    const found: VirtualMachineRunCommand[] = [];
    for await (const each of azure.compute.virtualMachineRunCommands.listByVirtualMachine(resourceGroup, vm, call))
      found.push(each);
    return found;
  });
  for (const { name, tags } of all ?? []) {
    if (name === undefined || tags?.[tagRun] !== run) continue;
    work.report(`deleting run command ${name}`);
    await runOperation(
      { op: 'virtualMachineRunCommands.delete', subject: `${path}/${name}` },
      work,
      (call) => azure.compute.virtualMachineRunCommands.delete(resourceGroup, vm, name, call),
      goneIsDone,
    );
  }
  return [];
}

const machineGone = (path: string) =>
  refused({
    op: 'run-command',
    subject: path,
    message: `${path} does not exist in Azure`,
    hint: 'It was deleted, moved or renamed: look in the Azure portal before anything else is done.',
  });

const notOurs = (path: string, name: string) =>
  refused({
    op: 'run-command',
    subject: `${path}/${name}`,
    message: `a run command named ${name} exists that is not of this run`,
    hint: 'Look who made it in the Azure portal; delete it if nobody needs it, then resolve with retry.',
  });

const vanished = (path: string, name: string) =>
  refused({
    op: 'run-command',
    subject: `${path}/${name}`,
    message: `the run command ${name} vanished while its script ran; how it ended is unknown`,
    hint: 'Look inside the machine how far the script got. Resolve with retry to run it once more.',
  });
