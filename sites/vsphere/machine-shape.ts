/**
 * Reads what a machine is made of besides its disks, and the host it stands on: only the preflight wants to know.
 * Rule: what vCenter does not say is absent, never a default. Changes nothing.
 */
import type { Work } from '../source.ts';
import type { Machine, Vcenter } from './inventory.ts';
import { readLinked, readObject } from './properties.ts';
import type { Ref, Vim } from './wire/shapes.ts';

export interface Shape {
  /** `bios` or `efi`. */
  readonly firmware: string | undefined;
  readonly secureBoot: boolean;
  readonly cpus: number | undefined;
  readonly memoryMiB: number | undefined;
  /** The machine as a whole is encrypted, by a key that a key provider gives. */
  readonly encrypted: boolean;
  /** By a datastore's reference: bytes its thin disks may still come to need there. */
  readonly growthBytes: ReadonlyMap<string, number>;
}

export interface Host {
  readonly name: string;
  readonly connection: string;
  readonly maintenance: boolean;
  readonly threads: number | undefined;
  readonly memoryMiB: number | undefined;
  /** The port groups a machine on it can hang on. */
  readonly networks: readonly { readonly ref: Ref; readonly name: string }[];
}

const shapePaths = [
  'config.firmware',
  'config.bootOptions.efiSecureBootEnabled',
  'config.hardware.numCPU',
  'config.hardware.memoryMB',
  'config.keyId',
  'storage.perDatastoreUsage',
];
const hostPaths = [
  'name',
  'runtime.connectionState',
  'runtime.inMaintenanceMode',
  'summary.hardware.numCpuThreads',
  'summary.hardware.memorySize',
];

const numberIn = (values: ReadonlyMap<string, unknown>, path: string): number | undefined => {
  const value = values.get(path);
  return typeof value === 'number' ? value : undefined;
};

export async function readShape(at: Vcenter, machine: Machine, work: Work): Promise<Shape> {
  const { values } = await readObject(at.session, machine.ref, shapePaths, work, machine.path);
  const firmware = values.get('config.firmware');
  const usage = (values.get('storage.perDatastoreUsage') ?? []) as readonly Vim<'VirtualMachineUsageOnDatastore'>[];
  return {
    firmware: typeof firmware === 'string' ? firmware : undefined,
    secureBoot: values.get('config.bootOptions.efiSecureBootEnabled') === true,
    cpus: numberIn(values, 'config.hardware.numCPU'),
    memoryMiB: numberIn(values, 'config.hardware.memoryMB'),
    encrypted: values.get('config.keyId') !== undefined,
    growthBytes: new Map(usage.map((one) => [one.datastore?.value ?? '', Math.max(0, one.uncommitted ?? 0)])),
  };
}

/** Undefined for a machine that vCenter has on no host. */
export async function readHost(at: Vcenter, { host, path }: Machine, work: Work): Promise<Host | undefined> {
  if (!host) return undefined;
  const { values } = await readObject(at.session, host, hostPaths, work, `the host of ${path}`);
  const networks = await readLinked(at.session, host, 'network', 'Network', ['name'], work);
  const bytes = numberIn(values, 'summary.hardware.memorySize');
  return {
    name: String(values.get('name') ?? host.value),
    connection: String(values.get('runtime.connectionState') ?? 'unknown'),
    maintenance: values.get('runtime.inMaintenanceMode') === true,
    threads: numberIn(values, 'summary.hardware.numCpuThreads'),
    memoryMiB: bytes === undefined ? undefined : Math.floor(bytes / 1024 ** 2),
    networks: networks.map(({ ref, values: seen }) => ({ ref, name: String(seen.get('name') ?? '') })),
  };
}
