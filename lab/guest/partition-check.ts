/**
 * The lab's firmware: would this disk boot? It looks where UEFI firmware and the first boot stage look.
 * Rule: it answers in words what is missing, first thing first, and never repairs anything.
 * An open disk (its boot sectors withheld) must come out as not bootable (S4).
 */
import { findFatFile } from './fat.ts';
import { partitionTypes, readGpt } from './gpt.ts';
import type { ReadableDisk } from './guest-disk.ts';

export type BootAnswer =
  | { readonly bootable: true; readonly partitionTable: 'primary' | 'backup'; readonly loaderBytes: number }
  | { readonly bootable: false; readonly reason: string };

/** Where the removable-media boot loader lies, by the UEFI specification 3.5.1.1. */
export const loaderPath = ['EFI', 'BOOT', 'BOOTX64.EFI'] as const;
const superblockOffset = 1024;
const ext4Magic = 0xef53;

export async function checkBootable(disk: ReadableDisk): Promise<BootAnswer> {
  const no = (reason: string): BootAnswer => ({ bootable: false, reason });
  const table = await readGpt(disk);
  if ('reason' in table) return no(table.reason);
  const partition = (type: string) => table.partitions.find((each) => each.type === type);
  const outside = table.partitions.find((each) => each.offset + each.sizeBytes > disk.sizeBytes);
  if (outside !== undefined) return no(`partition "${outside.name}" ends outside of the disk`);
  const esp = partition(partitionTypes.efiSystem);
  if (esp === undefined) return no('no EFI system partition');
  const loader = await findFatFile(disk, esp.offset, loaderPath);
  if ('reason' in loader) return no(loader.reason);
  if (loader.sizeBytes === 0) return no('the boot loader is empty');
  const root = partition(partitionTypes.linux);
  if (root === undefined) return no('no Linux partition');
  const superblock = await disk.read(root.offset + superblockOffset, 1024);
  if (superblock.readUInt16LE(56) !== ext4Magic) return no('the Linux partition holds no ext4 file system');
  return { bootable: true, partitionTable: table.from, loaderBytes: loader.sizeBytes };
}
