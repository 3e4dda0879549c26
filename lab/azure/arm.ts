/**
 * The Azure Resource Manager routes Homeward needs, each as one entry: operation name, what right it takes, what it does.
 * Rule: any api-version is taken; shapes, status codes and long-running forms are the service's.
 */
import { disksEntries } from './arm-disks.ts';
import { encryptionSetsEntries } from './arm-encryption-sets.ts';
import { type ArmParts, type Entries, ok, type Request, type Witness } from './arm-entry.ts';
import { machinesEntries } from './arm-machines.ts';
import { nicsEntries } from './arm-nics.ts';
import { restorePointOperations, restorePointRoute } from './arm-restore-points.ts';
import { runCommandOperations, runCommandRoute } from './arm-run-commands.ts';
import { snapshotsEntries } from './arm-snapshots.ts';
import { skusOf, usagesOf } from './capacity.ts';
import { locksIn } from './locks.ts';
import { type Answer, Operations } from './operations.ts';
import { Shapes } from './shapes.ts';
import type { World } from './world.ts';

/** Resource types by their name in a path, in lower case. */
const types: Readonly<
  Record<string, { kind: string; provider: string; entries: (parts: ArmParts, group: string, name: string) => Entries }>
> = {
  virtualmachines: { kind: 'virtualMachines', provider: 'Microsoft.Compute', entries: machinesEntries },
  disks: { kind: 'disks', provider: 'Microsoft.Compute', entries: disksEntries },
  snapshots: { kind: 'snapshots', provider: 'Microsoft.Compute', entries: snapshotsEntries },
  diskencryptionsets: { kind: 'diskEncryptionSets', provider: 'Microsoft.Compute', entries: encryptionSetsEntries },
  networkinterfaces: { kind: 'networkInterfaces', provider: 'Microsoft.Network', entries: nicsEntries },
};

/** What is asked of the subscription itself, of a resource group, or of an operation under way. */
type Fixed =
  | 'subscriptions.list'
  | 'subscriptions.get'
  | 'usage.list'
  | 'resourceSkus.list'
  | 'resourceGroups.get'
  | 'permissions.listForResourceGroup'
  | 'locks.listForResourceGroup'
  | 'operations.get';
const fixedOperations: Readonly<Record<Fixed, true>> = {
  'subscriptions.list': true,
  'subscriptions.get': true,
  'usage.list': true,
  'resourceSkus.list': true,
  'resourceGroups.get': true,
  'permissions.listForResourceGroup': true,
  'locks.listForResourceGroup': true,
  'operations.get': true,
};

export interface Route {
  /** As in the SDK: `snapshots.createOrUpdate`. */
  readonly operation: string;
  readonly action: string;
  /** The resource the call is about, for audit and faults. */
  readonly resource: string;
  act(request: Request): Promise<Answer>;
}

export class Arm {
  private readonly world: World;
  private readonly parts: ArmParts;

  constructor(world: World, base: string, witness: Witness) {
    const { subscriptionId, location } = world.file;
    const root = `${base}/subscriptions/${subscriptionId}/providers/Microsoft.Compute/locations/${location}/operations`;
    this.world = world;
    this.parts = { world, shapes: new Shapes(world), operations: new Operations(world.settings, root), witness };
  }

  /** The name of every operation there is a route for. */
  operations(): string[] {
    const ofTypes = Object.values(types).flatMap(({ kind, entries }) =>
      Object.values(entries(this.parts, '', '')).map(({ name }) => `${kind}.${name}`),
    );
    return [
      ...Object.keys(fixedOperations),
      ...ofTypes,
      ...restorePointOperations(this.parts),
      ...runCommandOperations(this.parts),
    ];
  }

