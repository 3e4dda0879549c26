/**
 * Starts the vCenter simulator with the lab's on-prem side: the mover appliance, and each machine's powered-off
 * original with the stale disks it was left with.
 * Rule: names and places are all chosen here, once; the simulator gets them by file and makes nothing up.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import { type Child, startChild } from './child.ts';
import type { BootLoader } from './guest/bootable-linux.ts';
import { makeStale, placeDataDisk, placeOsDisk } from './guest/disk-images.ts';
import type { OsTree } from './guest/os-tree.ts';
import { reportGuest } from './vcenter-control.ts';

export const datastoreName = 'lab-ds';
export const moverName = 'homeward-mover';
/** Movers are counted from 1; the first has no number in its name. */
export const moverNameOf = (number: number): string => (number === 1 ? moverName : `${moverName}-${number}`);
const user = 'administrator@vsphere.local';
export const networkName = 'VM Network';
/** A port group that leads nowhere. */
export const isolatedNetwork = 'DC0_DVPG0';
/** Who may run programs in the guests at home. */
export const guestUser = 'root';
const MiB = 1 << 20;

export interface OnPremMachine {
  readonly name: string;
  readonly osSizeBytes: number;
  readonly dataSizeBytes: number;
  readonly tree: OsTree;
  /** The Linux its original really boots. */
  readonly loader?: BootLoader;
}

export const moverNames = (movers: number): string[] =>
  Array.from({ length: movers }, (_, index) => moverNameOf(index + 1));

export interface Vcenter {
  /** The SDK endpoint. */
  readonly url: string;
  readonly control: string;
  readonly user: string;
  readonly passwordFile: string;
  readonly guestPasswordFile: string;
  readonly datacenter: string;
  readonly datastoreFolder: string;
  readonly auditFile: string;
  readonly child: Child;
}

export const diskFile = (machine: string, disk: 'os' | 'data'): string =>
  `${machine}/${machine}${disk === 'os' ? '' : '_1'}.vmdk`;

const flatFile = (datastore: string, file: string): string => join(datastore, file.replace(/\.vmdk$/, '-flat.vmdk'));

/** An id of vSphere's form (6000C29 is VMware's prefix) that depends on the name alone. */
function diskUuid(name: string): string {
  const hex = `6000c29${createHash('sha256').update(name).digest('hex').slice(0, 25)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function inventoryOf(machines: readonly OnPremMachine[], movers: readonly string[]): object {
  const disk = (file: string, sizeBytes: number, unit: number) => ({
    ...{ file, sizeBytes, uuid: diskUuid(file), controller: 0, unit },
  });
  const appliances = movers.map((name) => ({
    name,
    cpus: 2,
    memoryMiB: 2048,
    firmware: 'efi',
    controllers: ['pvscsi', 'pvscsi'],
    disks: [disk(`${name}/${name}.vmdk`, 16 * MiB, 0)],
    nics: [{ network: networkName }],
    extraConfig: { 'disk.EnableUUID': 'TRUE' },
    power: 'on',
  }));
  const originals = machines.map(({ name, osSizeBytes, dataSizeBytes }) => ({
    name,
    cpus: 2,
    memoryMiB: 2048,
    firmware: 'efi',
    controllers: ['pvscsi'],
    disks: [disk(diskFile(name, 'os'), osSizeBytes, 0), disk(diskFile(name, 'data'), dataSizeBytes, 1)],
    nics: [{ network: networkName }],
    power: 'off',
  }));
  return { vms: [...appliances, ...originals] };
}

/** Fills the originals' flat files with what was left there at the failover. */
export async function placeStaleDisks(datastore: string, machines: readonly OnPremMachine[]): Promise<void> {
  await Promise.all(
    machines.map(async ({ name, osSizeBytes, dataSizeBytes, tree, loader }) => {
      await mkdir(join(datastore, name), { recursive: true });
      const image = { tree, sizeBytes: osSizeBytes, machine: name, release: 'before-failover' } as const;
      const place = flatFile(datastore, diskFile(name, 'os'));
      await placeOsDisk(loader === undefined ? image : { ...image, loader }, place);
      const data = flatFile(datastore, diskFile(name, 'data'));
      await placeDataDisk(data, dataSizeBytes, name);
      await makeStale(data, name);
    }),
  );
}

export interface VcenterPlan {
  readonly program: string;
  readonly folder: string;
  readonly datastoreFolder: string;
  readonly certificates: Certificates;
  readonly machines: readonly OnPremMachine[];
  /** How many; default 1. */
  readonly movers?: number;
  /** Who hears of each effect before its task is done; nobody when absent. */
  readonly effectsUrl?: string;
  /** `PowerOn:300,ReconfigVm:200` in milliseconds. */
  readonly methodDelay?: string;
}

export async function startVcenter(plan: VcenterPlan): Promise<Vcenter> {
  const passwordFile = join(plan.folder, 'vcenter-password');
  const guestPasswordFile = join(plan.folder, 'guest-password');
  const inventoryFile = join(plan.folder, 'inventory.json');
  const auditFile = join(plan.folder, 'vcenter-audit.jsonl');
  const movers = moverNames(plan.movers ?? 1);
  await writeFile(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
  await writeFile(guestPasswordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
  await writeFile(inventoryFile, JSON.stringify(inventoryOf(plan.machines, movers), undefined, 2));
  const flags: Record<string, string> = {
    cert: plan.certificates.certFile,
    key: plan.certificates.keyFile,
    user,
    'password-file': passwordFile,
    'guest-user': guestUser,
    'guest-password-file': guestPasswordFile,
    'datastore-dir': plan.datastoreFolder,
    'datastore-name': datastoreName,
    inventory: inventoryFile,
    ...(plan.effectsUrl === undefined ? {} : { effects: plan.effectsUrl }),
    audit: auditFile,
    ...(plan.methodDelay === undefined ? {} : { 'method-delay': plan.methodDelay }),
  };
  const child = await startChild({
    name: 'vcenter',
    program: plan.program,
    args: Object.entries(flags).flatMap(([name, value]) => [`-${name}`, value]),
    logFolder: plan.folder,
    ready: { lineWith: 'sdk' },
  });
  const control = String(child.said.control);
  for (const [index, vm] of movers.entries())
    await reportGuest(control, { vm, running: true, ip: `10.20.0.${5 + index}` });
  const { datastoreFolder } = plan;
  const datacenter = String(child.said.datacenter);
  const files = { passwordFile, guestPasswordFile, datastoreFolder, auditFile };
  return { url: String(child.said.sdk), control, user, datacenter, ...files, child };
}
