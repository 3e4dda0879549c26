/**
 * The machines of a lab: what they are called on either side, their disks, and where their records are acknowledged.
 * Rule: every name is derived here and nowhere else.
 */
import { join } from 'node:path';
import type { BootLoader } from './guest/bootable-linux.ts';
import type { OsTree } from './guest/os-tree.ts';
import { datastoreName, diskFile, moverNames } from './vcenter.ts';
import type { WatchedMachine } from './witness/view.ts';

export interface LabDisk {
  readonly key: 'os' | 'data-0';
  /** Name of the managed disk in Azure. */
  readonly azureName: string;
  /** The image the Azure disk starts with. */
  readonly image: string;
  /** Datastore path on-prem: `[lab-ds] erp-db/erp-db.vmdk`. */
  readonly file: string;
  readonly sizeBytes: number;
}

export interface LabMachine {
  readonly name: string;
  readonly tree: OsTree;
  /** The Linux its OS disk really boots; undefined: the disk only looks bootable. */
  readonly loader?: BootLoader;
  readonly disks: readonly [LabDisk, LabDisk];
  readonly source: { readonly vm: string; readonly nic: string };
  readonly target: { readonly vm: string; readonly ip: string };
  /** Side files of the application's records, oldest side first. */
  readonly acknowledgements: { readonly azure: string; readonly onPrem: string };
}

const names = ['erp-db', 'erp-app', 'erp-web'];

export interface MachinesPlan {
  readonly count: number;
  readonly folder: string;
  readonly tree: OsTree;
  readonly loader?: BootLoader;
  readonly osSizeBytes: number;
  readonly dataSizeBytes: number;
}

export function planMachines(plan: MachinesPlan): LabMachine[] {
  return Array.from({ length: plan.count }, (_, index) => {
    const name = names[index] ?? `machine-${index + 1}`;
    const disk = (key: LabDisk['key'], kind: 'os' | 'data', sizeBytes: number): LabDisk => ({
      key,
      azureName: `${name}-${kind}`,
      image: join(plan.folder, 'azure-images', `${name}-${kind}.raw`),
      file: `[${datastoreName}] ${diskFile(name, kind)}`,
      sizeBytes,
    });
    return {
      name,
      tree: plan.tree,
      ...(plan.loader === undefined ? {} : { loader: plan.loader }),
      disks: [disk('os', 'os', plan.osSizeBytes), disk('data-0', 'data', plan.dataSizeBytes)],
      source: { vm: name, nic: `${name}-nic` },
      target: { vm: name, ip: `10.20.0.${20 + index}` },
      acknowledgements: {
        azure: join(plan.folder, `${name}-acknowledged-in-azure.log`),
        onPrem: join(plan.folder, `${name}-acknowledged-on-prem.log`),
      },
    };
  });
}

/** The machine as the witness watches it; any of the movers may carry it. */
export const watched = (machine: LabMachine, movers: readonly string[] = moverNames(1)): WatchedMachine => ({
  name: machine.name,
  source: {
    vm: machine.source.vm,
    disks: machine.disks.map((disk) => disk.azureName),
    nics: [machine.source.nic],
  },
  target: machine.target.vm,
  movers,
});
