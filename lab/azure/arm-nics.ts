/**
 * Network interfaces: looking and deletion.
 * Rule: one that a VM uses is not deleted.
 */
import { type ArmParts, type Entries, ok, read, sameName, startVerb } from './arm-entry.ts';
import { notFound } from './refusal.ts';

export function nicsEntries(parts: ArmParts, group: string, name: string): Entries {
  const { world, shapes } = parts;
  const id = shapes.id(group, 'Microsoft.Network/networkInterfaces', name);
  const find = () =>
    [...world.nics.values()].find((one) => sameName(one.name, name) && sameName(one.resourceGroup, group));
  return {
    list: read('list', async () =>
      ok({
        value: [...world.nics.values()]
          .filter((one) => sameName(one.resourceGroup, group))
          .map((one) => shapes.nic(one)),
      }),
    ),
    get: read('get', async () => {
      const found = find();
      if (!found) throw notFound(`Microsoft.Network/networkInterfaces/${name}`);
      return ok(shapes.nic(found));
    }),
    delete: {
      name: 'delete',
      right: 'delete',
      act: async ({ fault }) => {
        const found = find();
        if (!found) return { status: 204 };
        world.assertNicDeletable(found);
        return startVerb(
          parts,
          { form: 'location', effect: 'networkInterfaces.delete', resource: id, fault },
          async () => world.deleteNic(found),
        );
      },
    },
  };
}
