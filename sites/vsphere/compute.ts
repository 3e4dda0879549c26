/**
 * Where a machine can be made: the host, cluster or resource pool of an inventory path, its hosts, and the networks there.
 * Rule: a host is chosen by what it can reach, in the order vCenter lists them, so that two looks choose the same one.
 * Changes nothing.
 */
import type { Work } from '../source.ts';
import { findByPath, type Vcenter } from './inventory.ts';
import { readEach, readObject } from './properties.ts';
import type { Ref, Vim } from './wire/shapes.ts';

export interface Host {
  readonly ref: Ref;
  readonly name: string;
  readonly connected: boolean;
  readonly inMaintenance: boolean;
  readonly networks: readonly string[];
  /** Logical processors, and memory; undefined where vCenter does not say. */
  readonly threads: number | undefined;
  readonly memoryMiB: number | undefined;
}

/** What a machine asks of the host it runs on. */
export interface Needs {
  readonly networks: readonly string[];
  readonly cpus: number;
  readonly memoryMiB: number;
}

export interface Compute {
  readonly pool: Ref;
  readonly hosts: readonly Host[];
  /** All networks that any of the hosts has, by name; the first of several equal names. */
  readonly networks: ReadonlyMap<string, Ref>;
}

const hostPaths = [
  'name',
  'runtime.connectionState',
  'runtime.inMaintenanceMode',
  'network',
  'summary.hardware.numCpuThreads',
  'summary.hardware.memorySize',
];

const numberIn = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

const refsOf = (value: unknown): readonly Ref[] => (value as readonly Ref[] | undefined) ?? [];

/** Undefined when nothing stands at the path that a machine could run on. */
export async function findCompute(at: Vcenter, path: string, work: Work): Promise<Compute | undefined> {
  const ref = await findByPath(at, path, work);
  const place = ref && (await placeOf(at, ref, path, work));
  if (!place) return undefined;
  const { pool, hosts: refs } = place;
  const seen = await readEach(at.session, refs, hostPaths, work);
  const networks = await namesOf(
    at,
    seen.flatMap(({ values }) => refsOf(values.get('network'))),
    work,
  );
  const named = (network: Ref): string => networks.find(({ ref: one }) => one.value === network.value)?.name ?? '';
  const hosts = seen.map(({ ref: host, values }) => ({
    ref: host,
    name: String(values.get('name') ?? host.value),
    connected: values.get('runtime.connectionState') === 'connected',
    inMaintenance: values.get('runtime.inMaintenanceMode') === true,
    networks: refsOf(values.get('network')).map(named),
    threads: numberIn(values.get('summary.hardware.numCpuThreads')),
    memoryMiB: mebibytes(numberIn(values.get('summary.hardware.memorySize'))),
  }));
  return { pool, hosts, networks: new Map(networks.toReversed().map(({ name, ref: network }) => [name, network])) };
}

const mebibytes = (bytes: number | undefined): number | undefined =>
  bytes === undefined ? undefined : Math.floor(bytes / 1024 ** 2);

async function placeOf(
  at: Vcenter,
  ref: Ref,
  path: string,
  work: Work,
): Promise<{ readonly pool: Ref; readonly hosts: readonly Ref[] } | undefined> {
  const read = async (of: Ref, property: string): Promise<unknown> =>
    (await readObject(at.session, of, [property], work, path)).values.get(property);
  if (ref.type === 'HostSystem') {
    const parent = (await read(ref, 'parent')) as Ref | undefined;
    const pool = parent && ((await read(parent, 'resourcePool')) as Ref | undefined);
    return pool && { pool, hosts: [ref] };
  }
  if (ref.type === 'ResourcePool') {
    const owner = (await read(ref, 'owner')) as Ref | undefined;
    return owner && { pool: ref, hosts: refsOf(await read(owner, 'host')) };
  }
  if (!['ComputeResource', 'ClusterComputeResource'].includes(ref.type)) return undefined;
  const pool = (await read(ref, 'resourcePool')) as Ref | undefined;
  return pool && { pool, hosts: refsOf(await read(ref, 'host')) };
}

async function namesOf(at: Vcenter, refs: readonly Ref[], work: Work): Promise<{ ref: Ref; name: string }[]> {
  const distinct = [...new Map(refs.map((ref) => [ref.value, ref])).values()];
  const seen = await readEach(at.session, distinct, ['name'], work);
  return seen.map(({ ref, values }) => ({ ref, name: String(values.get('name') ?? '') }));
}

/** Why a machine cannot run on this host now; undefined when it can. */
export function hostWrong(host: Host, { networks, cpus, memoryMiB }: Needs): string | undefined {
  const { name, threads, memoryMiB: has } = host;
  if (!host.connected) return `${name} is not connected`;
  if (host.inMaintenance) return `${name} is in maintenance`;
  if (threads !== undefined && cpus > threads) return `${name} has ${threads} logical CPUs, ${cpus} needed`;
  if (has !== undefined && memoryMiB > has) return `${name} has ${has} MiB of memory, ${memoryMiB} needed`;
  const missing = networks.filter((network) => !host.networks.includes(network));
  return missing.length > 0 ? `${name} has no network ${missing.join(', ')}` : undefined;
}

/** How a NIC is connected to a network; undefined when its kind is none that we can connect to. */
export async function nicBacking(
  at: Vcenter,
  network: Ref,
  name: string,
  work: Work,
): Promise<Vim<'VirtualDeviceBackingInfo'> | undefined> {
  if (network.type === 'Network')
    return {
      $type: 'VirtualEthernetCardNetworkBackingInfo',
      deviceName: name,
      network,
    } as Vim<'VirtualDeviceBackingInfo'>;
  if (network.type !== 'DistributedVirtualPortgroup') return undefined;
  const group = await readObject(at.session, network, ['key', 'config.distributedVirtualSwitch'], work, name);
  const virtualSwitch = group.values.get('config.distributedVirtualSwitch') as Ref | undefined;
  if (!virtualSwitch) return undefined;
  const { values } = await readObject(at.session, virtualSwitch, ['uuid'], work, name);
  const port = { switchUuid: String(values.get('uuid') ?? ''), portgroupKey: String(group.values.get('key') ?? '') };
  return {
    $type: 'VirtualEthernetCardDistributedVirtualPortBackingInfo',
    port,
  } as Vim<'VirtualDeviceBackingInfo'>;
}
