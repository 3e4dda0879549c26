/**
 * Evidence by looking at the worlds, not by asking Homeward: bytes, file system, records, what is left in Azure.
 * Rule: it reads and never writes; what could not be looked at is said, never counted as good.
 */
import { execFile } from 'node:child_process';
import { azureContentSha256, readAzure } from './azure-control.ts';
import { openFileDisk } from './guest/file-disk.ts';
import { partitionTypes, readGpt } from './guest/gpt.ts';
import { findExtTool } from './guest/os-disk.ts';
import { type BootAnswer, checkBootable } from './guest/partition-check.ts';
import { type RecordReport, verifyRecords } from './guest/verify-records.ts';
import type { Lab } from './lab.ts';
import type { LabMachine } from './machines.ts';
import { readVcenter, type VcenterVm } from './vcenter-control.ts';
import { fileSha256 } from './worlds.ts';

type Worlds = Pick<Lab, 'azure' | 'vcenter'>;

async function targetOf(lab: Worlds, machine: LabMachine): Promise<VcenterVm> {
  const found = (await readVcenter(lab.vcenter.control)).find((vm) => vm.name === machine.target.vm);
  if (found === undefined) throw new Error(`vCenter has no machine ${machine.target.vm}`);
  return found;
}

async function targetPath(lab: Worlds, machine: LabMachine, slot: 0 | 1): Promise<string> {
  const disk = (await targetOf(lab, machine)).disks[slot];
  if (disk === undefined) throw new Error(`${machine.target.vm} has no disk in slot ${slot}`);
  return disk.path;
}

export interface DiskComparison {
  readonly disk: string;
  readonly file: string;
  readonly source: string;
  readonly target: string;
  readonly equal: boolean;
}

/** SHA-256 of each Azure disk against the target's flat file. Meaningful while neither machine runs. */
export async function compareDisks(lab: Worlds, machine: LabMachine): Promise<DiskComparison[]> {
  const target = await targetOf(lab, machine);
  return Promise.all(
    machine.disks.map(async ({ key, azureName }, slot) => {
      const disk = target.disks[slot];
      if (disk === undefined) throw new Error(`${machine.target.vm} has no disk in slot ${slot}`);
      const [source, here] = await Promise.all([
        azureContentSha256(lab.azure.control, azureName),
        fileSha256(disk.path),
      ]);
      return { disk: key, file: disk.file, source, target: here, equal: source === here };
    }),
  );
}

export type FileSystemCheck =
  | { readonly ran: false; readonly why: string }
  | { readonly ran: true; readonly clean: boolean; readonly words: string };

/** `e2fsck -fn` on the ext4 of a raw OS disk, in place, without writing. */
export async function checkFileSystem(path: string): Promise<FileSystemCheck> {
  const tool = await findExtTool('e2fsck');
  if (tool === undefined) return { ran: false, why: 'e2fsck is not installed (package e2fsprogs)' };
  const disk = await openFileDisk(path, 'r');
  const table = await readGpt(disk).finally(() => disk.close());
  if ('reason' in table) return { ran: false, why: table.reason };
  const root = table.partitions.find((each) => each.type === partitionTypes.linux);
  if (root === undefined) return { ran: false, why: 'the disk has no Linux partition' };
  return new Promise((resolve) => {
    execFile(tool, ['-fn', `${path}?offset=${root.offset}`], (error, stdout, stderr) => {
      const words = `${stdout}${stderr}`.trim();
      resolve({ ran: true, clean: error === null, words });
    });
  });
}

/** The same for the OS disk that hangs on a machine's target now. */
export const checkTargetFileSystem = async (lab: Worlds, machine: LabMachine): Promise<FileSystemCheck> =>
  checkFileSystem(await targetPath(lab, machine, 0));

/** Whether the target's OS disk would boot, by the lab's firmware. */
export async function checkTargetBoots(lab: Worlds, machine: LabMachine): Promise<BootAnswer> {
  const disk = await openFileDisk(await targetPath(lab, machine, 0), 'r');
  return checkBootable(disk).finally(() => disk.close());
}

/**
 * Records acknowledged in Azure and on-prem against the target's data disk. While the machine runs, a discard in
 * flight can look like a loss for a moment; so a loss counts only when three looks see the same one. `changed`: another point
 * was taken home, and with it what had been acknowledged there before was dropped.
 */
export async function countRecords(lab: Worlds, machine: LabMachine, changed = false): Promise<RecordReport> {
  const files = [machine.acknowledgements.azure, machine.acknowledgements.onPrem];
  const look = async (): Promise<RecordReport> => {
    const disk = await openFileDisk(await targetPath(lab, machine, 1), 'r');
    return verifyRecords(disk, files, changed ? machine.acknowledgements.onPrem : undefined).finally(() =>
      disk.close(),
    );
  };
  let report = await look();
  for (let again = 0; again < 2 && report.lost.length > 0; again++) {
    const before = new Set(report.lost.map((each) => `${each.slot}/${each.acknowledged}/${each.when}`));
    const next = await look();
    const same = next.lost.filter((each) => before.has(`${each.slot}/${each.acknowledged}/${each.when}`));
    report = { ...next, lost: same };
  }
  return report;
}

/** What of a machine, and of Homeward's own making for it, exists in Azure now, in words; empty after a commit. */
export async function remainsInAzure(lab: Worlds, machine: LabMachine): Promise<string[]> {
  const azure = await readAzure(lab.azure.control);
  const names = machine.disks.map((disk) => disk.azureName);
  const ours = (words: readonly string[]): boolean =>
    words.some((word) => names.includes(word) || word.includes(machine.name));
  return [
    ...azure.vms.filter((vm) => vm.name === machine.source.vm).map((vm) => `virtual machine ${vm.name} (${vm.power})`),
    ...azure.disks.filter((name) => names.includes(name)).map((name) => `disk ${name}`),
    ...azure.nics.filter((name) => name === machine.source.nic).map((name) => `network interface ${name}`),
    ...azure.snapshots
      .filter((each) => ours([each.name, ...Object.values(each.tags)]))
      .map((each) => `snapshot ${each.name}`),
    ...(azure.restorePointCollections ?? [])
      .filter((each) => ours([each.name, ...Object.values(each.tags)]))
      .map((each) => `restore point collection ${each.name}`),
    ...azure.grants.filter((name) => ours([name])).map((name) => `active grant on ${name}`),
  ];
}
