/**
 * A source that somebody deletes in Azure with its disks, and what is left of its machine then: our snapshots there, and the
 * disks that the run made at home.
 */
import { existsSync } from 'node:fs';
import { readAzure } from '../../lab/azure-control.ts';
import { knock } from '../../lab/control-door.ts';
import type { Lab } from '../../lab/lab.ts';
import { readVcenter } from '../../lab/vcenter-control.ts';
import type { Run } from './scene.ts';

export const deleteSource = (lab: Lab, { machine }: Run): Promise<unknown> =>
  knock(`${lab.azure.control}/vms/${machine.source.vm}`, {}, 'DELETE');

/** By name; `files` made by the run, wherever they hang, and whether each is there; `attached`: what the machine at home holds. */
export async function copiesOf(lab: Lab, { machine }: Run) {
  const { snapshots } = await readAzure(lab.azure.control);
  const vms = await readVcenter(lab.vcenter.control);
  const made = vms
    .flatMap((vm) => vm.disks)
    .filter(({ file }) => file.includes(machine.target.vm) && file.includes('-homeward-'));
  const target = vms.find((vm) => vm.name === machine.target.vm);
  return {
    snapshots: snapshots.map(({ name }) => name).filter((name) => name.includes(machine.name)),
    files: made.map(({ file }) => file),
    atHome: made.map(({ path }) => existsSync(path)),
    power: target?.power,
    attached: (target?.disks ?? []).map(({ file }) => file),
  };
}
