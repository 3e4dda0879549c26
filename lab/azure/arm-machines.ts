/**
 * Virtual machines: looking, power, deletion.
 * Rule: a VM whose disk has an active SAS does not start; deleting a VM keeps its disks and NICs.
 */
import { type ArmParts, before, type Entries, type Entry, ok, read, sameName, startVerb } from './arm-entry.ts';
import type { RestingPower } from './machine-power.ts';
import type { Form } from './operations.ts';

export function machinesEntries(parts: ArmParts, group: string, name: string): Entries {
  const { world, shapes } = parts;
  const id = shapes.id(group, 'Microsoft.Compute/virtualMachines', name);
  const power = (verb: string, to: RestingPower, form: Form, act: () => Promise<unknown>): Entry => ({
    name: verb,
    right: `${verb}/action`,
    act: async ({ fault }) => {
      // An operation that is going to fail never gets the machine on its way.
      const over = fault?.lroFail ? undefined : world.power.accept(machine(), to, world.settings.powerLagMs);
      return startVerb(parts, { form, effect: `virtualMachines.${verb}`, resource: id, fault, vm: name }, () =>
        act().finally(over),
      );
    },
  });
  const machine = () => world.machine(group, name);
  return {
    list: read('list', async () =>
      ok({
        value: [...world.machines.values()]
          // Without a group all of the subscription are asked for.
          .filter((one) => group === '' || sameName(one.resourceGroup, group))
          .map((one) => shapes.machine(one, false)),
      }),
    ),
    get: read('get', async ({ url }) =>
      ok(shapes.machine(machine(), url.searchParams.get('$expand') === 'instanceView')),
    ),
    instanceview: {
      name: 'instanceView',
      right: 'instanceView/read',
      act: async () => ok(shapes.instanceView(machine())),
    },
    deallocate: power('deallocate', 'deallocated', 'both', () => world.powerOff(machine(), 'deallocated')),
    poweroff: power('powerOff', 'stopped', 'both', () => world.powerOff(machine(), 'stopped')),
    start: before(
      machine,
      (one) => world.assertStartable(one),
      power('start', 'running', 'location', () => world.powerOn(machine())),
    ),
    restart: before(
      machine,
      (one) => world.power.assertRunning(one),
      power('restart', 'running', 'location', async () => {
        await world.powerOff(machine(), 'stopped');
        await world.powerOn(machine());
      }),
    ),
    delete: {
      name: 'delete',
      right: 'delete',
      act: async ({ fault }) => {
        const found = [...world.machines.values()].find(
          (one) => sameName(one.name, name) && sameName(one.resourceGroup, group),
        );
        if (!found) return { status: 204 };
        found.deleting = true;
        const failed = () => {
          found.deleting = false;
        };
        const effect = 'virtualMachines.delete';
        return startVerb(parts, { form: 'both', effect, resource: id, fault, vm: name, failed }, () =>
          world.deleteMachine(found),
        );
      },
    },
  };
}
