/**
 * Managed run commands: a script as a resource below its machine, run once when it is made.
 * Rule: as the service does it, the PUT of an asynchronous one is done when the script begins, and its end is told by the
 * instance view; a machine that does not run takes none, and without an agent the operation fails after its time.
 */
import { type ArmParts, type Entries, type Entry, ok, startVerb } from './arm-entry.ts';
import { runScript } from './guest-scripts.ts';
import { badRequest, conflict, notFound } from './refusal.ts';
import { type Machine, mostRunCommands, type RunCommand, type ScriptEnd } from './resources.ts';

const pattern =
  /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/virtualMachines\/([^/]+)\/runCommands(?:\/([^/]+))?$/i;

/** The names of the operations there are. */
export const runCommandOperations = (parts: ArmParts): string[] =>
  Object.values(runCommandsEntries(parts, '', '', '')).map(({ name }) => `virtualMachineRunCommands.${name}`);

/** The route of a path that belongs to run commands; undefined: it does not. */
export function runCommandRoute(parts: ArmParts, method: string, path: string) {
  const found = pattern.exec(path);
  if (!found) return undefined;
  const [group = '', vm = '', name = ''] = found.slice(1, 4).map((part) => decodeURIComponent(part ?? ''));
  const entry = runCommandsEntries(parts, group, vm, name)[name === '' ? 'list' : method.toLowerCase()];
  if (!entry) return undefined;
  return {
    operation: `virtualMachineRunCommands.${entry.name}`,
    action: `Microsoft.Compute/virtualMachines/runCommands/${entry.right}`,
    resource: `${parts.shapes.id(group, 'Microsoft.Compute/virtualMachines', vm)}/runCommands/${name}`,
    act: entry.act,
  };
}

function runCommandsEntries(parts: ArmParts, group: string, vm: string, name: string): Entries {
  const { world, shapes } = parts;
  const machine = (): Machine => world.machine(group, vm);
  const find = (): RunCommand => {
    const found = machine().runCommands.get(name.toLowerCase());
    if (!found) throw notFound(`Microsoft.Compute/virtualMachines/${vm}/runCommands/${name}`);
    return found;
  };
  const id = `${shapes.id(group, 'Microsoft.Compute/virtualMachines', vm)}/runCommands/${name}`;
  const expanded = (url: URL): boolean => url.searchParams.get('$expand') === 'instanceView';
  const get: Entry = {
    name: 'getByVirtualMachine',
    right: 'read',
    act: async ({ url }) => ok(shapes.runCommand(machine(), find(), expanded(url))),
  };
  return {
    list: {
      name: 'listByVirtualMachine',
      right: 'read',
      act: async ({ url }) =>
        ok({
          value: [...machine().runCommands.values()].map((one) => shapes.runCommand(machine(), one, expanded(url))),
        }),
    },
    get,
    put: {
      name: 'createOrUpdate',
      right: 'write',
      act: async ({ body, fault }) => {
        const on = machine();
        const made = wanted(on, name, body);
        on.runCommands.set(name.toLowerCase(), made);
        const noAgent = {
          code: 'VMAgentStatusCommunicationError',
          message: `VM '${vm}' has not reported status for VM agent or extensions.`,
        };
        const wrong = fault?.lroFail ?? (world.agentIsLate(on) ? noAgent : undefined);
        const verb = {
          form: 'both' as const,
          effect: 'virtualMachineRunCommands.createOrUpdate',
          resource: id,
          fault: wrong === undefined ? undefined : { lroFail: wrong },
          first: shapes.runCommand(on, made, false),
          vm,
          failed: () => {
            made.provisioning = 'Failed';
          },
        };
        return startVerb(parts, verb, async () => {
          made.startedAt = new Date();
          const ending = runScript(on, world.folder, made.script, made.timeoutSeconds).then((end) => finish(made, end));
          if (!made.asynchronous) await ending;
          made.provisioning = 'Succeeded';
        });
      },
    },
    delete: {
      name: 'delete',
      right: 'delete',
      act: async ({ fault }) => {
        if (!machine().runCommands.has(name.toLowerCase())) return { status: 204 };
        const effect = 'virtualMachineRunCommands.delete';
        return startVerb(parts, { form: 'both', effect, resource: id, fault, vm }, async () => {
          machine().runCommands.delete(name.toLowerCase());
        });
      },
    },
  };
}

function finish(made: RunCommand, end: ScriptEnd): void {
  made.end = end;
  made.endedAt = new Date();
}

function wanted(on: Machine, name: string, body: Record<string, unknown>): RunCommand {
  const { properties = {}, tags = {} } = body as {
    properties?: { source?: { script?: unknown }; asyncExecution?: unknown; timeoutInSeconds?: unknown };
    tags?: Record<string, string>;
  };
  if (on.resting !== 'running') throw conflict(`Cannot run a command: the VM ${on.name} is ${on.resting}.`);
  const { source, asyncExecution, timeoutInSeconds } = properties;
  if (typeof source?.script !== 'string') throw badRequest("Required parameter 'source.script' is missing.");
  if (on.runCommands.size >= mostRunCommands && !on.runCommands.has(name.toLowerCase()))
    throw conflict(`The VM ${on.name} has ${mostRunCommands} run commands, which is the most it may have.`);
  return {
    ...{ name, tags, script: source.script, asynchronous: asyncExecution === true, provisioning: 'Updating' },
    timeoutSeconds: typeof timeoutInSeconds === 'number' ? timeoutInSeconds : 5_400,
    startedAt: undefined,
    endedAt: undefined,
    end: undefined,
  };
}