  /** Finds the route of a path below the subscription; undefined: no such thing here. */
  route(method: string, path: string): Route | undefined {
    const parts = path.split('/').filter(Boolean);
    if (parts[0]?.toLowerCase() !== 'subscriptions') return undefined;
    if (parts.length === 1) return this.fixed('subscriptions.list', { value: [this.subscription()] });
    if (parts.length === 2) return this.fixed('subscriptions.get', this.subscription());
    const operation = /\/operations\/([0-9a-f-]{36})$/i.exec(path)?.[1];
    if (operation) return this.poll(operation);
    if (/\/locations\/[^/]+\/usages$/i.test(path))
      return this.fixed('usage.list', { value: usagesOf(this.world) }, 'Microsoft.Compute/locations/usages/read');
    if (/\/providers\/Microsoft\.Compute\/skus$/i.test(path))
      return this.fixed(
        'resourceSkus.list',
        { value: skusOf(this.world.file.location) },
        'Microsoft.Compute/skus/read',
      );
    const below = restorePointRoute(this.parts, method, path) ?? runCommandRoute(this.parts, method, path);
    if (below) return below;
    const found =
      /^\/subscriptions\/[^/]+(?:\/resourceGroups\/([^/]+))?(?:\/providers\/(Microsoft\.[A-Za-z]+)\/([A-Za-z]+)(?:\/([^/]+))?(?:\/([A-Za-z]+))?)?$/i.exec(
        path,
      );
    if (!found) return undefined;
    const [, group = '', , type, name, verb] = found;
    if (type === undefined)
      return this.fixed('resourceGroups.get', {
        id: path,
        name: group,
        location: this.world.file.location,
        properties: { provisioningState: 'Succeeded' },
      });
    if (type.toLowerCase() === 'locks') return this.locks(decodeURIComponent(group));
    if (type.toLowerCase() === 'permissions') return this.permissions(decodeURIComponent(group));
    return this.resource(
      method,
      type.toLowerCase(),
      decodeURIComponent(group),
      name && decodeURIComponent(name),
      verb?.toLowerCase(),
    );
  }

  private fixed(operation: Fixed, body: unknown, action = ''): Route {
    return { operation, action, resource: '', act: async () => ok(body) };
  }

  private subscription() {
    const { subscriptionId, tenantId } = this.world.file;
    return {
      id: `/subscriptions/${subscriptionId}`,
      subscriptionId,
      tenantId,
      displayName: 'Homeward lab',
      state: 'Enabled',
    };
  }

  private poll(id: string): Route {
    const operation: Fixed = 'operations.get';
    return {
      operation,
      action: '',
      resource: id,
      act: async ({ url }) => this.parts.operations.poll(id, url.searchParams.get('monitor') === 'true'),
    };
  }

  private locks(group: string): Route {
    const value = locksIn(this.world, group).map(({ id, name, level }) => ({
      ...{ id: `${id}/providers/Microsoft.Authorization/locks/${name}`, name, type: 'Microsoft.Authorization/locks' },
      properties: { level },
    }));
    const route = this.fixed('locks.listForResourceGroup', { value }, 'Microsoft.Authorization/locks/read');
    return { ...route, resource: group };
  }

  private permissions(group: string): Route {
    const { deniedActions, deniedIn } = this.world.settings;
    const denied = [...deniedActions, ...(deniedIn[group] ?? [])];
    return this.fixed('permissions.listForResourceGroup', {
      value: [{ actions: ['*'], notActions: denied, dataActions: [], notDataActions: [] }],
    });
  }

  private resource(method: string, type: string, group: string, name?: string, verb?: string): Route | undefined {
    const found = types[type];
    if (!found) return undefined;
    const { kind, provider, entries } = found;
    const what = name === undefined ? 'list' : (verb ?? method.toLowerCase());
    const entry = entries(this.parts, group, name ?? '')[what];
    if (!entry) return undefined;
    return {
      operation: `${kind}.${entry.name}`,
      action: `${provider}/${kind}/${entry.right}`,
      resource: name === undefined ? group : this.parts.shapes.id(group, `${provider}/${kind}`, name),
      act: entry.act,
    };
  }
}
